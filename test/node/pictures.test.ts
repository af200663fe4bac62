/** Pictures of a training: the same pixels whether they are kept or decoded again, and views that epochs take in turn. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clipPreprocessing, encodePng } from '../../src/clip/image/index.js';
import { pictureBytes, readPictures } from '../../src/node/pictures.js';
import { randomReals } from '../support/random.js';

const preprocessing = clipPreprocessing(32);
const classes = [
  { folder: 'a', word: 'a' },
  { folder: 'b', word: 'b' },
];
let folder: string;
const images = () => Array.from({ length: 5 }, (_, i) => ({ path: join(folder, `${i}.png`), label: i % 2 }));
const png = (seed: number) =>
  encodePng(
    Uint8Array.from(randomReals(seed)(40 * 30 * 3), (x) => 128 + 100 * x),
    40,
    30,
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ptdpc-pictures-'));
  for (const [i, { path }] of images().entries()) await writeFile(path, png(i));
});
afterAll(() => rm(folder, { recursive: true }));

const read = (keep: boolean, views?: number) => readPictures({ preprocessing, keep, views }, images(), classes);

test('are the same, kept or decoded again, by their places', async () => {
  const [kept, again] = [await read(true), await read(false)];
  const pixels = await again.pixels([3, 0]);
  expect(pixels).toEqual(await kept.pixels([3, 0]));
  expect(pixels[1]).toEqual((await kept.pixels([0]))[0]);
  expect(pixels[0]).not.toEqual(pixels[1]);
  expect([...kept.labels]).toEqual([0, 1, 0, 1, 0]);
});

test('epochs take the views in turn', async () => {
  const [kept, again] = [await read(true, 2), await read(false, 2)];
  const [first, second, third] = [await again.pixels([2], 0), await again.pixels([2], 1), await again.pixels([2], 2)];
  expect(second).not.toEqual(first);
  expect(third).toEqual(first);
  for (const [epoch, pixels] of [first, second].entries()) expect(await kept.pixels([2], epoch)).toEqual(pixels);
});

test('a file that has changed is refused by its name', async () => {
  const again = await read(false);
  await writeFile(join(folder, '4.png'), png(99));
  await expect(again.pixels([4])).rejects.toThrow(/4\.png: another file than when the training began/);
  await writeFile(join(folder, '4.png'), png(4));
});

test('take four bytes a pixel', () => {
  expect(pictureBytes(10, preprocessing, 3)).toBe(4 * 10 * 3 * 32 * 32);
});
