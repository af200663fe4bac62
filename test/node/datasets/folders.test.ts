/** Folders of images: `{train,val,test}/<class>/`, or `<class>/` and a seeded split. */
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { classWord, openDataset } from '../../../src/node/datasets/index.js';
import { imagesOf, type LabelledPath } from '../../../src/ptdpc/index.js';
import { expectInputError } from '../../clip/checkpoint/support.js';
import { scratchFolder } from '../scratch.js';

const scratch = scratchFolder();
let data: string;
let made = 0;
beforeEach(() => {
  data = scratch(`data-${made++}`);
});

/** Empty files below `data`, with their folders. */
async function files(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(data, path)), { recursive: true });
    await writeFile(join(data, path), '');
  }
}

const folders = async (classes?: string) => (await openDataset(data, { classes })).classes.map(({ folder }) => folder);

const below = (images: readonly LabelledPath[] | undefined) =>
  images?.map(({ path, label }) => [path.slice(data.length + 1), label]);

describe('classes', () => {
  beforeEach(() =>
    files('train/great_joy/a.png', 'train/awe/a.png', 'train/Zeal/a.png', 'train/.hidden/a.png', 'train/x.png'),
  );

  test('are the training folders, sorted by code unit, with readable words', async () => {
    await files('test/awe/b.png', 'test/other/b.png');
    const { classes, setting, origin, warnings } = await openDataset(data);
    expect(classes).toEqual([
      { folder: 'Zeal', word: 'Zeal' },
      { folder: 'awe', word: 'awe' },
      { folder: 'great_joy', word: 'great joy' },
    ]);
    expect([setting, origin]).toEqual(['folders', { kind: 'given' }]);
    expect(warnings).toEqual(['not among the classes, so left out: other']);
    expect(['a_b-c', '__a__b__', 'plain'].map(classWord)).toEqual(['a b c', 'a b', 'plain']);
  });

  test('come from classes.json, a list or words by folder, unless an option names them', async () => {
    await writeFile(join(data, 'classes.json'), '["great_joy", "awe"]');
    const { classes, warnings } = await openDataset(data);
    expect(classes).toEqual([
      { folder: 'great_joy', word: 'great joy' },
      { folder: 'awe', word: 'awe' },
    ]);
    expect(warnings).toEqual(['not among the classes, so left out: Zeal']);
    await writeFile(join(data, 'classes.json'), '{"awe": "wonder", "Zeal": "eager zeal"}');
    expect((await openDataset(data)).classes).toEqual([
      { folder: 'awe', word: 'wonder' },
      { folder: 'Zeal', word: 'eager zeal' },
    ]);
    expect((await openDataset(data, { classes: 'great_joy = pure joy , awe' })).classes).toEqual([
      { folder: 'great_joy', word: 'pure joy' },
      { folder: 'awe', word: 'awe' },
    ]);
  });

  test('of a run may be others than those of the data', async () => {
    const classes = ['anger', 'awe'].map((folder) => ({ folder, word: folder }));
    const dataset = await openDataset(data, { classes });
    expect([dataset.classes, below(dataset.splits.train)]).toEqual([classes, [['train/awe/a.png', 1]]]);
    await expectInputError(() => imagesOf(dataset, 'train'), /class "anger" has no train images/);
  });

  test('a classes.json that cannot be read is not passed over', async () => {
    await mkdir(join(data, 'classes.json'));
    await expectInputError(openDataset(data), /classes\.json: expected a file/);
    await expectInputError(openDataset(join(data, 'train/x.png')), /cannot be listed \(it is a file\)/);
  });

  test('folders whose words CLIP reads as one are refused', async () => {
    await files('train/great-joy/a.png');
    await expectInputError(openDataset(data), /classes "great-joy" and "great_joy" have the same word "great joy"/);
    expect(await folders('great-joy=delight,great_joy')).toEqual(['great-joy', 'great_joy']);
  });

  test('links to folders are classes, links to nowhere are not', async () => {
    await files('elsewhere/a.jpg');
    await symlink(join(data, 'elsewhere'), join(data, 'train/fear'));
    await symlink(join(data, 'nowhere'), join(data, 'train/lost'));
    expect(await folders()).toEqual(['Zeal', 'awe', 'fear', 'great_joy']);
    expect(below((await openDataset(data, { classes: 'fear' })).splits.train)).toEqual([['train/fear/a.jpg', 0]]);
  });
});

describe('images of a split', () => {
  test('come in class order, then by file name; only files named like images, no hidden ones, but a folder called so', async () => {
    await files(
      'train/a/2.png',
      'train/a/10.JPG',
      'train/b/x.jpeg',
      'train/b/notes.txt',
      'train/b/.x.png',
      'train/c/1.png',
    );
    await mkdir(join(data, 'train/b/folder.png'));
    const dataset = await openDataset(data, { classes: 'b,a' });
    // A folder cannot be read as an image, and whoever reads the images says so.
    expect(below(imagesOf(dataset, 'train'))).toEqual([
      ['train/b/folder.png', 0],
      ['train/b/x.jpeg', 0],
      ['train/a/10.JPG', 1],
      ['train/a/2.png', 1],
    ]);
  });

  test('a held-out split may be absent or lack a class, a training split may not', async () => {
    await files('test/a/1.png', 'train/a/1.png', 'train/b/notes.txt');
    const dataset = await openDataset(data);
    expect(dataset.classes.map(({ word }) => word)).toEqual(['a', 'b']);
    expect(dataset.splits.val).toBeUndefined();
    expect(below(imagesOf(dataset, 'test'))).toEqual([['test/a/1.png', 0]]);
    await expectInputError(
      () => imagesOf(dataset, 'val'),
      /no val images of the classes a, b; found train and test images/,
    );
    await expectInputError(() => imagesOf(dataset, 'train'), /class "b" has no train images/);
  });

  test('folders of classes without a split are split by a seed', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `${i}.jpg`);
    await files(...names.map((name) => `joy/${name}`), ...names.map((name) => `images/anger/${name}`), 'fear/1.jpg');
    const first = await openDataset(data);
    expect(first.origin).toEqual({ kind: 'seeded', seed: 0 });
    expect(first.classes.map(({ word }) => word)).toEqual(['fear', 'joy']);
    expect([first.splits.train?.length, first.splits.val, first.splits.test?.length]).toEqual([9, undefined, 2]);
    expect(await openDataset(data)).toEqual(first);
    const other = await openDataset(data, { seed: 1 });
    expect(other.splits.test).not.toEqual(first.splits.test);
    await rm(join(data, 'fear'), { recursive: true });
    await expectInputError(
      openDataset(data, { setting: 'fi8' }),
      /no images as fi8 has them; expected \{train,val,test\}\/<class>/,
    );
    await expectInputError(openDataset(data, { fold: 2 }), /--fold 2: folders has no folds/);
  });
});
