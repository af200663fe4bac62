/** `checkDataset`: what a folder holds, counted, and each reason for which a file takes no part. */
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { checkDataset, type DatasetCheck, decodeImages } from '../../../src/node/datasets.js';
import { type NamedSetting, SPLITS } from '../../../src/ptdpc/index.js';
import { expectInputError } from '../../clip/checkpoint/support.js';
import { writePublished } from '../../support/published-datasets.js';
import { scratchFolder } from '../scratch.js';

const scratch = scratchFolder();

async function published(setting: NamedSetting, name: string = setting): Promise<string> {
  await writePublished(scratch(name), setting);
  return scratch(name);
}

async function put(root: string, ...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), '');
  }
}

const leftOut = ({ leftOut }: DatasetCheck) => leftOut.map(({ reason, count, first }) => [reason, count, ...first]);
const classCounts = ({ classes }: DatasetCheck) =>
  classes.map(({ folder, splits }) => [folder, ...SPLITS.map((split) => splits[split] ?? null)]);

test('folders of classes: other classes, images elsewhere, hidden names and what is no image', async () => {
  const root = await published('fi8');
  await rename(join(root, 'train/awe/awe_0.jpg'), join(root, 'train/awe/awe_0.tif'));
  await put(root, 'README.txt', 'train/joy/a.jpg', 'test/joy/b.png', 'train/x.jpg', 'unused/awe/c.jpg');
  await put(root, 'val/fear/deeper/d.jpg', '.git/e.jpg', 'train/awe/._awe_1.jpg');
  const check = await checkDataset(root, { setting: 'fi8' });
  expect(classCounts(check).slice(1, 4)).toEqual([
    ['anger', 3, 1, 2],
    ['awe', 2, 1, 2],
    ['contentment', 3, 1, 2],
  ]);
  expect(check.all).toEqual({ splits: { train: 23, val: 9, test: 16 }, total: 48, published: 23_308 });
  expect(leftOut(check)).toEqual([
    ['other-class', 2, 'test/joy/b.png', 'train/joy/a.jpg'],
    ['outside', 2, 'train/x.jpg', 'unused/awe/c.jpg'],
    ['not-an-image', 2, 'README.txt', 'train/awe/awe_0.tif'],
    ['hidden', 2, '.git', 'train/awe/._awe_1.jpg'],
  ]);
  expect(check.warnings).toEqual([
    `${root}: folders beside train, val, test are left out: unused`,
    `${join(root, 'train')}: images in no folder of a class are left out (1, first x.jpg)`,
    'not among the classes, so left out: joy',
    'fi8: 23,308 images are published, found 48',
  ]);
});

test('lists: images that are not there, and images that no list names', async () => {
  const root = await published('emotionroi6');
  await rm(join(root, 'images/fear/1.jpg'));
  await put(root, 'images/fear/99.jpg', 'ground_truth.txt');
  const check = await checkDataset(root);
  expect([check.layout, check.dataset.setting]).toEqual(['roi-lists', 'emotionroi6']);
  expect(leftOut(check)).toEqual([
    ['missing', 1, 'images/fear/1.jpg'],
    ['unlisted', 1, 'images/fear/99.jpg'],
    ['not-an-image', 1, 'ground_truth.txt'],
  ]);
  expect(check.classes[2]).toEqual({
    ...{ folder: 'fear', word: 'fear', names: ['fear'] },
    ...{ splits: { train: 2, test: 2 }, total: 4, published: 330 },
  });
});

test('what belongs to a data set beside its images is not left out', async () => {
  const emoset = await published('emoset8');
  await put(emoset, 'annotation/awe/awe_50.json', 'annotation/fear/fear_40.json', 'annotation/notes.txt');
  expect(leftOut(await checkDataset(emoset))).toEqual([['not-an-image', 1, 'annotation/notes.txt']]);
  const roi = await published('emotionroi6', 'roi-with-maps');
  await put(roi, 'ground_truth/anger/1.jpg', 'ground_truth/joy/1.jpg');
  expect(leftOut(await checkDataset(roi))).toEqual([]);
});

test('folds, votes and names: what each of these layouts passes over', async () => {
  const twitter = await checkDataset(await published('twitter1'), { setting: 'twitter1', fold: 2 });
  // Four other folds of 2 x 5 images.
  expect(leftOut(twitter)).toEqual([
    ['other-fold', 40, ...[0, 1].map((i) => `1/test/negative/negative_${i}.jpg`), '1/test/positive/positive_0.jpg'],
  ]);
  expect(twitter.dataset.origin).toEqual({ kind: 'given-fold', fold: 2, folds: 5 });
  await mkdir(scratch('authors'));
  await rename(scratch('twitter1'), scratch('authors/total'));
  const authors = await checkDataset(scratch('authors'), { fold: 2 });
  expect([authors.dataset.setting, authors.dataset.origin, authors.all]).toEqual([
    ...['twitter1', twitter.dataset.origin, twitter.all],
  ]);
  expect(authors.leftOut).toEqual([
    { reason: 'other-fold', count: 40, first: twitter.leftOut[0]!.first.map((path) => `total/${path}`) },
  ]);

  const abstract = await checkDataset(await published('abstract8'));
  expect(leftOut(abstract)).toEqual([['no-majority', 1, 'abstract_9999.jpg']]);
  expect(abstract.classes[3]).toMatchObject({ folder: 'contentment', names: ['Content'] });

  const root = await published('artphoto8');
  await put(root, 'awe.jpg', 'more/awe_0001.jpg');
  expect(leftOut(await checkDataset(root, { setting: 'artphoto8' }))).toEqual([
    ['odd-name', 2, 'awe.jpg', 'more/awe_0001.jpg'],
  ]);
});

test('a manifest: only the folders of its images are gone through', async () => {
  const root = scratch('manifest');
  await put(root, 'a/1.jpg', 'a/2.jpg', 'a/notes.txt', 'elsewhere/3.jpg', 'other.csv');
  await writeFile(join(root, 'list.csv'), 'path,label,split\na/1.jpg,awe,train\na/9.jpg,fear,test\n');
  const check = await checkDataset(join(root, 'list.csv'));
  expect([check.layout, check.expected, check.all]).toEqual([
    ...['manifest', null],
    { splits: { train: 1 }, total: 1, published: null },
  ]);
  expect(leftOut(check)).toEqual([
    ['missing', 1, 'a/9.jpg'],
    ['unlisted', 1, 'a/2.jpg'],
    ['not-an-image', 1, 'a/notes.txt'],
  ]);
});

test('two classes are counted by the classes that they stand for; a selection has no published total', async () => {
  const root = await published('fi2');
  const two = await checkDataset(root, { setting: 'fi2' });
  expect(two.classes.map(({ folder, names, total, published }) => [folder, names.join(), total, published])).toEqual([
    ['negative', 'anger,disgust,fear,sadness', 24, null],
    ['positive', 'amusement,awe,contentment,excitement', 24, null],
  ]);
  expect([two.all.published, two.expected?.source]).toEqual([23_308, 'the PT-DPC paper, section 5.1']);
  const some = await checkDataset(root, { setting: 'fi2', classes: 'positive=happy' });
  expect(some.classes).toMatchObject([{ folder: 'positive', word: 'happy', total: 24 }]);
  expect(some.all.published).toBeNull();
  expect(some.leftOut).toMatchObject([{ reason: 'other-class', count: 24 }]);
});

test('classes and splits without images are said', async () => {
  const root = await published('fi8', 'holes');
  await rm(join(root, 'train/anger'), { recursive: true });
  for (const split of SPLITS) await rm(join(root, split, 'fear'), { recursive: true });
  await rm(join(root, 'test'), { recursive: true });
  const { warnings } = await checkDataset(root, { setting: 'fi8' });
  expect(warnings.slice(1)).toEqual([
    'class "anger" has no train images: training refuses that',
    'class "fear" has no images at all: training refuses that',
    'no test images',
  ]);
});

test('links are followed, none of them for ever', async () => {
  const root = scratch('links');
  await put(root, 'real/awe/1.jpg', 'real/fear/1.jpg', 'real/fear/2.tif');
  await mkdir(join(root, 'data'));
  await symlink('../real', join(root, 'data/train'));
  await symlink('..', join(root, 'real/up'));
  const check = await checkDataset(join(root, 'data'));
  expect(classCounts(check)).toEqual([
    ['awe', 1, null, null],
    ['fear', 1, null, null],
    ['up', 0, null, null],
  ]);
  expect(leftOut(check)).toEqual([['not-an-image', 1, 'train/fear/2.tif']]);
});

test('nothing at all is refused in one line', async () => {
  const root = scratch('nothing');
  await mkdir(join(root, 'train/awe'), { recursive: true });
  await expectInputError(checkDataset(root, { setting: 'fi8' }), /nothing: no images of the classes amusement, anger,/);
  await expectInputError(checkDataset(scratch('nowhere'), { setting: 'fi8' }), /nowhere: not found/);
});

test('every image is decoded, and those that cannot be read are named in order', async () => {
  const root = await published('twitter2');
  const bad = [join(root, 'train/positive/positive_2.jpg'), join(root, 'test/negative/negative_0.jpg')];
  await writeFile(bad[0]!, 'no image');
  await writeFile(bad[1]!, '');
  const { dataset, all } = await checkDataset(root, { setting: 'twitter2' });
  const paths = SPLITS.flatMap((split) => dataset.splits[split] ?? []).map(({ path }) => path);
  let [seen, unreadable] = [0, 0];
  const { unreadable: found } = await decodeImages(paths, 'skip', (bad) => {
    seen++;
    if (bad) unreadable++;
  });
  expect([seen, unreadable]).toEqual([all.total, 2]);
  expect(found.map(({ path }) => path)).toEqual(bad);
  for (const { path, reason } of found) expect(reason.startsWith(`${path}: `)).toBe(true);
});
