/** Every named setting, read from the layout in which it is published. */
import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openDataset } from '../../../src/node/datasets.js';
import { type Dataset, NAMED_SETTINGS, type NamedSetting, namedSetting, SPLITS } from '../../../src/ptdpc/index.js';
import { expectInputError } from '../../clip/checkpoint/support.js';
import { writePublished } from '../../support/published-datasets.js';
import { scratchFolder } from '../scratch.js';

const scratch = scratchFolder();
/** Settings with two classes share the folder of those with all. */
const folderOf = (setting: NamedSetting) => scratch(setting.replace(/\d$/, ''));
const WRITTEN: NamedSetting[] = [
  'fi8',
  'emotionroi6',
  'twitter1',
  'twitter2',
  'emoset8',
  'emotion6',
  'artphoto8',
  'abstract8',
  'emotion6ldl',
  'flickrldl8',
  'twitterldl8',
];
const root = (setting: NamedSetting) =>
  setting === 'twitter1' || setting === 'twitter2' ? scratch(setting) : folderOf(setting);

beforeAll(async () => {
  for (const setting of WRITTEN) await writePublished(root(setting), setting);
});

const open = (setting: NamedSetting, options = {}) => openDataset(root(setting), { setting, ...options });

const sizes = ({ splits }: Dataset) => SPLITS.map((split) => splits[split]?.length ?? 0);

/** Images of each class over all splits. */
const perClass = ({ classes, splits }: Dataset) =>
  classes.map((_, c) => SPLITS.flatMap((split) => splits[split] ?? []).filter(({ label }) => label === c).length);

/** What the tests' pictures have per folder: 3 to train, 1 to validate, 2 to test, where the layout has these splits. */
const EXPECTED: Record<NamedSetting, { classes: string; sizes: number[]; perClass: number[] }> = {
  fi8: {
    classes: 'amusement,anger,awe,contentment,disgust,excitement,fear,sadness',
    sizes: [24, 8, 16],
    perClass: Array(8).fill(6),
  },
  fi2: { classes: 'negative,positive', sizes: [24, 8, 16], perClass: [24, 24] },
  emotionroi6: { classes: 'anger,disgust,fear,joy,sadness,surprise', sizes: [18, 0, 12], perClass: Array(6).fill(5) },
  emotionroi2: { classes: 'negative,positive', sizes: [18, 0, 12], perClass: [20, 10] },
  twitter1: { classes: 'negative,positive', sizes: [6, 0, 4], perClass: [5, 5] },
  twitter2: { classes: 'negative,positive', sizes: [6, 0, 4], perClass: [5, 5] },
  emoset8: {
    classes: 'amusement,awe,contentment,excitement,anger,disgust,fear,sadness',
    sizes: [24, 8, 16],
    perClass: Array(8).fill(6),
  },
  emoset2: { classes: 'positive,negative', sizes: [24, 8, 16], perClass: [24, 24] },
  emotion6: { classes: 'anger,disgust,fear,joy,sadness,surprise', sizes: [29, 0, 7], perClass: Array(6).fill(6) },
  artphoto8: {
    classes: 'amusement,anger,awe,contentment,disgust,excitement,fear,sadness',
    sizes: [38, 0, 10],
    perClass: Array(8).fill(6),
  },
  abstract8: {
    classes: 'amusement,anger,awe,contentment,disgust,excitement,fear,sadness',
    sizes: [38, 0, 10],
    perClass: Array(8).fill(6),
  },
  emotion6ldl: {
    classes: 'anger,disgust,fear,joy,sadness,surprise,neutral',
    sizes: [29, 0, 7],
    perClass: [5, 5, 5, 5, 5, 5, 6],
  },
  flickrldl8: {
    classes: 'amusement,awe,contentment,excitement,anger,disgust,fear,sadness',
    sizes: [38, 0, 10],
    perClass: Array(8).fill(6),
  },
  twitterldl8: {
    classes: 'amusement,awe,contentment,excitement,anger,disgust,fear,sadness',
    sizes: [38, 0, 10],
    perClass: Array(8).fill(6),
  },
};

describe.each(NAMED_SETTINGS)('%s', (setting) => {
  test('has its classes in order, its splits, and a warning for its counts', async () => {
    const dataset = await open(setting);
    const expected = EXPECTED[setting];
    expect(dataset.classes.map(({ word }) => word).join()).toBe(expected.classes);
    expect([sizes(dataset), perClass(dataset)]).toEqual([expected.sizes, expected.perClass]);
    const total = namedSetting(setting)!.expected.total.toLocaleString('en-US');
    expect(dataset.warnings.join('\n')).toContain(`${setting}: ${total} images are published, found`);
    const paths = SPLITS.flatMap((split) => dataset.splits[split] ?? []).map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    for (const path of paths) expect(path.startsWith(`${root(setting)}/`)).toBe(true);
  });
});

test('classes are where their folders say, merged by polarity', async () => {
  const [eight, two] = [await open('fi8'), await open('fi2')];
  const positive = ['amusement', 'awe', 'contentment', 'excitement'];
  for (const split of SPLITS) {
    for (const { path, label } of eight.splits[split]!) expect(path).toContain(`/${eight.classes[label]!.word}/`);
    for (const { path, label } of two.splits[split]!) {
      expect(label).toBe(Number(positive.some((word) => path.includes(`/${word}/`))));
    }
    expect(two.splits[split]!.map(({ path }) => path).sort()).toEqual(
      eight.splits[split]!.map(({ path }) => path).sort(),
    );
  }
});

test('a whole data set without a split gets the same one in eight classes and in two', async () => {
  const whole = scratch('fi-whole');
  for (const split of SPLITS) await cp(join(root('fi8'), split), whole, { recursive: true });
  const [eight, two] = await Promise.all((['fi8', 'fi2'] as const).map((setting) => openDataset(whole, { setting })));
  expect(eight!.origin).toEqual({ kind: 'seeded', seed: 0 });
  for (const split of SPLITS) {
    const [a, b] = [eight!, two!].map(({ splits }) => splits[split]!.map(({ path }) => path).sort());
    expect(b).toEqual(a);
  }
  // Names of other cases are the same classes.
  await rename(join(whole, 'awe'), join(whole, 'Awe'));
  const renamed = await openDataset(whole, { setting: 'fi8' });
  expect(renamed.splits.test!.map(({ path }) => path.toLowerCase())).toEqual(
    eight!.splits.test!.map(({ path }) => path.toLowerCase()),
  );
});

test('Twitter I: the fold that is asked for, given by the folders or by seed', async () => {
  const [first, fourth] = [await open('twitter1'), await open('twitter1', { fold: 4 })];
  expect([first.origin, fourth.origin]).toEqual([1, 4].map((fold) => ({ kind: 'given-fold', fold, folds: 5 })));
  expect(fourth.splits.test!.every(({ path }) => path.startsWith(join(root('twitter1'), '4', 'test')))).toBe(true);
  await expectInputError(open('twitter1', { fold: 6 }), /--fold: expected a whole number from 1 to 5, found 6/);
  await expectInputError(
    openDataset(root('twitter2'), { setting: 'twitter1', fold: 2 }),
    /--fold 2: .* a split of its own, and not in folds/,
  );

  const whole = scratch('twitter1-whole');
  await cp(join(root('twitter1'), '1', 'train'), whole, { recursive: true });
  await cp(join(root('twitter1'), '1', 'test'), whole, { recursive: true });
  const folds = await Promise.all([1, 2, 3, 4, 5].map((fold) => openDataset(whole, { setting: 'twitter1', fold })));
  const tests = folds.flatMap(({ splits }) => splits.test!.map(({ path }) => path));
  expect(new Set(tests).size).toBe(tests.length);
  expect(tests.length).toBe(sizes(folds[0]!).reduce((a, b) => a + b));
  expect(folds[2]!.origin).toEqual({ kind: 'seeded-fold', seed: 0, fold: 3, folds: 5 });
});

test('is recognised where its files leave no doubt', async () => {
  const detected = async (setting: NamedSetting) => (await openDataset(root(setting))).setting;
  const unknown = ['artphoto8', 'flickrldl8', 'twitterldl8'];
  const plain = WRITTEN.filter((setting) => !unknown.includes(setting));
  expect(await Promise.all(plain.map(detected))).toEqual(
    'folders,emotionroi6,twitter1,folders,emoset8,folders,abstract8,folders'.split(','),
  );
  await expectInputError(detected('artphoto8'), /no class folders with images; expected .* or <class>\/\*\.jpg/);
  await expectInputError(detected('flickrldl8'), /has votes: name the data set with --dataset flickrldl8 or --dataset/);
});

test('--classes selects among the classes and gives them words', async () => {
  const { classes, splits, warnings } = await open('emotionroi6', { classes: 'joy=happiness,fear' });
  expect(classes).toEqual([
    { folder: 'joy', word: 'happiness' },
    { folder: 'fear', word: 'fear' },
  ]);
  expect(splits.train!.map(({ label }) => label)).toEqual([0, 0, 0, 1, 1, 1]);
  expect(warnings).toEqual(['not among the classes, so left out: anger, disgust, sadness, surprise']);
  await expectInputError(
    open('emotionroi6', { classes: 'awe' }),
    /class "awe" is not in the data set; it has anger, disgust/,
  );
});

test('a copy that lacks listed images says how many', async () => {
  const copy = scratch('roi-copy');
  await cp(root('emotionroi6'), copy, { recursive: true });
  await rm(join(copy, 'images/anger/1.jpg'));
  await rm(join(copy, 'images/fear'), { recursive: true });
  const { warnings, splits } = await openDataset(copy, { setting: 'emotionroi6' });
  expect(warnings[0]).toMatch(
    /training_testing_split: 6 of 30 listed images are missing, first images\/anger\/1\.jpg$/,
  );
  expect(splits.train!.length + splits.test!.length).toBe(24);
  await rm(join(copy, 'images'), { recursive: true });
  await expectInputError(
    openDataset(copy),
    /training\.txt: line 1: .*images\/anger\/1\.jpg is not there, nor is any other/,
  );
});

test('Abstract: paintings without one class that most voted for are left out', async () => {
  expect((await open('abstract8')).warnings[0]).toMatch(/1 of 49 paintings have no single class with most votes/);
  const copy = scratch('abstract-copy');
  await mkdir(copy);
  await writeFile(join(copy, 'ABSTRACT_groundTruth.csv'), `'','Awe','Sad'\n'a.jpg',1\n`);
  await expectInputError(openDataset(copy), /line 2: expected 2 numbers of votes, found "1"/);
});

test('EmoSet: entries of three elements are read too; others are named', async () => {
  const copy = scratch('emoset-copy');
  await cp(root('emoset8'), copy, { recursive: true });
  const entries = [['awe', 'image/awe/awe_30.jpg', 'annotation/awe/awe_30.json']];
  await writeFile(join(copy, 'train.json'), JSON.stringify(entries).replace('awe_30.jpg', 'awe_50.jpg'));
  expect((await openDataset(copy)).splits.train!.map(({ path }) => path)).toEqual([join(copy, 'image/awe/awe_50.jpg')]);
  await writeFile(join(copy, 'train.json'), '[["awe"]]');
  await expectInputError(
    openDataset(copy),
    /train\.json: entry 1: expected \[class, \.\.\., image, \.\.\.\], found \["awe"\]/,
  );
  await writeFile(join(copy, 'train.json'), '{}');
  await expectInputError(openDataset(copy), /train\.json: expected an array, found \{\}/);
});

test("EmoSet: labels other than the published ones in a copy's info.json are said, and ours are kept", async () => {
  expect((await open('emoset8')).warnings.filter((warning) => warning.includes('label2idx'))).toEqual([]);
  const copy = scratch('emoset-labels');
  await cp(root('emoset8'), copy, { recursive: true });
  const label2idx = { anger: 0, amusement: 1, awe: '1', contentment: 2, excitement: 3, disgust: 5, fear: 6 };
  await writeFile(join(copy, 'info.json'), JSON.stringify({ emotion: { label2idx } }));
  const { warnings, classes } = await openDataset(copy);
  expect(warnings[0]).toBe(
    `${copy}/info.json: emotion.label2idx has amusement 1, awe "1", anger 0, sadness none; labels are those of the published one: ` +
      'amusement, awe, contentment, excitement, anger, disgust, fear, sadness',
  );
  expect(classes.map(({ word }) => word).join()).toBe(EXPECTED.emoset8.classes);
  await writeFile(join(copy, 'info.json'), '[]');
  expect((await openDataset(copy)).warnings[0]).toMatch(/info\.json: no emotion\.label2idx; labels are those/);
});

describe('ground_truth.txt', () => {
  const distributions = ({ splits }: Dataset) =>
    new Map(
      SPLITS.flatMap((split) => splits[split] ?? []).map(({ path, label, distribution }) => [
        path.replace(/.*images\//, ''),
        { label, shares: [...distribution!].map((share) => Number(share.toFixed(4))) },
      ]),
    );

  test('Emotion6: shares of seven classes, and the label that most people named, not the folder', async () => {
    const found = distributions(await open('emotion6ldl'));
    expect(found.get('disgust/1.jpg')).toEqual({ label: 6, shares: [0, 0, 0.3333, 0, 0, 0, 0.6667] });
    expect(found.get('disgust/2.jpg')).toEqual({ label: 1, shares: [0, 0.6667, 0.3333, 0, 0, 0, 0] });
  });

  test('of the classes that are selected only: their shares sum to 1, and images of others are left out', async () => {
    const dataset = await open('emotion6ldl', { classes: 'fear,disgust' });
    const found = distributions(dataset);
    expect(found.get('disgust/2.jpg')).toEqual({ label: 1, shares: [0.3333, 0.6667] });
    expect(found.get('fear/2.jpg')).toEqual({ label: 0, shares: [1, 0] });
    expect([found.has('joy/2.jpg'), found.has('disgust/1.jpg')]).toEqual([false, false]);
  });

  test('votes, ties and images without votes; a split of its own; what is refused', async () => {
    const copy = scratch('flickr-votes');
    await mkdir(join(copy, 'images'), { recursive: true });
    for (const name of ['a b.jpg', '2.jpg', '3.jpg']) await writeFile(join(copy, 'images', name), '');
    const header = 'images-name Amusement Awe Contentment Excitement Anger Disgust Fear Sadness\n';
    await writeFile(
      join(copy, 'train_ground_truth.txt'),
      `${header}a b.jpg 0 3 0 0 3 0 0 5\r\n2.jpg 0 4 4 0 0 0 0 3\n`,
    );
    await writeFile(join(copy, 'test_ground_truth.txt'), `${header}3.jpg 0 0 0 0 0 0 0 0\n`);
    const dataset = await openDataset(copy, { setting: 'flickrldl8' });
    expect(dataset.origin).toEqual({ kind: 'given' });
    expect(dataset.warnings[0]).toMatch(
      /^1 of 2 images with votes have several classes with most of them: their label is/,
    );
    expect(distributions(dataset).get('2.jpg')).toEqual({ label: 1, shares: [0, 0.3636, 0.3636, 0, 0, 0, 0, 0.2727] });
    expect(distributions(dataset).get('a b.jpg')?.label).toBe(7);
    expect(dataset.splits.test).toBeUndefined();

    await writeFile(join(copy, 'ground_truth.txt'), `${header}2.jpg 0 4\n`);
    await expectInputError(
      openDataset(copy, { setting: 'flickrldl8' }),
      /ground_truth\.txt: line 2: expected an image and 8 numbers, found "2\.jpg 0 4"/,
    );
    await writeFile(join(copy, 'ground_truth.txt'), `${header}2.jpg 0 4 0 0 -1 0 0 0\n`);
    await expectInputError(
      openDataset(copy, { setting: 'flickrldl8' }),
      /line 2: expected 8 numbers of votes from 0 on, found "0,4,0,0,-1,0,0,0"/,
    );
    await writeFile(join(copy, 'ground_truth.txt'), 'images-name\n');
    await expectInputError(
      openDataset(copy, { setting: 'flickrldl8' }),
      /expected a header with a column for each class/,
    );
  });
});
