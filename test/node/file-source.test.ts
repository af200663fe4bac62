import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCheckpoint } from '../../src/clip/checkpoint/index.js';
import { openFileSource } from '../../src/node/file-source.js';
import { expectInputError, fixturePath } from '../clip/checkpoint/support.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-source-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('reads ranges, into fresh memory, and nothing beyond the end', async () => {
  const path = join(folder, 'a');
  await writeFile(path, 'hello');
  await using source = await openFileSource(path);
  expect([source.name, source.size]).toEqual([path, 5]);
  const bytes = await source.read(1, 3);
  expect(new TextDecoder().decode(bytes)).toBe('ell');
  expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, 3]);
  expect(await source.read(5, 0)).toHaveLength(0);
  for (const [offset, length] of [
    [3, 3],
    [6, 0],
    [-1, 1],
    [0, 2 ** 40],
    [0.5, 1],
    [0, -1],
    [Number.NaN, 1],
  ] as const) {
    await expectInputError(source.read(offset, length), path);
  }
});

test('opens a checkpoint', async () => {
  await using source = await openFileSource(fixturePath('clip-tiny/openai_torchscript.pt'));
  const checkpoint = await openCheckpoint(source);
  expect(await checkpoint.read('visual.proj')).toHaveLength(128 * 64);
});

test('what cannot be read is named', async () => {
  await expectInputError(
    openFileSource(join(folder, 'nothing')),
    /nothing: cannot be opened \(no such file or folder\)/,
  );
  await expectInputError(openFileSource(folder), folder, /folder/);
  const path = join(folder, 'shrinks');
  await writeFile(path, 'hello');
  await using source = await openFileSource(path);
  await truncate(path, 2);
  await expectInputError(source.read(0, 5), /shrinks: ended after 2 bytes, it had 5/);
  const closed = await openFileSource(path);
  await closed.close();
  await expectInputError(closed.read(0, 1), /shrinks: cannot be read/);
});
