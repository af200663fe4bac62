/**
 * Infers a configuration from the tensors alone. Shapes determine everything except the number of heads, for which all
 * published models follow a rule, and the activation, which a state_dict does not show and which is never guessed.
 */
import { InputError } from '../../errors.js';
import { canonicalClip } from '../checkpoint/canonical-clip.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { type Activation, type ClipConfig, checkConfig, type TowerConfig } from './clip-config.js';

/** What tensor shapes do not show. */
export interface InferOptions {
  /** Required unless the checkpoint is one of OpenAI's TorchScript archives. */
  readonly activation?: Activation | undefined;
}

/**
 * Features per head by width of the vision tower, for models where it is not 64: OpenCLIP's ViT-H, -g, -bigG and -e
 * (`head_width` in open_clip's src/open_clip/model_configs/).
 */
export const VISION_HEAD_WIDTHS: ReadonlyMap<number, number> = new Map([
  [1280, 80],
  [1408, 88],
  [1664, 104],
  [1792, 112],
]);
export const HEAD_WIDTH = 64;

/**
 * Infers the configuration of a CLIP checkpoint with any supported naming. Throws `InputError` naming the first missing
 * tensor if it is not a ViT CLIP, and naming the option if the activation is required.
 */
export function inferConfig(checkpoint: Checkpoint, options: InferOptions = {}): ClipConfig {
  const clip = canonicalClip(checkpoint);
  const { name } = clip;
  const shapeOf = (tensor: string, rank: number): readonly number[] => {
    if (!clip.has(tensor)) throw notAClip(checkpoint, tensor);
    const shape = clip.shape(tensor);
    if (shape.length === rank) return shape;
    throw new InputError(
      `${name}: tensor "${tensor}" should have ${rank} dimensions, its shape is [${shape.join(', ')}]`,
    );
  };
  const tower = (model: string, width: number, headWidth: number): TowerConfig => {
    let layers = 0;
    while (clip.has(`${model}.encoder.layers.${layers}.layer_norm1.weight`)) layers++;
    const [intermediate] = shapeOf(`${model}.encoder.layers.0.mlp.fc1.weight`, 2);
    if (width % headWidth !== 0) {
      throw new InputError(
        `${name}: the ${model} width ${width} is not a multiple of ${headWidth}; give its config.json for the number of heads`,
      );
    }
    return { width, layers, heads: width / headWidth, intermediate: intermediate! };
  };

  const [visionWidth, , patchSize] = shapeOf('vision_model.embeddings.patch_embedding.weight', 4);
  const [positions] = shapeOf('vision_model.embeddings.position_embedding.weight', 2);
  const grid = Math.round(Math.sqrt(positions! - 1));
  if (grid * grid !== positions! - 1) {
    throw new InputError(`${name}: ${positions} image positions are not a square grid of patches and a class token`);
  }
  const [vocabularySize, textWidth] = shapeOf('text_model.embeddings.token_embedding.weight', 2);
  const [context] = shapeOf('text_model.embeddings.position_embedding.weight', 2);
  const [projectionDim] = shapeOf('text_projection.weight', 2);
  const text = tower('text_model', textWidth!, HEAD_WIDTH);
  const vision = tower('vision_model', visionWidth!, VISION_HEAD_WIDTHS.get(visionWidth!) ?? HEAD_WIDTH);
  const config: ClipConfig = {
    projectionDim: projectionDim!,
    activation: options.activation ?? impliedActivation(checkpoint),
    layerNormEpsilon: 1e-5,
    text: { ...text, context: context!, vocabularySize: vocabularySize! },
    vision: { ...vision, imageSize: grid * patchSize!, patchSize: patchSize! },
  };
  return checkConfig(config, name);
}

/** Recognises OpenAI's archives by three sizes that they store as tensors. */
export function isOpenAiArchive(checkpoint: Checkpoint): boolean {
  const sizes = ['input_resolution', 'context_length', 'vocab_size'];
  return checkpoint.format === 'torchscript' && sizes.every((size) => checkpoint.has(size));
}

/** All of OpenAI's models were trained with QuickGELU. */
function impliedActivation(checkpoint: Checkpoint): Activation {
  if (isOpenAiArchive(checkpoint)) return 'quick_gelu';
  throw new InputError(
    `${checkpoint.name}: the activation is not recorded in this format; give --activation quick_gelu (OpenAI's models) or --activation gelu (many OpenCLIP models), or a config.json`,
  );
}

function notAClip(checkpoint: Checkpoint, tensor: string): InputError {
  const problem = checkpoint.names().some((name) => name.includes('visual.layer1.'))
    ? 'a CLIP with a ResNet is not supported, only ones with a vision transformer'
    : 'not a CLIP checkpoint, or incomplete';
  return new InputError(`${checkpoint.name}: ${problem}: tensor "${tensor}" is missing`);
}
