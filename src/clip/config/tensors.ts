/** The tensors that a configuration requires, and the validation of a checkpoint against them. */
import { InputError } from '../../errors.js';
import { type CanonicalClip, canonicalClip } from '../checkpoint/canonical-clip.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { quoted } from '../checkpoint/quoted.js';
import type { ClipConfig, TowerConfig } from './clip-config.js';

/** A tensor that a configuration requires. */
export interface ExpectedTensor {
  /** Canonical (Hugging Face's) name. */
  readonly name: string;
  readonly shape: readonly number[];
}

/** Every tensor of a CLIP, in a fixed order. A linear layer's weight is [outputs, inputs]. */
export function clipTensors(config: ClipConfig): ExpectedTensor[] {
  const { projectionDim, text, vision } = config;
  const patches = (vision.imageSize / vision.patchSize) ** 2;
  return [
    { name: 'logit_scale', shape: [] },
    { name: 'visual_projection.weight', shape: [projectionDim, vision.width] },
    { name: 'text_projection.weight', shape: [projectionDim, text.width] },
    { name: 'vision_model.embeddings.class_embedding', shape: [vision.width] },
    {
      name: 'vision_model.embeddings.patch_embedding.weight',
      shape: [vision.width, 3, vision.patchSize, vision.patchSize],
    },
    { name: 'vision_model.embeddings.position_embedding.weight', shape: [patches + 1, vision.width] },
    ...affine('vision_model.pre_layrnorm', [vision.width]),
    ...blockTensors('vision_model', vision),
    ...affine('vision_model.post_layernorm', [vision.width]),
    { name: 'text_model.embeddings.token_embedding.weight', shape: [text.vocabularySize, text.width] },
    { name: 'text_model.embeddings.position_embedding.weight', shape: [text.context, text.width] },
    ...blockTensors('text_model', text),
    ...affine('text_model.final_layer_norm', [text.width]),
  ];
}

/** The tensors of a tower's blocks. */
export function blockTensors(model: string, { width, layers, intermediate }: TowerConfig): ExpectedTensor[] {
  const tensors: ExpectedTensor[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const block = `${model}.encoder.layers.${layer}`;
    tensors.push(...affine(`${block}.layer_norm1`, [width]));
    for (const part of ['q_proj', 'k_proj', 'v_proj', 'out_proj']) {
      tensors.push(...affine(`${block}.self_attn.${part}`, [width, width]));
    }
    tensors.push(
      ...affine(`${block}.layer_norm2`, [width]),
      ...affine(`${block}.mlp.fc1`, [intermediate, width]),
      ...affine(`${block}.mlp.fc2`, [width, intermediate]),
    );
  }
  return tensors;
}

/** A weight, and a bias as long as the weight's first dimension. */
export function affine(name: string, weightShape: readonly number[]): ExpectedTensor[] {
  return [
    { name: `${name}.weight`, shape: weightShape },
    { name: `${name}.bias`, shape: weightShape.slice(0, 1) },
  ];
}

/**
 * Names of a CLIP's parts, canonical or not, and names that extend them (`text_projection.bias`, Long-CLIP's `positional_embedding_res`).
 * An unused tensor with such a name means that the model computes something else.
 */
const OWN_NAME =
  /^(?:vision_model|text_model|visual|transformer|text|visual_projection|text_projection|positional_embedding|token_embedding|ln_final|logit_scale)(?:$|[._])/;

/**
 * Checks that a checkpoint (canonical or not) has every tensor of `config` with the right shape and a floating-point type, and no others
 * under a CLIP's names (for the rest, see `unusedTensors`). Returns its canonical view. Throws `InputError` naming the first offending tensor.
 */
export function validateShapes(checkpoint: Checkpoint, config: ClipConfig): CanonicalClip {
  const clip = canonicalClip(checkpoint);
  requireShapes(clip, clipTensors(config));
  const extra = namesBeside(clip, config).find((name) => OWN_NAME.test(name));
  if (extra !== undefined) {
    throw new InputError(
      `${clip.name}: tensor ${quoted(clip.storedName(extra))} is not part of a ViT CLIP of this configuration`,
    );
  }
  return clip;
}

/** Stored names of tensors that do not belong to the CLIP, e.g. of a classifier or an optimiser. Does not list ignored buffers. */
export function unusedTensors(clip: CanonicalClip, config: ClipConfig): string[] {
  return namesBeside(clip, config).map((name) => clip.storedName(name));
}

function namesBeside(clip: CanonicalClip, config: ClipConfig): string[] {
  const known = new Set(clipTensors(config).map(({ name }) => name));
  return clip.names().filter((name) => !known.has(name));
}

/**
 * As `requireShapes`; throws `InputError` also for a tensor that is not expected: a model with more parts computes something else. `what` is what
 * it then is not, such as "a plain ResNet".
 */
export function requireExactly(view: CanonicalClip, expected: readonly ExpectedTensor[], what: string): void {
  requireShapes(view, expected);
  const known = new Set(expected.map(({ name }) => name));
  const extra = view.names().find((name) => !known.has(name));
  if (extra === undefined) return;
  throw new InputError(
    `${view.name}: tensor ${quoted(view.storedName(extra))} is not part of ${what}, so this program cannot run it`,
  );
}

/** Throws `InputError` naming the first tensor that is missing, has another shape, or is not floating-point. */
export function requireShapes(clip: CanonicalClip, expected: readonly ExpectedTensor[]): void {
  for (const { name, shape } of expected) {
    if (!clip.has(name)) throw new InputError(`${clip.name}: tensor "${name}" [${shape.join(', ')}] is missing`);
    const found = clip.shape(name);
    const stored = clip.storedName(name);
    const what = `${clip.name}: tensor "${name}"${stored === name ? '' : ` (stored as ${quoted(stored)})`}`;
    if (found.length !== shape.length || found.some((size, axis) => size !== shape[axis])) {
      throw new InputError(`${what} should have shape [${shape.join(', ')}], found [${found.join(', ')}]`);
    }
    if (!['F64', 'F32', 'F16', 'BF16'].includes(clip.dtype(name))) {
      throw new InputError(`${what} should be in floating point, found ${clip.dtype(name)}`);
    }
  }
}
