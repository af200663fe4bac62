/** The data sets of a plan, found by the names that their archives and the paper's authors give their folders. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findSettings, openSettings, PAPER_FOLDERS } from '../../../src/node/experiment/setting-data.js';
import { PAPER_SETTINGS } from '../../../src/ptdpc/experiment/paper-tables.js';
import { expectInputError } from '../../clip/checkpoint/support.js';
import { scratchFolder } from '../scratch.js';

const scratch = scratchFolder();
const EIGHT = ['amusement', 'anger', 'awe', 'contentment', 'disgust', 'excitement', 'fear', 'sadness'];
const SIX = ['anger', 'disgust', 'fear', 'joy', 'sadness', 'surprise'];
const TWO = ['negative', 'positive'];

/** Empty images `<folder>/<split>/<class>/1.jpg`. */
async function split(folder: string, classes: readonly string[], splits = ['train', 'test']): Promise<void> {
  for (const path of splits.flatMap((name) => classes.map((word) => scratch(`${folder}/${name}/${word}/1.jpg`)))) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '');
  }
}

const found = async (root: string, wanted?: string[]) =>
  (await findSettings(scratch(root), wanted)).map(({ name, root }) => [name, basename(root)]);

test("the authors' own layout is read whole", async () => {
  await split('authors/FI', EIGHT, ['Train', 'Val', 'Test']);
  await split('authors/FI_2', TWO, ['train', 'val', 'test']);
  await split('authors/Emotion6', SIX);
  await split('authors/Emotion6_2', TWO);
  for (const fold of [1, 2, 3, 4, 5]) await split(`authors/TwitterI/total/${fold}`, TWO);
  await split('authors/TwitterII', TWO);
  expect(await found('authors')).toEqual([
    ['fi8', 'FI'],
    ['emotionroi6', 'Emotion6'],
    ['fi2', 'FI_2'],
    ['emotionroi2', 'Emotion6_2'],
    ['twitter1', 'TwitterI'],
    ['twitter2', 'TwitterII'],
  ]);
  const { settings: readable, warnings } = await openSettings(await findSettings(scratch('authors'), undefined), false);
  expect(readable).toHaveLength(6);
  expect(warnings).toContain(
    `${scratch('authors/Emotion6')}: taken for EmotionROI, since it is split as the paper's authors have it`,
  );
  expect(await found('authors', ['emotion6', 'emotionroi6'])).toEqual([
    ['emotion6', 'Emotion6'],
    ['emotionroi6', 'Emotion6'],
  ]);
});

test('names of archives; Emotion6 without a split is Emotion6', async () => {
  for (const folder of ['EmoSet-118K', 'EmotionROI', 'testImages_artphoto', 'FI'])
    await mkdir(scratch(`archives/${folder}`), { recursive: true });
  for (const word of SIX) await mkdir(scratch(`archives/Emotion6/images/${word}`), { recursive: true });
  expect(await found('archives', ['emoset8', 'emoset2', 'emotion6', 'artphoto8', 'emotionroi2', 'fi2'])).toEqual([
    ['emoset8', 'EmoSet-118K'],
    ['emoset2', 'EmoSet-118K'],
    ['emotion6', 'Emotion6'],
    ['artphoto8', 'testImages_artphoto'],
    ['emotionroi2', 'EmotionROI'],
    ['fi2', 'FI'],
  ]);
  await rm(scratch('archives/EmotionROI'), { recursive: true });
  await expectInputError(found('archives', ['emotionroi6']), /--datasets emotionroi6: no folder emotionroi or /);
});

test('the names that are asked for, and no others, are enough for the data sets of the paper', async () => {
  await mkdir(scratch('nothing'), { recursive: true });
  await expectInputError(
    findSettings(scratch('nothing'), undefined),
    /: expected folders named fi, emotionroi, twitter1, twitter2, found none of them$/,
  );
  for (const name of PAPER_FOLDERS) await mkdir(scratch(`asked/${name}`), { recursive: true });
  const found = await findSettings(scratch('asked'), undefined);
  expect(found.map(({ name }) => name).sort()).toEqual([...PAPER_SETTINGS].sort());
});

test('a data set that cannot be read is left out with its reason, unless it was asked for', async () => {
  await split('mixed/FI', EIGHT);
  await mkdir(scratch('mixed/Twitter II'), { recursive: true });
  await writeFile(scratch('mixed/twitter-1'), 'a file');
  const settings = await findSettings(scratch('mixed'), undefined);
  const { settings: readable, warnings } = await openSettings(settings, false);
  expect(readable.map(({ name }) => name)).toEqual(['fi8', 'fi2']);
  expect([...warnings].filter((line) => line.includes('left out'))).toEqual([
    `twitter2 is left out: ${join(scratch('mixed'), 'Twitter II')}: no images in the layout of twitter2; ` +
      'expected {train,val,test}/<class>/*.jpg, or <class>/*.jpg',
  ]);
  await expectInputError(openSettings(settings, true), /Twitter II: no images in the layout of twitter2/);
  const [, , only] = settings;
  await expectInputError(openSettings([only!], false), /Twitter II: no images in the layout of twitter2/);
});
