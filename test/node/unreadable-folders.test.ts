/** Folders without permission in a tree of images. For root every folder is readable, so what the system would answer is made up. */
import { mkdir, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { openDataset } from '../../src/node/datasets.js';
import { listImages, readImageFile } from '../../src/node/image-files.js';
import { expectInputError } from '../clip/checkpoint/support.js';
import { scratchFolder } from './scratch.js';

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const guarded =
    (call: string, body: (path: string, ...rest: never[]) => unknown) =>
    (path: string, ...rest: never[]) => {
      if (!/closed/.test(path)) return body(path, ...rest);
      const message = `EACCES: permission denied, ${call} '${path}'`;
      return Promise.reject(Object.assign(new Error(message), { code: 'EACCES', syscall: call, path }));
    };
  return {
    ...real,
    readdir: guarded('scandir', real.readdir as never),
    readFile: guarded('open', real.readFile as never),
  };
});

const scratch = scratchFolder();
const listed = async (input: string) => (await listImages([scratch(input)])).map((path) => relative(scratch(''), path));

beforeAll(async () => {
  for (const folder of ['data/joy', 'data/closed', 'data/joy/closed', 'closed']) {
    await mkdir(scratch(folder), { recursive: true });
    await writeFile(scratch(`${folder}/1.png`), '');
  }
});

test('stand in the list for the images below, and say why when they are read', async () => {
  expect(await listed('data')).toEqual(['data/closed', 'data/joy/1.png', 'data/joy/closed']);
  await expectInputError(readImageFile(scratch('data/closed')), /data\/closed: cannot be read \(permission denied\)/);
  await expectInputError(readImageFile(scratch('data/joy')), /data\/joy: expected an image file, found a folder/);
});

test('are refused where they were asked for by name', async () => {
  await expectInputError(listed('closed'), /closed: cannot be listed \(permission denied\)/);
});

test('leave the images that a manifest names there to be read, and skipped', async () => {
  await writeFile(
    scratch('data/manifest.csv'),
    'path,label,split\njoy/1.png,joy,train\nclosed/1.png,awe,train\njoy/none.png,awe,train\n',
  );
  const { splits } = await openDataset(scratch('data/manifest.csv'), {});
  expect(splits.train!.map(({ path }) => relative(scratch('data'), path)).sort()).toEqual([
    'closed/1.png',
    'joy/1.png',
  ]);
});

test('that are classes are named', async () => {
  for (const name of ['awe', 'joy', 'closed-class']) await mkdir(scratch(`folders/train/${name}`), { recursive: true });
  await expectInputError(openDataset(scratch('folders'), {}), /closed-class: cannot be listed \(permission denied\)/);
});
