import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { FeatureCache, type FeatureOrigin } from '../../src/node/feature-cache.js';
import { sha256 } from '../../src/node/feature-segment.js';
import { SMALL_CLIP } from '../support/random-clip.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();
const origin: FeatureOrigin = { weights: 'w', config: SMALL_CLIP, width: SMALL_CLIP.projectionDim, device: 'cpu' };
const width = SMALL_CLIP.projectionDim;
const image = (i: number) => sha256(`image ${i}`);
const feature = (i: number) => Float32Array.from({ length: width }, (_, j) => i + j / 100);

test('keeps features over many segments, and each as it was stored', async () => {
  const count = 6000;
  const cache = await FeatureCache.open(scratch('many'), origin);
  await expect(readdir(cache.directory)).rejects.toThrow('ENOENT');
  for (let i = 0; i < count; i++) await cache.add(image(i), feature(i));
  // An interruption at this point loses only what has not filled a segment.
  const interrupted = await FeatureCache.open(scratch('many'), origin);
  expect(interrupted.size).toBe(count - (count % 256));
  await cache.flush();
  await cache.flush();
  const names = await readdir(cache.directory);
  expect(names).toHaveLength(Math.ceil(count / 256));
  expect(names.every((name) => /^[0-9a-f]{16}\.safetensors$/.test(name))).toBe(true);

  const again = await FeatureCache.open(scratch('many'), origin);
  expect(again.size).toBe(count);
  for (let i = 0; i < count; i += 7) expect(await again.get(image(i))).toEqual(feature(i));
  expect(await again.get(image(count))).toBeUndefined();
});

test('what a feature depends on tells caches apart', async () => {
  const cache = await FeatureCache.open(scratch('origins'), origin);
  await cache.add(image(0), feature(0));
  await cache.flush();
  const others: FeatureOrigin[] = [
    { ...origin, weights: 'other' },
    { ...origin, device: 'webgpu' },
    { ...origin, config: { ...SMALL_CLIP, activation: 'gelu' } },
    { ...origin, config: { ...SMALL_CLIP, vision: { ...SMALL_CLIP.vision, imageSize: 16 } } },
  ];
  for (const other of others) expect((await FeatureCache.open(scratch('origins'), other)).size).toBe(0);
  expect((await FeatureCache.open(scratch('origins'), { ...origin })).size).toBe(1);
});

test('two writers do not disturb each other', async () => {
  const [a, b] = [await FeatureCache.open(scratch('two'), origin), await FeatureCache.open(scratch('two'), origin)];
  for (let i = 0; i < 4; i++) await a.add(image(i), feature(i));
  for (let i = 2; i < 6; i++) await b.add(image(i), feature(i));
  await Promise.all([a.flush(), b.flush()]);
  const both = await FeatureCache.open(scratch('two'), origin);
  expect(both.size).toBe(6);
  for (let i = 0; i < 6; i++) expect(await both.get(image(i))).toEqual(feature(i));
});
