/**
 * A CLIP with random weights, at real size: for tests and benchmarks that have no checkpoint. The scales are those of CLIP's
 * own initialisation (`initialize_parameters` in clip/model.py of openai/CLIP), used for both towers, so that features
 * differ from image to image as they would at the start of a training.
 */
import type { Checkpoint } from '../clip/checkpoint/index.js';
import { type ClipConfig, madeCheckpoint } from '../clip/config.js';

/** The value that a tensor starts with everywhere, or the standard deviation of its normal distribution around 0. */
type Start = { readonly value: number } | { readonly std: number };

/** A checkpoint that makes each tensor when it is read, from the seed and the tensor's name alone. */
export function randomClipCheckpoint(config: ClipConfig, seed: number): Checkpoint {
  return madeCheckpoint(config, `random weights (seed ${seed})`, ({ name, shape, start, length }) => {
    const values = new Float32Array(shape.reduce((size, axis) => size * axis, 1));
    const begun = startOf(name, config);
    if ('value' in begun) values.fill(begun.value);
    else fillNormal(values, begun.std, nameSeed(name, seed));
    return length === values.length ? values : values.slice(start, start + length);
  });
}

function startOf(name: string, config: ClipConfig): Start {
  const tower = name.startsWith('vision_model') ? config.vision : config.text;
  const perWidth = tower.width ** -0.5;
  if (name === 'logit_scale') return { value: Math.log(1 / 0.07) };
  if (name.endsWith('.bias')) return { value: 0 };
  if (/norm\d?\.weight$/.test(name)) return { value: 1 };
  if (name.endsWith('token_embedding.weight')) return { std: 0.02 };
  if (name === 'text_model.embeddings.position_embedding.weight') return { std: 0.01 };
  // PyTorch's default for a convolution: uniform within 1 / sqrt(inputs), here as a normal distribution equally wide.
  if (name.endsWith('patch_embedding.weight')) return { std: (3 * 3 * config.vision.patchSize ** 2) ** -0.5 };
  if (name === 'visual_projection.weight') return { std: config.vision.width ** -0.5 };
  if (/(?:out_proj|fc2)\.weight$/.test(name)) return { std: perWidth * (2 * tower.layers) ** -0.5 };
  if (name.endsWith('fc1.weight')) return { std: (2 * tower.width) ** -0.5 };
  return { std: perWidth };
}

/** FNV-1a over the name, begun at the seed. */
export function nameSeed(name: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash;
}

/** 2 pi / 2^32: a random 32-bit integer times this is a random angle. */
const ANGLE = (2 * Math.PI) / 2 ** 32;

/**
 * Normal deviates by Box and Muller's transform (1958), two from a pair of uniform ones. These come from splitmix32 written
 * out in the loop: calls would take half of the time, and this makes 150 million numbers at a go.
 */
export function fillNormal(values: Float32Array, std: number, seed: number): void {
  let state = seed | 0;
  for (let i = 0; i < values.length; i += 2) {
    state = (state + 0x9e3779b9) | 0;
    let a = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    a = Math.imul(a ^ (a >>> 15), 0x735a2d97);
    state = (state + 0x9e3779b9) | 0;
    let b = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    b = Math.imul(b ^ (b >>> 15), 0x735a2d97);
    // The first uniform number lies in (0, 1), never at 0, whose logarithm is infinite.
    const uniform = (((a ^ (a >>> 15)) >>> 0) + 0.5) / 2 ** 32;
    const radius = std * Math.sqrt(-2 * Math.log(uniform));
    const angle = ((b ^ (b >>> 15)) >>> 0) * ANGLE;
    values[i] = radius * Math.cos(angle);
    // Beyond the end of an array of odd length this writes nothing.
    values[i + 1] = radius * Math.sin(angle);
  }
}
