import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { clearCache, FeatureCache, type FeatureOrigin, measureCache } from '../../src/node/feature-cache.js';
import { sha256 } from '../../src/node/feature-segment.js';
import { SMALL_CLIP } from '../support/random-clip.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();
const origin: FeatureOrigin = { weights: 'w', config: SMALL_CLIP, width: SMALL_CLIP.projectionDim, arithmetic: 'cpu' };
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
    { ...origin, arithmetic: 'webgpu' },
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

test('segments of single images are merged, and processes that know them by name find them still', async () => {
  const count = 60;
  const open = () => FeatureCache.open(scratch('single'), origin, (message) => warnings.push(message));
  const warnings: string[] = [];
  // As one call of `predict` after the other leaves them.
  const early = await open();
  for (let i = 0; i < count; i++) {
    const cache = i < 10 ? early : await open();
    await cache.add(image(i), feature(i));
    await cache.flush();
  }
  const last = await open();
  expect((await readdir(last.directory)).length).toBeLessThanOrEqual(16);
  for (const cache of [early, last]) for (let i = 0; i < 10; i++) expect(await cache.get(image(i))).toEqual(feature(i));
  for (let i = 10; i < count; i++) expect(await last.get(image(i))).toEqual(feature(i));
  expect(last.size).toBe(count);
  expect(warnings).toEqual([]);
});

test('a cache that cannot be written is worth one warning, and no more', async () => {
  await writeFile(scratch('occupied'), 'a file');
  for (const place of [scratch('occupied'), '/sys/ptdpc-cache']) {
    const warnings: string[] = [];
    const cache = await FeatureCache.open(place, origin, (message) => warnings.push(message));
    for (let i = 0; i < 300; i++) await cache.add(image(i), feature(i));
    await cache.flush();
    expect(warnings).toEqual([
      expect.stringMatching(/^features are not kept: .*; --cache <dir> keeps them elsewhere$/),
    ]);
    expect(warnings[0]).toContain(place);
  }
});

test('is measured and emptied, and what else lies there stays', async () => {
  const folder = scratch('measured');
  expect(await measureCache(folder)).toEqual({ origins: 0, segments: 0, bytes: 0 });
  let bytes = 0;
  for (const weights of ['a', 'b']) {
    const cache = await FeatureCache.open(folder, { ...origin, weights });
    await cache.add(image(0), feature(0));
    await cache.flush();
    for (const name of await readdir(cache.directory)) bytes += (await stat(`${cache.directory}/${name}`)).size;
  }
  await mkdir(`${folder}/tuning`);
  expect(await measureCache(folder)).toEqual({ origins: 2, segments: 2, bytes });
  expect(await clearCache(folder)).toEqual({ origins: 2, segments: 2, bytes });
  expect(await readdir(folder)).toEqual(['tuning']);
});
