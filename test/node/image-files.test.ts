import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { listImages, readImageFile } from '../../src/node/image-files.js';
import { expectInputError } from '../clip/checkpoint/support.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();
const listed = async (...inputs: string[]) =>
  (await listImages(inputs.map(scratch))).map((path) => relative(scratch(''), path));

beforeAll(async () => {
  for (const folder of ['data/joy', 'data/awe/deep', 'data/.git', 'empty', 'elsewhere']) {
    await mkdir(scratch(folder), { recursive: true });
  }
  const files = ['joy/2.jpg', 'joy/10.JPEG', 'joy/a.txt', 'joy/.b.png', 'awe/deep/x.PnG', '.git/x.png', 'Z.png', 'jpg'];
  for (const file of files) await writeFile(scratch(`data/${file}`), file);
  await writeFile(scratch('elsewhere/e.png'), '');
  await symlink(scratch('elsewhere'), scratch('data/linked'));
  await symlink(scratch('data'), scratch('data/awe/loop'));
  await symlink(scratch('data/joy/2.jpg'), scratch('data/awe/same.jpg'));
  await symlink(scratch('gone.png'), scratch('data/awe/dangling.png'));
});

test('finds images by extension, sorted by path, through links but not in circles', async () => {
  expect(await listed('data')).toEqual([
    'data/Z.png',
    'data/awe/dangling.png',
    'data/awe/deep/x.PnG',
    'data/awe/same.jpg',
    'data/joy/10.JPEG',
    'data/joy/2.jpg',
    'data/linked/e.png',
  ]);
});

test('files stand for themselves, and nothing is listed twice', async () => {
  const inputs = ['data/joy', 'data/joy/a.txt', 'data/joy/2.jpg', 'data/joy/.b.png', 'data/joy/2.jpg'];
  expect(await listed(...inputs)).toEqual(['data/joy/.b.png', 'data/joy/10.JPEG', 'data/joy/2.jpg', 'data/joy/a.txt']);
});

test('what is missing is named', async () => {
  await expectInputError(listed('empty'), /empty: no images in this folder; expected \.jpg/);
  await expectInputError(listed('data/none'), /none: cannot be opened \(no such file or folder\)/);
  await expectInputError(
    readImageFile(scratch('data/awe/dangling.png')),
    /dangling\.png: cannot be opened \(no such file or folder\)/,
  );
  await expectInputError(readImageFile('/dev/zero'), /zero: expected an image file/);
});

test('names that are not UTF-8, of images and of folders, are listed, and refused with what to do', async () => {
  const latin = (path: string) => Buffer.from(scratch(path), 'latin1');
  await mkdir(latin('latin/caf\xe9'), { recursive: true });
  await writeFile(latin('latin/\xe9t\xe9.png'), '');
  const paths = await listed('latin');
  expect(paths).toEqual(['latin/caf\ufffd', 'latin/\ufffdt\ufffd.png']);
  for (const path of paths)
    await expectInputError(readImageFile(scratch(path)), /\ufffd.* \(its name is not UTF-8: rename it\)$/);
});
