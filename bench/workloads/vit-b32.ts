/**
 * What the tower and training benchmarks compute with: CLIP's ViT-B/32 at real size. Its weights are made as they are read,
 * by copying one block of random numbers over and over: speed does not depend on them, and 150 million deviates take seconds.
 */
import type { CanonicalClip } from '../../src/clip/checkpoint/index.js';
import { ARCHITECTURES, type ClipConfig, madeClip, type WantedNumbers } from '../../src/clip/config.js';
import { normal } from './numbers.js';

export interface Model {
  readonly config: ClipConfig;
  readonly clip: CanonicalClip;
}

export function randomVitB32(): Model {
  const config = ARCHITECTURES.get('ViT-B/32')!;
  const block = normal(BLOCK_LENGTH);
  return { config, clip: madeClip(config, 'benchmark weights', (wanted) => values(wanted, block)) };
}

/** A prime, so that the rows of a matrix differ. */
const BLOCK_LENGTH = 65_537;

/** Values [start, start + length) of a tensor: layer norms start at 1, the rest keeps activations near unit variance. */
function values({ name, shape, start, length }: WantedNumbers, block: Float32Array): Float32Array {
  const columns = shape.slice(1).reduce((size, axis) => size * axis, 1);
  if (/norm\d?\.weight$/.test(name) || name === 'logit_scale') return new Float32Array(length).fill(1);
  if (name.endsWith('.bias')) return new Float32Array(length);
  const std = name.includes('embedding') && !name.includes('patch') ? 0.02 : columns ** -0.5;
  const scaled = block.map((value) => value * std);
  const out = new Float32Array(length);
  for (let at = 0; at < length; ) {
    const from = (start + at) % BLOCK_LENGTH;
    const part = scaled.subarray(from, from + length - at);
    out.set(part, at);
    at += part.length;
  }
  return out;
}
