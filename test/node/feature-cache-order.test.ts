/** What reading the cache costs does not depend on the order: counted in reads, not in seconds. */
import { rm, utimes, writeFile } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { FeatureCache } from '../../src/node/feature-cache.js';
import { sha256 } from '../../src/node/feature-segment.js';
import { scratchFolder } from './scratch.js';

const wholes: string[] = [];
const rows: number[] = [];

vi.mock(import('../../src/node/feature-segment.js'), async (original) => {
  const segments = await original();
  return {
    ...segments,
    readSegmentFeatures: (path, width) => {
      wholes.push(path);
      return segments.readSegmentFeatures(path, width);
    },
    readSegmentRow: (path, verified, row, width) => {
      rows.push(row);
      return segments.readSegmentRow(path, verified, row, width);
    },
  };
});

const scratch = scratchFolder();
const WIDTH = 8;
const COUNT = 256 * 24;
const image = (i: number) => sha256(`image ${i}`);
const feature = (i: number) => Float32Array.from({ length: WIDTH }, (_, j) => i + j / 100);
const open = (warn?: (line: string) => void) =>
  FeatureCache.open(scratch('cache'), { weights: 'w', config: {}, width: WIDTH, arithmetic: 'cpu' }, warn);

test('in any order, each segment is read and verified once, and then row by row', async () => {
  const filled = await open();
  for (let i = 0; i < COUNT; i++) await filled.add(image(i), feature(i));
  await filled.flush();
  const cache = await open();
  wholes.length = 0;
  // From segment to segment: each is in memory no more when it is asked for again.
  for (let step = 0; step < 4; step++) {
    for (let i = step; i < COUNT; i += 256) expect(await cache.get(image(i))).toEqual(feature(i));
  }
  expect(wholes).toHaveLength(24);
  // Those of the segments that are not in memory.
  expect(rows).toHaveLength(3 * 8);
});

test('a segment that has been exchanged since it was verified is verified again', async () => {
  const warnings: string[] = [];
  const cache = await open((line) => warnings.push(line));
  for (let i = 0; i < COUNT; i += 256) await cache.get(image(i));
  const [first] = wholes.slice(-24);
  wholes.length = 0;
  await utimes(first!, 1, 1);
  expect(await cache.get(image(1))).toEqual(feature(1));
  expect(wholes).toEqual([first]);
  const other = await open((line) => warnings.push(line));
  for (let i = 0; i < COUNT; i += 256) await other.get(image(i));
  await rm(first!);
  await writeFile(first!, 'nonsense');
  expect(await other.get(image(2))).toBeUndefined();
  expect(warnings).toEqual([expect.stringContaining('a damaged file is passed over')]);
});
