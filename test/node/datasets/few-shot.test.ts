/** A few images of each class, and halves of the classes: what of a data set a training takes. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { openDataset } from '../../../src/node/datasets.js';
import { type DatasetOptions, describeOrigin, type LabelledPath, type Split } from '../../../src/ptdpc/index.js';
import { expectInputError } from '../../clip/checkpoint/support.js';
import { scratchFolder } from '../scratch.js';

const scratch = scratchFolder();
let data: string;
let made = 0;
beforeEach(() => {
  data = scratch(`data-${made++}`);
});

/** Empty files `<split>/<class>/<n>.png`. */
async function images(split: string, counts: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, count] of Object.entries(counts)) {
    for (let i = 0; i < count; i++) {
      const path = join(data, split, name, `${i}.png`);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, '');
    }
  }
}

const open = (options: DatasetOptions = {}) => openDataset(data, options);
const shots = (images: number, seed = 0) => open({ shots: { images, seed } });
const below = (list: readonly LabelledPath[] = []) => list.map(({ path }) => path.slice(data.length + 1));
const perClass = (list: readonly LabelledPath[] = []) => {
  const counts: number[] = [];
  for (const { label } of list) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
};

describe('shots', () => {
  beforeEach(async () => {
    await images('train', { a: 20, b: 12, c: 3 });
    await images('val', { a: 6, b: 2, c: 5 });
    await images('test', { a: 7, b: 7, c: 7 });
  });

  test('keep n training images of each class, at most four to validate, and every test image', async () => {
    const counts = async (n: number) => {
      const { splits } = await shots(n);
      return [splits.train, splits.val, splits.test].map(perClass);
    };
    expect(await counts(1)).toEqual([
      [1, 1, 1],
      [1, 1, 1],
      [7, 7, 7],
    ]);
    expect(await counts(2)).toEqual([
      [2, 2, 2],
      [2, 2, 2],
      [7, 7, 7],
    ]);
    expect(await counts(16)).toEqual([
      [16, 12, 3],
      [4, 2, 4],
      [7, 7, 7],
    ]);
  });

  test('are drawn by the seed, and those of fewer shots are among those of more', async () => {
    const train = async (n: number, seed: number) => below((await shots(n, seed)).splits.train);
    const [four, eight, other] = [await train(4, 0), await train(8, 0), await train(4, 1)];
    expect(eight).toEqual(expect.arrayContaining(four));
    expect(other).not.toEqual(four);
    expect(await train(4, 0)).toEqual(four);
    // Computed apart from this program. Another result would be other training images for everyone who compares.
    expect(await train(2, 1)).toEqual([
      'train/a/10.png',
      'train/a/13.png',
      'train/b/5.png',
      'train/b/9.png',
      'train/c/1.png',
      'train/c/2.png',
    ]);
  });

  test('do not depend on the other classes, their words or their order', async () => {
    const ofA = (list: readonly string[]) => list.filter((path) => path.includes('/a/'));
    const all = below((await shots(4)).splits.train);
    const some = await open({ shots: { images: 4, seed: 0 }, classes: 'c,a=awe' });
    expect(ofA(below(some.splits.train))).toEqual(ofA(all));
  });

  test('are part of the origin; classes that have fewer images are named once', async () => {
    const { origin, warnings } = await shots(16, 3);
    expect(origin).toEqual({ kind: 'given', shots: { images: 16, seed: 3 } });
    expect(describeOrigin(origin)).toBe('split as given by its files, 16 training images of each class by seed 3');
    expect(warnings).toEqual(['--shots 16: fewer training images in b 12, c 3; all of them are used']);
    expect((await shots(3)).warnings).toEqual([]);
  });

  test('of a split that is drawn leave its test images as they are', async () => {
    data = scratch(`data-${made++}`);
    await images('', { a: 20, b: 20 });
    const [few, all] = [await shots(2), await open()];
    expect(below(few.splits.test)).toEqual(below(all.splits.test));
    expect(perClass(few.splits.train)).toEqual([2, 2]);
    expect(below(all.splits.train)).toEqual(expect.arrayContaining(below(few.splits.train)));
  });
});

describe('halves of the classes', () => {
  const splits = ['train', 'test'] as const satisfies Split[];
  beforeEach(async () => {
    for (const split of splits) await images(split, { a: 2, b: 2, c: 2, d: 2, e: 2 });
  });

  test('part the classes in order; of an odd number the base half has one more', async () => {
    const [base, rest] = [await open({ half: 'base' }), await open({ half: 'new' })];
    expect([base, rest].map(({ classes }) => classes.map(({ folder }) => folder))).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]);
    expect([base, rest].map(({ splits: { test } }) => perClass(test))).toEqual([
      [2, 2, 2],
      [2, 2],
    ]);
    for (const path of below(rest.splits.test)) expect(path).toMatch(/^test\/[de]\//);
    expect(rest.origin).toEqual({ kind: 'given', half: 'new' });
    expect(describeOrigin(rest.origin)).toBe('split as given by its files, new half of the classes');
    // The other half takes no part because it was asked to.
    expect([...base.warnings, ...rest.warnings]).toEqual([]);
  });

  test('follow an order of one’s own; the classes of a run are its half already', async () => {
    const folders = async (options: DatasetOptions) => (await open(options)).classes.map(({ folder }) => folder);
    expect(await folders({ half: 'base', classes: 'e,d=delight,a,b' })).toEqual(['e', 'd']);
    const own = ['a', 'b'].map((folder) => ({ folder, word: folder }));
    expect(await folders({ half: 'base', classes: own })).toEqual(['a', 'b']);
  });

  test('of one class there is none', async () => {
    await expectInputError(open({ half: 'new', classes: 'a' }), /--half new: expected at least two classes, found 1/);
  });
});
