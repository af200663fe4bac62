/** Encoding within a budget, and the same features however many images are computed at once. */
import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { clipVision } from '../../src/clip/config.js';
import type { TruncatedImages } from '../../src/clip/image/index.js';
import { VisionTower } from '../../src/clip/towers/index.js';
import { encoderMemory, VISION_TRANSFORMER } from '../../src/encoders/index.js';
import type { CpuOptions } from '../../src/kernels/index.js';
import { openCpu } from '../../src/node/device.js';
import { encodeImages } from '../../src/node/encode-images.js';
import { encodeFiles, encodeSplit, encodeViews } from '../../src/node/encode-splits.js';
import { clipEncoder } from '../../src/node/image-encoder.js';
import { openModelDirectory } from '../../src/node/model-directory.js';
import { imagesPerBatch } from '../../src/ptdpc/index.js';
import { Engine } from '../../src/tensor/index.js';
import { describeOnAll, openTestDevice } from '../support/devices.js';
import { scratchFolder } from './scratch.js';

const FIXTURES = new URL('../fixtures/', import.meta.url).pathname;
const MIB = 2 ** 20;
const scratch = scratchFolder();

describeOnAll('encoding images', (device) => {
  it('holds no more than weights and budget, and gives the same for any budget', async () => {
    await using model = await openModelDirectory(`${FIXTURES}clip-tiny`);
    const names = ['00_640x480_RGB.png', '01_480x640_RGB.png', 'j5_640x480_RGB.jpg'];
    const paths = Array.from({ length: 40 }, (_, i) => `${FIXTURES}preprocess/${names[i % 3]}`);
    const results: Float32Array[] = [];
    for (const budget of [3 * MIB, 12 * MIB, 200 * MIB]) {
      const backend = await openTestDevice(device().kind, { poison: false });
      const engine = new Engine(backend);
      const tower = await VisionTower.load(engine, model.clip, model.config);
      const weights = backend.memory.bytes;
      tower[Symbol.dispose]();
      const { features, encoded } = await encodeImages({ engine, model, paths, memoryBytes: budget });
      expect(encoded).toBe(40);
      expect(backend.memory.peakHeldBytes - weights).toBeLessThanOrEqual(budget);
      results.push(features);
      backend.dispose();
    }
    const sizes = [3, 12, 200].map((mebibytes) =>
      imagesPerBatch(encoderMemory(VISION_TRANSFORMER, clipVision(model.config)), mebibytes * MIB),
    );
    expect(new Set(sizes).size, `batches of ${sizes}`).toBeGreaterThan(1);
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
    // Every third image is the same one.
    const width = model.config.projectionDim;
    expect(results[0]!.slice(3 * width, 6 * width)).toEqual(results[0]!.slice(0, 3 * width));
  });

  it('keeps the pooled features of what it encodes, the same that are encoded by themselves', async () => {
    await using model = await openModelDirectory(`${FIXTURES}clip-tiny`);
    const pooled = clipEncoder(model, 'pooled');
    const paths = ['00_640x480_RGB.png', 'j5_640x480_RGB.jpg'].map((name) => `${FIXTURES}preprocess/${name}`);
    const request = { engine: new Engine(device()), cacheDirectory: scratch(device().kind), memory: 200 * MIB };
    await mkdir(request.cacheDirectory);
    expect((await encodeFiles({ ...request, model, alsoKeep: pooled }, paths)).encoded).toBe(2);
    const kept = await encodeFiles({ ...request, model: pooled }, paths);
    expect([kept.cached, kept.encoded]).toEqual([2, 0]);
    const alone = await encodeFiles({ ...request, model: pooled, cacheDirectory: undefined }, paths);
    expect(kept.features).toEqual(alone.features);
    expect(alone.encoded).toBe(2);
  });

  it('stores random views of an image by its content, apart from its middle', async () => {
    await using model = await openModelDirectory(`${FIXTURES}clip-tiny`);
    const folder = scratch(`views-${device().kind}`);
    await mkdir(`${folder}/moved`, { recursive: true });
    const names = ['00_640x480_RGB.png', '03_100x80_RGB.png'];
    const paths = names.map((name) => `${FIXTURES}preprocess/${name}`);
    const moved = names.map((name, i) => `${folder}/moved/${i}${name}`);
    for (const [i, path] of paths.entries()) await cp(path, moved[i]!);
    const request = { engine: new Engine(device()), cacheDirectory: folder, memory: 200 * MIB, model };
    const images = (list: readonly string[]) => list.map((path, label) => ({ path, label }));
    const classes = names.map((folder) => ({ folder, word: folder }));
    const encode = (list: readonly string[], count: number) => encodeViews(request, images(list), classes, count);

    const first = await encode(paths, 3);
    const all = [first.features, ...first.views!];
    expect(all).toHaveLength(4);
    for (const [i, a] of all.entries()) for (const b of all.slice(i + 1)) expect(a).not.toEqual(b);
    expect(first.features).toEqual((await encodeSplit(request, images(paths), classes)).features);
    // In another place and order, and without an image tower, which nothing needs any more.
    const unused = () => Promise.reject(new Error('all of it is in the cache'));
    const again = await encodeViews({ ...request, vision: unused }, images([...moved].reverse()), classes, 3);
    const rows = (matrix: Float32Array) => [matrix.slice(matrix.length / 2), matrix.slice(0, matrix.length / 2)];
    for (const [v, view] of first.views!.entries())
      expect(rows(again.views![v]!)).toEqual([view.slice(0, view.length / 2), view.slice(view.length / 2)]);
    // Three of more are the same three.
    expect((await encode(paths, 4)).views!.slice(0, 3)).toEqual(first.views);
  });

  it('keeps features of pictures prepared in another way apart', async () => {
    const folder = scratch(`model-${device().kind}`);
    await cp(`${FIXTURES}clip-tiny`, folder, { recursive: true });
    const paths = [`${FIXTURES}preprocess/03_100x80_RGB.png`];
    const cacheDirectory = scratch(`cache-${device().kind}`);
    const encode = async () => {
      await using model = await openModelDirectory(folder);
      return await encodeFiles({ engine: new Engine(device()), cacheDirectory, memory: 200 * MIB, model }, paths);
    };
    const usual = await encode();
    await writeFile(`${folder}/preprocessor_config.json`, JSON.stringify({ image_mean: [0.5, 0.5, 0.5] }));
    const other = await encode();
    expect([usual.encoded, other.encoded, other.cached]).toEqual([1, 1, 0]);
    expect(other.features).not.toEqual(usual.features);
    expect((await encode()).cached).toBe(1);
  });
});

it('finds features in the cache whatever the number of threads that computed them, but not those of other kernels', async () => {
  await using model = await openModelDirectory(`${FIXTURES}clip-tiny`);
  const paths = [`${FIXTURES}preprocess/03_100x80_RGB.png`];
  const encode = async (options: CpuOptions) => {
    const backend = openCpu(options);
    const request = { engine: new Engine(backend), cacheDirectory: scratch('threads'), memory: 200 * MIB, model };
    const { cached } = await encodeFiles(request, paths);
    backend.dispose();
    return { cached, description: backend.description };
  };
  const [one, three] = [await encode({ threads: 1 }), await encode({ threads: 3 })];
  expect(one.description).not.toBe(three.description);
  expect([one.cached, three.cached]).toEqual([0, 1]);
  expect((await encode({ wasm: false })).cached).toBe(0);
  expect((await encode({ wasm: false, threads: 3 })).cached).toBe(1);
});

it('keeps features of images that are cut short apart from those of whole ones, and says which they are', async () => {
  await using model = await openModelDirectory(`${FIXTURES}clip-tiny`);
  const cacheDirectory = scratch('truncated');
  const [whole, cut] = [`${FIXTURES}preprocess/03_100x80_RGB.png`, scratch('cut.jpg')];
  await writeFile(cut, (await readFile(`${FIXTURES}preprocess/j5_640x480_RGB.jpg`)).subarray(0, 60_000));
  const backend = openCpu();
  const encode = (truncated?: TruncatedImages, keeps = true) =>
    encodeFiles(
      {
        ...{ engine: new Engine(backend), model, memory: 200 * MIB, truncated },
        cacheDirectory: keeps ? cacheDirectory : undefined,
      },
      [whole, cut],
    );
  const read = await encode('read');
  expect(read).toMatchObject({ cached: 0, encoded: 2, skipped: [], truncated: [cut] });
  // The whole one is the same to both; the other is no image to whom skips it, though the cache knows it.
  const skipping = await encode();
  expect(skipping).toMatchObject({ cached: 1, encoded: 0, truncated: [], paths: [whole] });
  expect(skipping.skipped).toMatchObject([{ path: cut, reason: expect.stringMatching(/cut short/) as string }]);
  const again = await encode('read');
  expect(again).toMatchObject({ cached: 2, encoded: 0, skipped: [], truncated: [cut] });
  expect(again.features).toEqual(read.features);
  expect((await encode('read', false)).features).toEqual(read.features);
  expect(skipping.features).toEqual(read.features.slice(0, model.config.projectionDim));
  backend.dispose();
});

it('reads no file again that has not changed and whose features are kept', async () => {
  await using model = await openModelDirectory(`${FIXTURES}clip-tiny`);
  const backend = await openTestDevice('cpu');
  const request = { engine: new Engine(backend), model, cacheDirectory: scratch('unread'), memory: 200 * MIB };
  const names = ['00_640x480_RGB.png', '01_480x640_RGB.png'];
  const paths = names.map((name) => scratch(`unread-${name}`));
  for (const [i, name] of names.entries()) await cp(`${FIXTURES}preprocess/${name}`, paths[i]!);
  const first = await encodeFiles(request, paths);
  // The files are younger than what is noted, so their hashes are put down here.
  const lines: string[] = [];
  for (const [i, path] of paths.entries()) {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    lines.push(`${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs} ${first.hashes[1 - i]}\n`);
  }
  await writeFile(scratch('unread/file-hashes.txt'), lines.join(''));
  // They are exchanged, so that it shows whether they are believed.
  const width = model.config.projectionDim;
  const { features, cached, hashes } = await encodeFiles(request, paths);
  expect(cached).toBe(2);
  expect(hashes).toEqual([...first.hashes].reverse());
  expect(features.slice(0, width)).toEqual(first.features.slice(width));
  await writeFile(paths[0]!, await readFile(paths[0]!));
  expect((await encodeFiles(request, paths)).hashes).toEqual([first.hashes[0], first.hashes[0]]);
  backend.dispose();
});
