/** Folders for output where there can be none, and disks without room. */
import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder, requireSpace, requireWritable } from '../../src/node/make-folder.js';
import { expectInputError } from '../clip/checkpoint/support.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();

test('makes a folder with those above it, and says which was the topmost', async () => {
  expect(await makeFolder(scratch('a/b/c'))).toBe(scratch('a'));
  expect((await stat(scratch('a/b/c'))).isDirectory()).toBe(true);
  expect(await makeFolder(scratch('a/b/c'))).toBeUndefined();
  expect(await makeFolder(scratch('a/b/d'))).toBe(scratch('a/b/d'));
  await symlink(scratch('a'), scratch('link'));
  expect(await makeFolder(scratch('link/e'))).toBe(scratch('link/e'));
  expect((await readdir(scratch('a'))).sort()).toEqual(['b', 'e']);
});

test('of many that make the same, all have it', async () => {
  const made = await Promise.all(Array.from({ length: 20 }, () => makeFolder(scratch('x/y/z'))));
  expect(made.filter((one) => one === scratch('x'))).toHaveLength(1);
});

test('refuses what cannot be, at once', async () => {
  await writeFile(scratch('file'), '');
  await expect(makeFolder(scratch('file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(scratch('file/a/b'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  await symlink(scratch('nowhere'), scratch('broken'));
  await expect(makeFolder(scratch('broken/a'))).rejects.toMatchObject({ code: 'EEXIST' });
  // Here Node's own recursive mkdir never ends.
  if (process.platform === 'linux') await expect(makeFolder('/proc/x/b')).rejects.toMatchObject({ code: 'ENOENT' });
});

test('room on the disk is asked of the nearest folder that is there', async () => {
  await mkdir(scratch('room'));
  await requireSpace(join(scratch('room'), 'a/b/file'), 1);
  await expectInputError(
    requireSpace(scratch('room/a'), 1e18),
    /room\/a: needs 1000000000000\.0 MB, and its disk has \d+\.\d MB left$/,
  );
  await requireWritable(scratch('room/a/b/file'));
  await writeFile(scratch('room/text'), '');
  await expectInputError(
    requireWritable(scratch('room/text/b')),
    /text\/b: cannot be written \(a part of the path is a file, not a folder\)$/,
  );
});
