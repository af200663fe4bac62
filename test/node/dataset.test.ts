import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { classWord, readClasses, readSplit, unusedFolders } from '../../src/node/dataset.js';
import { expectInputError } from '../clip/checkpoint/support.js';

let root: string;
let data: string;
let made = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'dataset-'));
});
beforeEach(() => {
  data = join(root, String(made++));
});
afterAll(() => rm(root, { recursive: true }));

/** Empty files below `data`, with their folders. */
async function files(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(join(data, path, '..'), { recursive: true });
    await writeFile(join(data, path), '');
  }
}

const folders = async (...args: Parameters<typeof readClasses>) =>
  (await readClasses(...args)).map(({ folder }) => folder);

const relativePaths = (images: readonly { path: string; label: number }[] | undefined) =>
  images?.map(({ path, label }) => [path.slice(data.length + 1), label]);

describe('classes', () => {
  beforeEach(() =>
    files('train/great_joy/a.png', 'train/awe/a.png', 'train/Zeal/a.png', 'train/.hidden/a.png', 'train/x.png'),
  );

  test('are the folders, sorted by code unit, with readable words', async () => {
    expect(await readClasses(data, 'train')).toEqual([
      { folder: 'Zeal', word: 'Zeal' },
      { folder: 'awe', word: 'awe' },
      { folder: 'great_joy', word: 'great joy' },
    ]);
    expect(['a_b-c', '__a__b__', 'plain'].map(classWord)).toEqual(['a b c', 'a b', 'plain']);
  });

  test('come from classes.json, a list or words by folder, unless an option names them', async () => {
    await writeFile(join(data, 'classes.json'), '["great_joy", "awe"]');
    expect(await readClasses(data, 'train')).toEqual([
      { folder: 'great_joy', word: 'great joy' },
      { folder: 'awe', word: 'awe' },
    ]);
    await writeFile(join(data, 'classes.json'), '{"awe": "wonder", "Zeal": "eager zeal"}');
    expect(await readClasses(data, 'train')).toEqual([
      { folder: 'awe', word: 'wonder' },
      { folder: 'Zeal', word: 'eager zeal' },
    ]);
    expect(await readClasses(data, 'train', 'great_joy = pure joy , awe')).toEqual([
      { folder: 'great_joy', word: 'pure joy' },
      { folder: 'awe', word: 'awe' },
    ]);
    const unused = await unusedFolders(data, 'train', [{ folder: 'awe', word: '' }]);
    expect(unused).toEqual(['Zeal', 'great_joy']);
  });

  test('a classes.json that cannot be read is not passed over', async () => {
    await mkdir(join(data, 'classes.json'));
    await expectInputError(readClasses(data, 'train'), /classes\.json: expected a file/);
    await expectInputError(readClasses(join(data, 'train/x.png'), 'train'), /cannot be listed \(it is a file\)/);
  });

  test('folders whose words CLIP reads as one are refused', async () => {
    await files('train/great-joy/a.png');
    await expectInputError(
      readClasses(data, 'train'),
      /train: classes "great-joy" and "great_joy" have the same word "great joy"/,
    );
    expect(await folders(data, 'train', 'great-joy=delight,great_joy')).toEqual(['great-joy', 'great_joy']);
  });

  test('links to folders are classes, links to nowhere are not', async () => {
    await files('elsewhere/a.jpg');
    await symlink(join(data, 'elsewhere'), join(data, 'train/fear'));
    await symlink(join(data, 'nowhere'), join(data, 'train/lost'));
    expect(await folders(data, 'train')).toEqual(['Zeal', 'awe', 'fear', 'great_joy']);
    const fear = [{ folder: 'fear', word: 'fear' }];
    expect(relativePaths(await readSplit(data, 'train', fear))).toEqual([['train/fear/a.jpg', 0]]);
  });
});

describe('images of a split', () => {
  const classes = ['b', 'a'].map((folder) => ({ folder, word: folder }));

  test('come in class order, then by file name; only .jpg, .jpeg and .png, and no hidden ones', async () => {
    await files(
      'train/a/2.png',
      'train/a/10.JPG',
      'train/b/x.jpeg',
      'train/b/notes.txt',
      'train/b/.x.png',
      'train/c/1.png',
    );
    await mkdir(join(data, 'train/b/folder.png'));
    const images = await readSplit(data, 'train', classes);
    expect(relativePaths(images)).toEqual([
      ['train/b/x.jpeg', 0],
      ['train/a/10.JPG', 1],
      ['train/a/2.png', 1],
    ]);
  });

  test('a held-out split may be absent or lack a class, a training split may not', async () => {
    await files('test/a/1.png', 'train/a/1.png');
    expect(await readSplit(data, 'val', classes, true)).toBeUndefined();
    await expectInputError(readSplit(data, 'val', classes), /val: not found; expected images in /);
    expect(relativePaths(await readSplit(data, 'test', classes))).toEqual([['test/a/1.png', 1]]);
    await expectInputError(
      readSplit(data, 'train', classes),
      /train\/b: expected images \(\.jpg, \.jpeg, \.png\), found none/,
    );
    await expectInputError(
      readSplit(data, 'test', [{ folder: 'z', word: 'z' }]),
      /test: none of its folders is one of the classes z/,
    );
  });
});
