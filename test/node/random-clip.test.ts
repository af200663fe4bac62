import { expect, test } from 'vitest';
import { ARCHITECTURES, clipTensors, validateShapes } from '../../src/clip/config.js';
import { VisionTower } from '../../src/clip/towers/index.js';
import { CpuBackend } from '../../src/kernels/index.js';
import { fillNormal, randomClipCheckpoint } from '../../src/node/random-clip.js';
import { weightCount } from '../../src/node/write-model-directory.js';
import { Engine } from '../../src/tensor/index.js';
import { randomReals } from '../support/random.js';
import { SMALL_CLIP } from '../support/random-clip.js';

function moments(values: ArrayLike<number>) {
  const data = Array.from(values);
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const about = (power: number) => data.reduce((sum, value) => sum + (value - mean) ** power, 0) / data.length;
  return { mean, std: Math.sqrt(about(2)), kurtosis: about(4) / about(2) ** 2 };
}

test('the deviates are normal', () => {
  const values = new Float32Array(1_000_001);
  fillNormal(values, 2, 5);
  const { mean, std, kurtosis } = moments(values);
  expect(Math.abs(mean)).toBeLessThan(0.01);
  expect(Math.abs(std - 2)).toBeLessThan(0.01);
  expect(Math.abs(kurtosis - 3)).toBeLessThan(0.03);
  const within = values.reduce((count, value) => count + (Math.abs(value) < 2 ? 1 : 0), 0) / values.length;
  expect(Math.abs(within - 0.6827)).toBeLessThan(0.002);
  // Neighbours, and the two of a pair, are independent.
  for (const lag of [1, 2]) {
    let sum = 0;
    for (let i = lag; i < values.length; i++) sum += values[i]! * values[i - lag]!;
    expect(Math.abs(sum / values.length / 4)).toBeLessThan(0.005);
  }
});

test('the published architectures have the published numbers of weights', () => {
  const millions = [...ARCHITECTURES].map(([name, config]) => [name, Math.round(weightCount(config) / 1e5) / 10]);
  expect(millions).toEqual([
    ['ViT-B/32', 151.3],
    ['ViT-B/16', 149.6],
    ['ViT-L/14', 427.6],
  ]);
});

test("CLIP's initialisation, from seed and name alone", async () => {
  const config = ARCHITECTURES.get('ViT-B/32')!;
  const checkpoint = randomClipCheckpoint(config, 7);
  validateShapes(checkpoint, config);
  const std = async (name: string) => moments((await checkpoint.read(name)) as Float32Array).std;
  const text = 'text_model.encoder.layers.3';
  expect(await std(`${text}.self_attn.q_proj.weight`)).toBeCloseTo(512 ** -0.5, 3);
  expect(await std(`${text}.self_attn.out_proj.weight`)).toBeCloseTo(512 ** -0.5 * 24 ** -0.5, 3);
  expect(await std(`${text}.mlp.fc1.weight`)).toBeCloseTo(1024 ** -0.5, 3);
  expect(await std(`${text}.mlp.fc2.weight`)).toBeCloseTo(512 ** -0.5 * 24 ** -0.5, 3);
  expect(await std('vision_model.encoder.layers.0.self_attn.k_proj.weight')).toBeCloseTo(768 ** -0.5, 3);
  expect(await std('text_model.embeddings.position_embedding.weight')).toBeCloseTo(0.01, 3);
  expect(await std('text_projection.weight')).toBeCloseTo(512 ** -0.5, 3);
  expect([...((await checkpoint.read('logit_scale')) as Float32Array)]).toEqual([Math.fround(Math.log(1 / 0.07))]);
  expect(await std(`${text}.layer_norm1.weight`)).toBe(0);

  const name = `${text}.mlp.fc2.weight`;
  const [again, other] = [randomClipCheckpoint(config, 7), randomClipCheckpoint(config, 8)];
  const first = async (source: typeof checkpoint, tensor: string) => [
    ...((await source.read(tensor, { first: 0, count: 1 })) as Float32Array),
  ];
  expect(await first(again, name)).toEqual(await first(checkpoint, name));
  expect(await first(other, name)).not.toEqual(await first(checkpoint, name));
  expect(await first(checkpoint, name.replace('.3.', '.4.'))).not.toEqual(await first(checkpoint, name));
});

test('features differ from image to image', async () => {
  const clip = validateShapes(randomClipCheckpoint(SMALL_CLIP, 1), SMALL_CLIP);
  expect(clip.names()).toHaveLength(clipTensors(SMALL_CLIP).length);
  const engine = new Engine(new CpuBackend());
  using tower = await VisionTower.load(engine, clip, SMALL_CLIP);
  const size = SMALL_CLIP.vision.imageSize;
  using features = engine.scope(
    () => tower.encode(engine.tensor(randomReals(2)(2 * 3 * size * size), [2, 3, size, size])).features,
  );
  const data = await features.read();
  const [a, b] = [data.slice(0, 16), data.slice(16)];
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  expect(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))).toBeLessThan(0.99);
});
