/** `embed`: the numbers, the order, the cache, and unreadable images. */

import { copyFile, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { unzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { bytesSource, openCheckpoint, readFloat32 } from '../../src/clip/checkpoint/index.js';
import { decodeImage, normalizePixels, preprocess } from '../../src/clip/image/index.js';
import { VisionTower } from '../../src/clip/towers/index.js';
import { CpuBackend } from '../../src/kernels/index.js';
import { measureCache } from '../../src/node/feature-cache.js';
import { nodeAdapter } from '../../src/node/gpu.js';
import { loadImageCodecs } from '../../src/node/image-codecs.js';
import { Engine } from '../../src/tensor/index.js';
import { maxError, tinyClip } from '../support/tiny-clip.js';
import { expectRefused, fixture, leastMemory, ptdpc, ptdpcJson, scratchPath, setUpProgram } from './program.js';

setUpProgram();

const PICTURES = ['03_100x80_RGB.png', '06_17x400_RGB.png', '08_500x333_L.png', '10_260x300_P.png', '12_1x1_RGB.png'];

interface Report {
  shape: [number, number];
  device: string;
  cached: number;
  encoded: number;
  skipped: { path: string; reason: string }[];
  truncated: string[];
}

/** A folder with the pictures; two of them in a folder below, under other spellings of the extension. */
async function pictureFolder(name: string): Promise<string> {
  const folder = scratchPath(name);
  await mkdir(join(folder, 'below'), { recursive: true });
  const names = ['z.png', 'below/b.PNG', 'a.png', 'below/a.png', 'm.Png'];
  for (const [i, name] of names.entries()) await copyFile(fixture(`preprocess/${PICTURES[i]!}`), join(folder, name));
  await writeFile(join(folder, 'notes.txt'), 'no image');
  await writeFile(join(folder, '.hidden.png'), 'no image');
  return folder;
}

const ORDER = ['a.png', 'below/a.png', 'below/b.PNG', 'm.Png', 'z.png'];

async function readFeatures(path: string) {
  const checkpoint = await openCheckpoint(bytesSource(path, await readFile(path)));
  return {
    features: await readFloat32(checkpoint, 'image_features'),
    shape: checkpoint.shape('image_features'),
    files: JSON.parse(checkpoint.metadata.get('files') ?? 'null') as string[],
  };
}

/** What the tower gives for one picture at a time, on the plain CPU backend. */
async function directFeatures(paths: readonly string[]): Promise<Float32Array> {
  const { clip, config } = await tinyClip('clip-tiny');
  const backend = new CpuBackend();
  const engine = new Engine(backend);
  const rows: Float32Array[] = [];
  using tower = await VisionTower.load(engine, clip, config);
  for (const path of paths) {
    const rgb = preprocess(await decodeImage(await readFile(path), path), 32);
    using features = engine.scope(() => tower.encode(engine.tensor(normalizePixels(rgb, 32), [1, 3, 32, 32])).features);
    rows.push(await features.read());
  }
  return Float32Array.from(rows.flatMap((row) => [...row]));
}

const model = ['--model', fixture('clip-tiny')];

test('a .npy has the same features alone, a .npz also what is known of them', async () => {
  const folder = await pictureFolder('for-numpy');
  const embed = (out: string) =>
    ptdpcJson(['embed', '--model', fixture('clip-tiny'), folder, '--out', out, '--device', 'cpu', '--no-cache']);
  for (const out of ['f.safetensors', 'f.npy', 'f.npz']) await embed(out);
  const { features, files } = await readFeatures(scratchPath('f.safetensors'));
  const npy = await readFile(scratchPath('f.npy'));
  expect(npy.subarray(0, 6).toString('latin1')).toBe('\x93NUMPY');
  const data = npy.subarray(-features.byteLength);
  expect(data.equals(Buffer.from(features.buffer, features.byteOffset, features.byteLength))).toBe(true);
  const arrays = unzipSync(await readFile(scratchPath('f.npz')));
  expect(Object.keys(arrays)).toEqual(['image_features.npy', 'files.npy', 'normalized.npy', 'model_sha256.npy']);
  expect(npy.equals(arrays['image_features.npy']!)).toBe(true);
  // Names of fixed length, in UTF-32.
  const names = Buffer.from(arrays['files.npy']!.subarray(128)).toString('latin1').replaceAll('\0', '');
  expect(names).toBe(files.join(''));
});

test('features equal the tower, sorted by path; the second run computes nothing', async () => {
  const folder = await pictureFolder('pictures');
  const out = scratchPath('features.safetensors');
  const args = ['embed', folder, ...model, '--device', 'cpu', '--out', out];
  const first = await ptdpcJson<Report>(args);
  expect(first).toMatchObject({ shape: [5, 64], cached: 0, encoded: 5, skipped: [] });
  const { features, shape, files } = await readFeatures(out);
  expect(shape).toEqual([5, 64]);
  expect(files).toEqual(ORDER.map((name) => join(folder, name)));
  const direct = await directFeatures(files);
  expect(Math.max(...direct.map(Math.abs))).toBeGreaterThan(0.1);
  expect(maxError(features, direct)).toBeLessThan(1e-5);

  const bytes = await readFile(out);
  expect(await ptdpcJson<Report>(args)).toMatchObject({ cached: 5, encoded: 0 });
  expect(await readFile(out)).toEqual(bytes);

  // Found by content: a copy under another name is known, in any order; a changed picture is not.
  await copyFile(join(folder, 'z.png'), join(folder, 'copy.png'));
  await copyFile(fixture('preprocess/09_300x451_RGBA.png'), join(folder, 'a.png'));
  expect(await ptdpcJson<Report>(args)).toMatchObject({ shape: [6, 64], cached: 5, encoded: 1 });
  expect(await ptdpcJson<Report>([...args, '--no-cache'])).toMatchObject({ cached: 0, encoded: 6 });
  // Another model shares nothing, nor does another cache.
  const other = ['embed', folder, '--model', fixture('clip-tiny-gelu'), '--device', 'cpu', '--out', out];
  expect(await ptdpcJson<Report>(other)).toMatchObject({ cached: 0, encoded: 6 });
  expect(await ptdpcJson<Report>([...args, '--cache', scratchPath('mine')])).toMatchObject({ cached: 0, encoded: 6 });
  expect((await measureCache(scratchPath('mine'))).origins).toBe(1);
});

test('the batch size does not matter', async () => {
  const folder = await pictureFolder('batches');
  const [small, large] = [scratchPath('small.st'), scratchPath('large.st')];
  const args = ['embed', folder, ...model, '--device', 'cpu', '--no-cache'];
  await ptdpcJson([...args, '--out', large]);
  // Room for two pictures at a time.
  await ptdpcJson([...args, '--out', small, '--memory', await leastMemory([...args, '--out', small])]);
  const [a, b] = [await readFeatures(small), await readFeatures(large)];
  expect(a.files).toEqual(b.files);
  expect(maxError(a.features, b.features)).toBeLessThan(1e-5);
  await expectRefused(
    [...args, '--out', small, '--memory', '1KiB'],
    /--memory: encoding one image .* needs \d\.\d MiB/,
  );
});

test('JPEG files', async () => {
  const [picture, out] = [fixture('preprocess/j0_640x427_RGB.jpg'), scratchPath('jpeg.st')];
  await ptdpcJson(['embed', picture, ...model, '--device', 'cpu', '--out', out]);
  loadImageCodecs();
  const { features, files } = await readFeatures(out);
  expect(files).toEqual([picture]);
  expect(maxError(features, await directFeatures([picture]))).toBeLessThan(1e-5);
});

test('truncated images are skipped, or read and listed with --truncated read', async () => {
  const folder = await pictureFolder('truncated');
  const cut = join(folder, 'below/b.PNG');
  await truncate(cut, 10_000);
  const out = scratchPath('truncated.st');
  const args = ['embed', folder, ...model, '--device', 'cpu', '--out', out];
  expect(await ptdpcJson<Report>(args)).toMatchObject({ shape: [4, 64], truncated: [], skipped: [{ path: cut }] });
  // Known or not.
  for (const encoded of [1, 0]) {
    const report = await ptdpcJson<Report>([...args, '--truncated', 'read']);
    expect(report).toMatchObject({ shape: [5, 64], encoded, truncated: [cut], skipped: [] });
  }
  const checkpoint = await openCheckpoint(bytesSource(out, await readFile(out)));
  expect(JSON.parse(checkpoint.metadata.get('truncated') ?? '')).toEqual([cut]);
  const { stderr } = await ptdpc([...args, '--truncated', 'read', '--strict']);
  expect(stderr).toMatch(/1 truncated image read as far as they go:\n {2}.*b\.PNG\n/);
  await expectRefused([...args, '--truncated', 'no'], /--truncated <how>.*Allowed choices are skip, read/);
});

test('unreadable images are skipped and listed, or refused with --strict', async () => {
  const folder = await pictureFolder('damaged');
  await truncate(join(folder, 'below/b.PNG'), 3000);
  await writeFile(join(folder, 'm.Png'), '<html>not found</html>');
  await writeFile(join(folder, 'z.png'), '');
  const out = scratchPath('damaged.st');
  const args = ['embed', folder, ...model, '--device', 'cpu', '--out', out];
  const { code, stderr } = await ptdpc(args);
  expect(code).toBe(0);
  expect(stderr).toMatch(/3 unreadable images skipped:\n.*b\.PNG: .*\n.*m\.Png: .*\n.*z\.png: .*an empty file\n/);
  const { files, features } = await readFeatures(out);
  expect(files.map((path) => basename(path))).toEqual(['a.png', 'a.png']);
  expect(maxError(features, await directFeatures(files))).toBeLessThan(1e-5);
  expect((await ptdpcJson<Report>(args)).skipped.map(({ path }) => path)).toEqual(
    ['below/b.PNG', 'm.Png', 'z.png'].map((name) => join(folder, name)),
  );
  const strictOut = scratchPath('strict.st');
  await expectRefused([...args, '--strict', '--out', strictOut], /b\.PNG: /);
  await expect(readFile(strictOut)).rejects.toThrow('ENOENT');
});

test('a damaged cache is passed over', async () => {
  const folder = await pictureFolder('cached');
  const [cache, out] = [scratchPath('damaged-cache'), scratchPath('cached.st')];
  const args = ['embed', folder, ...model, '--device', 'cpu', '--cache', cache, '--out', out];
  await ptdpcJson(args);
  const good = await readFile(out);
  const [key] = await readdir(cache);
  const [segment] = await readdir(join(cache, key!));
  const path = join(cache, key!, segment!);
  const bytes = await readFile(path);
  for (const damage of [bytes.subarray(0, 700), bytes.with(bytes.length - 5, bytes.at(-5)! ^ 1), Buffer.from('no')]) {
    await writeFile(path, damage);
    const { code, stderr } = await ptdpc(args);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/a damaged file is passed over: .*\n5 images encoded/)]);
    expect(await readFile(out)).toEqual(good);
  }
  await writeFile(join(scratchPath('occupied')), 'a file');
  const occupied = ['embed', folder, ...model, '--device', 'cpu', '--out', out, '--cache', scratchPath('occupied')];
  const { code, stderr } = await ptdpc(occupied);
  expect([code, await readFile(out)]).toEqual([0, good]);
  expect(stderr.match(/features are not kept/g)).toHaveLength(1);
  expect(stderr).toMatch(
    /^features are not kept: .*occupied.*: expected a folder, found a file; --cache <dir> keeps them elsewhere$/m,
  );

  const shown = await ptdpcJson<{ origins: number; segments: number; bytes: number }>(['cache', '--cache', cache]);
  expect(shown).toMatchObject({ origins: 1, segments: 1, bytes: (await stat(path)).size });
  await expectRefused(['cache', '--cache', 'none'], /^ptdpc: --cache none: no such folder$/);
  expect((await ptdpc(['cache', '--cache', cache, '--clear'])).stdout).toMatch(
    /: removed 0\.0 MB in 1 file, for 1 combination/,
  );
  expect(await readdir(cache)).toEqual([]);
});

test('bad inputs are refused before anything is computed', async () => {
  const empty = scratchPath('empty-folder');
  await mkdir(empty);
  const out = ['--out', scratchPath('never.st')];
  const picture = fixture('preprocess/12_1x1_RGB.png');
  await expectRefused(
    ['embed', 'none.jpg', ...model, ...out],
    /none\.jpg: cannot be opened \(no such file or folder\)/,
  );
  await expectRefused(['embed', empty, ...model, ...out], /empty-folder: no images in this folder/);
  await expectRefused(['embed', picture, ...model, '--out', empty], /empty-folder: expected the name of a file/);
  const text = fixture('preprocess/cases.json');
  await expectRefused(['embed', text, ...model, ...out], /none of 1 images can be read.*expected a JPEG.* image/);
  const noDriver = { VK_ICD_FILENAMES: '/nonexistent', VK_DRIVER_FILES: '/nonexistent' };
  if (process.platform === 'linux') {
    const { code, stderr } = await ptdpc(['embed', picture, ...model, ...out, '--device', 'webgpu'], noDriver);
    expect([code, stderr.trim().split('\n').at(-1)]).toEqual([
      2,
      expect.stringMatching(/^ptdpc: --device webgpu: no WebGPU adapter on this machine; install/),
    ]);
  }
  await expect(readFile(scratchPath('never.st'))).rejects.toThrow('ENOENT');
});

describe.skipIf(!(await nodeAdapter().catch(() => null)))('on webgpu', () => {
  test('the same features, and a cache of its own', async () => {
    const folder = await pictureFolder('webgpu');
    const out = scratchPath('webgpu.st');
    const args = ['embed', folder, ...model, '--device', 'webgpu', '--out', out];
    const report = await ptdpcJson<Report>(args);
    expect(report).toMatchObject({ cached: 0, encoded: 5, device: expect.stringMatching(/^WebGPU, /) });
    const { features, files } = await readFeatures(out);
    expect(maxError(features, await directFeatures(files))).toBeLessThan(1e-4);
    expect(await ptdpcJson<Report>(args)).toMatchObject({ cached: 5, encoded: 0 });
    const trusting = await ptdpcJson<Report>([...args, '--trust-shaders', '--no-cache']);
    expect(trusting).toMatchObject({ encoded: 5, device: expect.stringMatching(/trusted shaders\]$/) });
    expect((await readFeatures(out)).features).toEqual(features);
  });
});

test('shaders are trusted only where there are some', async () => {
  const image = fixture('preprocess/03_100x80_RGB.png');
  await expectRefused(
    ['embed', image, ...model, '--device', 'cpu', '--trust-shaders', '--out', scratchPath('never.st')],
    /^ptdpc: --trust-shaders: expected --device webgpu or auto, found --device cpu, which runs no shaders$/,
  );
});
