/** Folders of images: `{train,val,test}/<class>/`, or `<class>/` and a seeded split. */
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { checkDataset, openDataset } from '../../../src/node/datasets.js';
import { classWord, imagesOf, type LabelledPath } from '../../../src/ptdpc/index.js';
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
    expect(warnings).toEqual([
      `${data}/train: images in no folder of a class are left out (1, first x.png)`,
      'not among the classes, so left out: other',
    ]);
    expect(['a_b-c', '__a__b__', 'plain'].map(classWord)).toEqual(['a b c', 'a b', 'plain']);
  });

  test('a name that is nearly a class is asked about, with what is lost', async () => {
    await files('test/Awe/b.png', 'test/aww/b.png', 'test/aww/c.png', 'test/other/b.png');
    expect((await openDataset(data)).warnings.slice(1)).toEqual([
      'not among the classes, so left out: Awe (1 image; did you mean awe?), aww (2 images; did you mean awe?), other',
    ]);
  });

  test('come from classes.json, a list or words by folder, unless an option names them', async () => {
    await writeFile(join(data, 'classes.json'), '["great_joy", "awe"]');
    const { classes, warnings } = await openDataset(data);
    expect(classes).toEqual([
      { folder: 'great_joy', word: 'great joy' },
      { folder: 'awe', word: 'awe' },
    ]);
    expect(warnings.slice(1)).toEqual(['not among the classes, so left out: Zeal']);
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
    await expectInputError(
      openDataset(join(data, 'train/x.png')),
      /x\.png: expected a folder, or a \.csv or \.json manifest, found a file$/,
    );
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

describe('folders of splits', () => {
  const counts = async () => {
    const { splits } = await openDataset(data);
    return [splits.train?.length, splits.val?.length, splits.test?.length];
  };

  test.each([
    ['train', 'valid', 'test'],
    ['Train', 'Validation', 'TEST'],
    ['training', 'Val', 'Testing'],
  ])('%s, %s, %s', async (train, val, test) => {
    await files(`${train}/a/1.png`, `${train}/a/2.png`, `${train}/b/1.png`, `${val}/b/1.png`, `${test}/a/1.png`);
    expect(await counts()).toEqual([3, 1, 1]);
  });

  test('two of one split are refused, and a class may be called valid', async () => {
    await files('train/a/1.png', 'train/b/1.png', 'val/a/1.png', 'valid/a/1.png');
    await expectInputError(openDataset(data), /"val" and "valid" are both folders of val images; expected one/);
    await rm(join(data, 'train'), { recursive: true });
    await rm(join(data, 'val'), { recursive: true });
    await rm(join(data, 'valid'), { recursive: true });
    await files(...[0, 1, 2, 3, 4].flatMap((i) => [`valid/${i}.png`, `invalid/${i}.png`]));
    expect(await folders()).toEqual(['invalid', 'valid']);
  });

  test('other folders with images are said', async () => {
    await files('train/a/1.png', 'train/b/1.png', 'dev/a/1.png', 'more/x.png', 'notes/1.txt', 'empty/a/b/c/1.png');
    expect((await openDataset(data)).warnings).toEqual([`${data}: folders beside train are left out: dev, more`]);
  });
});

describe('images below a class', () => {
  test('are taken from its sub-folders too, but not by links to what the class lies in, nor what systems keep there', async () => {
    await files(
      'train/a/1.png',
      'train/a/day/2.png',
      'train/a/day/late/3.png',
      'train/b/@eaDir/1.png',
      'train/b/1.png',
    );
    await symlink(data, join(data, 'train/b/up'));
    await symlink('day', join(data, 'train/a/same'));
    expect(below((await openDataset(data)).splits.train)).toEqual([
      ['train/a/1.png', 0],
      ['train/a/day/2.png', 0],
      ['train/a/day/late/3.png', 0],
      ['train/b/1.png', 1],
    ]);
  });

  test('are split by their place in the class, since sub-folders may use the same names', async () => {
    const days = Array.from({ length: 10 }, (_, i) => `day ${i}`);
    await files(
      ...days.flatMap((day) => ['a', 'b'].flatMap((name) => [`${name}/${day}/1.png`, `${name}/${day}/2.png`])),
    );
    const { splits, classes } = await openDataset(data);
    expect(classes.map(({ folder }) => folder)).toEqual(['a', 'b']);
    // By their names alone, all of 1.png or all of 2.png would come first.
    const names = new Set(splits.test!.map(({ path }) => path.slice(-5)));
    expect([splits.test!.length, names.size]).toEqual([8, 2]);
  });

  test('masks beside images/ are no classes', async () => {
    await files('images/a/1.png', 'images/b/1.png', 'masks/a/1.png', 'maps/a/1.png');
    expect(await folders()).toEqual(['a', 'b']);
  });
});

describe('names', () => {
  test('accents composed or decomposed are one class, and one word', async () => {
    await files('train/joie/1.png', 'train/gaîté/1.png'.normalize('NFD'), 'train/gaîté/2.png', 'test/gaîté/3.png');
    const { classes, splits, warnings } = await openDataset(data);
    expect(classes).toEqual([
      { folder: 'gaîté', word: 'gaîté' },
      { folder: 'joie', word: 'joie' },
    ]);
    expect([splits.train!.map(({ label }) => label), splits.test!.length, warnings]).toEqual([[0, 0, 1], 1, []]);
    for (const chosen of ['gaîté', 'gaîté'.normalize('NFD')])
      expect((await openDataset(data, { classes: `${chosen}=delight` })).splits.train).toHaveLength(2);
    await writeFile(join(data, 'classes.json'), JSON.stringify(['gaîté'.normalize('NFD')]));
    expect((await openDataset(data)).splits.train).toHaveLength(2);
  });

  test('that are not UTF-8 are said, not counted', async () => {
    await files('train/a/1.png', 'train/b/1.png');
    const latin = (path: string) => Buffer.from(join(data, path), 'latin1');
    await writeFile(latin('train/a/\xe9t\xe9.png'), '');
    await mkdir(latin('train/caf\xe9'));
    await writeFile(latin('train/caf\xe9/1.png'), '');
    const { classes, splits, warnings } = await openDataset(data);
    expect([classes.map(({ folder }) => folder), splits.train!.length]).toEqual([['a', 'b'], 2]);
    expect(warnings).toEqual([
      `names that are not UTF-8 cannot be opened and are left out (2, first ${data}/train/caf\ufffd); rename them`,
    ]);
    const { leftOut } = await checkDataset(data);
    expect(leftOut).toEqual([{ reason: 'lost', count: 2, first: ['train/caf\ufffd', 'train/a/\ufffdt\ufffd.png'] }]);
  });

  test('that are numbers are said, with the option that gives words', async () => {
    await files('train/0_amusement/1.png', 'train/1/1.png');
    const { warnings } = await openDataset(data);
    expect(warnings).toEqual([
      'the classes are called by numbers ("0_amusement", "1"), and so are their prompts; give them words in ' +
        'classes.json, or with --classes 0_amusement=amusement,1=<word>',
    ]);
    expect((await openDataset(data, { classes: '0_amusement=amusement,1=fear' })).warnings).toEqual([]);
    await files('train/2cv/1.png');
    expect((await openDataset(data)).warnings).toEqual([]);
  });
});

describe('images of a split', () => {
  test('come in class order, then by file name; only files named like images, no hidden ones', async () => {
    await files(
      'train/a/2.png',
      'train/a/10.JPG',
      'train/b/x.jpeg',
      'train/b/notes.txt',
      'train/b/.x.png',
      'train/c/1.png',
    );
    await mkdir(join(data, 'train/b/folder.png'));
    await files('train/b/folder.png/1.png');
    const dataset = await openDataset(data, { classes: 'b,a' });
    expect(below(imagesOf(dataset, 'train'))).toEqual([
      ['train/b/folder.png/1.png', 0],
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
      /no images in the layout of fi8; expected \{train,val,test\}\/<class>/,
    );
    await expectInputError(openDataset(data, { fold: 2 }), /--fold 2: folders has no folds/);
  });
});
