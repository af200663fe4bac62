/** A small CLIP with random weights, in memory: for tests that want odd sizes or float64. */
import type { CanonicalClip } from '../../src/clip/checkpoint/index.js';
import { canonicalClip } from '../../src/clip/checkpoint/index.js';
import { type ClipConfig, clipTensors } from '../../src/clip/config.js';
import { randomReals } from './random.js';

export const SMALL_CLIP: ClipConfig = {
  projectionDim: 16,
  activation: 'quick_gelu',
  layerNormEpsilon: 1e-5,
  text: { width: 16, layers: 3, heads: 2, intermediate: 64, context: 24, vocabularySize: 60 },
  vision: { width: 24, layers: 2, heads: 2, intermediate: 96, imageSize: 8, patchSize: 4 },
};

export function randomClip(config = SMALL_CLIP, seed = 3): CanonicalClip {
  const random = randomReals(seed);
  const tensors = new Map(
    clipTensors(config).map(({ name, shape }) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const scale = name === 'logit_scale' ? 1 : 1 / Math.sqrt(shape.at(-1) ?? 1);
      const shift = /norm.*weight$/.test(name) ? 1 : 0;
      const data = random(size).map((value) => shift + value * scale);
      return [name, { shape, data }] as const;
    }),
  );
  const find = (name: string) => {
    const tensor = tensors.get(name);
    if (!tensor) throw new Error(`no tensor ${name}`);
    return tensor;
  };
  return canonicalClip({
    name: 'random',
    format: 'safetensors',
    metadata: new Map(),
    names: () => [...tensors.keys()],
    has: (name) => tensors.has(name),
    shape: (name) => find(name).shape,
    dtype: () => 'F32',
    read: async (name, rows) => {
      const { data, shape } = find(name);
      const columns = data.length / (shape[0] ?? 1);
      return rows ? data.slice(rows.first * columns, (rows.first + rows.count) * columns) : data.slice();
    },
  });
}
