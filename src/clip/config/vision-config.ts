/** `VisionConfig`: sizes and options of a vision transformer, CLIP's or another. */
import { InputError } from '../../errors.js';
import type { CanonicalClip } from '../checkpoint/canonical-clip.js';
import { canonicalClip } from '../checkpoint/canonical-clip.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { quoted } from '../checkpoint/quoted.js';
import { VIT_ANCHOR, vitTensorsOf } from '../checkpoint/vit-names.js';
import type { Activation, ClipConfig, TowerConfig } from './clip-config.js';
import { HEAD_WIDTH, VISION_HEAD_WIDTHS } from './infer-config.js';
import { affine, blockTensors, type ExpectedTensor, requireExactly } from './tensors.js';

export interface VisionConfig extends TowerConfig {
  /** Side of the square image in pixels. */
  readonly imageSize: number;
  /** Side of a square patch in pixels; divides `imageSize`. */
  readonly patchSize: number;
  readonly activation: Activation;
  readonly layerNormEpsilon: number;
  /** `clip` has a layer norm before the blocks and no bias in the patch embedding; `vit` has the bias but not the layer norm. */
  readonly kind: 'clip' | 'vit';
  /** Number of tokens before the patches whose output is used: the class token, and DeiT's distillation token. */
  readonly classTokens: 1 | 2;
  /** Width of the joint space; undefined if there is none. */
  readonly projectionDim?: number;
}

/** The image tower of a CLIP. */
export function clipVision({ vision, activation, layerNormEpsilon, projectionDim }: ClipConfig): VisionConfig {
  return { ...vision, activation, layerNormEpsilon, projectionDim, kind: 'clip', classTokens: 1 };
}

/** Rows per image: class tokens and patches. */
export function visionRows({ imageSize, patchSize, classTokens }: VisionConfig): number {
  return (imageSize / patchSize) ** 2 + classTokens;
}

/** From `timm/models/vision_transformer.py`: `norm_layer = partial(nn.LayerNorm, eps=1e-6)`; DeiT uses the same. */
const LAYER_NORM_EPSILON = 1e-6;

/**
 * Opens a vision transformer with timm's names, such as DeiT: exact GELU, no layer norm before the blocks, sizes inferred from its
 * tensors, and 64 columns per head as in every DeiT. Returns its canonical view. Throws `InputError` naming the offending tensor.
 */
export function readVit(checkpoint: Checkpoint): { vit: CanonicalClip; config: VisionConfig } {
  const vit = canonicalClip(checkpoint, vitTensorsOf, VIT_ANCHOR);
  const config = inferVit(vit);
  requireExactly(vit, vitTensors(config), 'a plain vision transformer');
  return { vit, config };
}

function inferVit(vit: CanonicalClip): VisionConfig {
  const { name } = vit;
  const sizes = (tensor: string, rank: number): readonly number[] => {
    if (!vit.has(tensor)) {
      throw new InputError(
        `${name}: not a vision transformer with timm's names, or incomplete: "${tensor}" is missing`,
      );
    }
    const shape = vit.shape(tensor);
    if (shape.length === rank) return shape;
    throw new InputError(
      `${name}: tensor ${quoted(vit.storedName(tensor))} should have ${rank} dimensions apart from leading ones of size 1, its shape is [${shape.join(', ')}]`,
    );
  };
  const [width = 0, , patchSize = 0] = sizes('vision_model.embeddings.patch_embedding.weight', 4);
  const [positions = 0] = sizes('vision_model.embeddings.position_embedding.weight', 2);
  const [intermediate = 0] = sizes('vision_model.encoder.layers.0.mlp.fc1.weight', 2);
  const classTokens = vit.has('vision_model.embeddings.distillation_embedding') ? 2 : 1;
  const grid = Math.round(Math.sqrt(positions - classTokens));
  if (grid < 1 || grid * grid !== positions - classTokens) {
    throw new InputError(
      `${name}: ${positions} positions are not a square grid of patches and ${classTokens === 1 ? 'a class token' : 'two class tokens'}`,
    );
  }
  let layers = 0;
  while (vit.has(`vision_model.encoder.layers.${layers}.layer_norm1.weight`)) layers++;
  const headWidth = VISION_HEAD_WIDTHS.get(width) ?? HEAD_WIDTH;
  if (width % headWidth !== 0) {
    throw new InputError(`${name}: the width ${width} is not a multiple of ${headWidth}, the columns of a head`);
  }
  return {
    width,
    layers,
    heads: width / headWidth,
    intermediate,
    imageSize: grid * patchSize,
    patchSize,
    activation: 'gelu',
    layerNormEpsilon: LAYER_NORM_EPSILON,
    kind: 'vit',
    classTokens,
  };
}

function vitTensors(config: VisionConfig): ExpectedTensor[] {
  const { width, patchSize, classTokens } = config;
  const embeddings = 'vision_model.embeddings';
  return [
    { name: `${embeddings}.class_embedding`, shape: [width] },
    ...(classTokens === 2 ? [{ name: `${embeddings}.distillation_embedding`, shape: [width] }] : []),
    ...affine(`${embeddings}.patch_embedding`, [width, 3, patchSize, patchSize]),
    { name: `${embeddings}.position_embedding.weight`, shape: [visionRows(config), width] },
    ...blockTensors('vision_model', config),
    ...affine('vision_model.post_layernorm', [width]),
  ];
}
