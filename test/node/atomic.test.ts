import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import {
  createDirectoryAtomically,
  createFileAtomically,
  directorySink,
  writeFileAtomically,
} from '../../src/node/atomic.js';
import { expectInputError } from '../clip/checkpoint/support.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();

test('a file appears whole, with its parents, or not at all', async () => {
  const path = scratch('a/b/file');
  await createFileAtomically(path, async (sink) => {
    await sink(new Uint8Array([1, 2]));
    await expect(stat(path)).rejects.toThrow('ENOENT');
    await sink(new Uint8Array([3]));
  });
  expect([...(await readFile(path))]).toEqual([1, 2, 3]);
  expect(await readdir(scratch('a/b'))).toEqual(['file']);

  const failing = createFileAtomically(path, async (sink) => {
    await sink(new Uint8Array(10));
    throw new InputError('no more');
  });
  await expectInputError(failing, 'no more');
  expect([...(await readFile(path))]).toEqual([1, 2, 3]);
  await writeFileAtomically(path, 'über');
  expect(await readFile(path, 'utf8')).toBe('über');
  expect(await readdir(scratch('a/b'))).toEqual(['file']);
  await expectInputError(writeFileAtomically(scratch('a'), ''), /a: expected the name of a file to write/);
});

test('a directory appears whole, or not at all, and never over another', async () => {
  const path = scratch('model/v1');
  const fill = (text: string) => async (directory: string) => {
    await mkdir(join(directory, 'sub'));
    await writeFile(join(directory, 'sub/file'), text);
  };
  const failing = createDirectoryAtomically(path, async (directory) => {
    await fill('x')(directory);
    throw new Error('defect');
  });
  await expect(failing).rejects.toThrow('defect');
  // Not even the parent that was made for it stays.
  await expect(stat(scratch('model'))).rejects.toThrow('ENOENT');

  await mkdir(path, { recursive: true });
  await createDirectoryAtomically(path, fill('first'));
  expect(await readFile(join(path, 'sub/file'), 'utf8')).toBe('first');
  expect(await readdir(scratch('model'))).toEqual(['v1']);
  expect((await stat(path)).mode & 0o777).toBe(0o777 & ~process.umask());

  let called = false;
  const second = createDirectoryAtomically(path, async () => {
    called = true;
  });
  await expectInputError(second, /v1: the folder is not empty/);
  expect(called).toBe(false);
  await writeFile(scratch('plain'), '');
  await expectInputError(createDirectoryAtomically(scratch('plain'), fill('')), /plain: expected a folder or nothing/);
  await expectInputError(createDirectoryAtomically(scratch('plain/below'), fill('')), /below: cannot be written/);
});

test('a directory sink takes files one after the other', async () => {
  await mkdir(scratch('sink'));
  const sink = directorySink(scratch('sink'));
  for (const [name, byte] of [
    ['a', 1],
    ['a', 2],
    ['b', 3],
  ] as const)
    await sink.write(name, Uint8Array.of(byte));
  await sink.close();
  const read = async (name: string) => [...(await readFile(scratch(`sink/${name}`)))];
  expect([await read('a'), await read('b')]).toEqual([[1, 2], [3]]);
});
