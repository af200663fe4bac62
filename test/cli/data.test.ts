/** `data`: every published layout, what people read, what programs read, and what is refused. */
import { copyFile, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeImage, encodePng } from '../../src/clip/image/index.js';
import type { DatasetCheck } from '../../src/node/datasets.js';
import { loadImageCodecs } from '../../src/node/image-codecs.js';
import { NAMED_SETTINGS, type NamedSetting, namedSetting, type SplitOrigin } from '../../src/ptdpc/index.js';
import { writePublished } from '../support/published-datasets.js';
import {
  expectRefused,
  fixture,
  outcomeOf,
  ptdpc,
  ptdpcJson,
  scratchPath,
  setUpProgram,
  startPtdpc,
} from './program.js';
import { makeModel } from './tuning/support.js';

setUpProgram();

interface Report extends Pick<DatasetCheck, 'classes' | 'all' | 'leftOut' | 'warnings'> {
  dataset: string;
  recognised: boolean;
  layout: { name: string; pattern: string };
  split: SplitOrigin;
  published: { total: number } | null;
  unreadable: { path: string; reason: string }[] | null;
  truncated: string[] | null;
}

/** The data sets of 2 classes lie in the folders of those of 6 or 8. */
const folderOf = (setting: NamedSetting) => (setting.startsWith('twitter') ? setting : setting.replace(/\d$/, ''));

beforeAll(async () => {
  for (const folder of new Set(NAMED_SETTINGS.map(folderOf))) {
    const setting = NAMED_SETTINGS.find((name) => folderOf(name) === folder)!;
    await writePublished(scratchPath(folder), setting);
  }
});

const check = (setting: NamedSetting, ...options: string[]) =>
  ptdpcJson<Report>(['data', folderOf(setting), '--dataset', setting, ...options]);

/** The layout in which each is written, and what the split is. */
const PUBLISHED = { kind: 'published' } as const;
/** Folders say nothing of who made them. */
const GIVEN = { kind: 'given' } as const;
const SEEDED = { kind: 'seeded', seed: 0 } as const;
const EXPECTED: Readonly<Record<NamedSetting, [layout: string, split: SplitOrigin, images: number]>> = {
  fi8: ['split-folders', GIVEN, 48],
  fi2: ['split-folders', GIVEN, 48],
  emotionroi6: ['roi-lists', PUBLISHED, 30],
  emotionroi2: ['roi-lists', PUBLISHED, 30],
  twitter1: ['folds', { kind: 'given-fold', fold: 1, folds: 5 }, 10],
  twitter2: ['split-folders', GIVEN, 10],
  emoset8: ['emoset', PUBLISHED, 48],
  emoset2: ['emoset', PUBLISHED, 48],
  emotion6: ['class-folders', SEEDED, 36],
  artphoto8: ['file-names', SEEDED, 48],
  abstract8: ['votes', SEEDED, 48],
  emotion6ldl: ['ground-truth', SEEDED, 36],
  flickrldl8: ['ground-truth', SEEDED, 48],
  twitterldl8: ['ground-truth', SEEDED, 48],
};

test.each(NAMED_SETTINGS)('%s, as it is published: layout, split, classes, counts', async (setting) => {
  const report = await check(setting);
  const named = namedSetting(setting)!;
  const [layout, split, images] = EXPECTED[setting];
  expect(report).toMatchObject({ dataset: setting, recognised: false, layout: { name: layout }, split });
  expect(report.classes.map(({ word }) => word)).toEqual(named.classes.map(({ word }) => word));
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  expect(report.all.total).toBe(images);
  expect(sum(report.classes.map(({ total }) => total))).toBe(images);
  for (const { splits, total } of report.classes) expect(sum(Object.values(splits))).toBe(total);
  expect(report.published?.total).toBe(named.expected.total);
  expect(report.warnings.join('\n')).toMatch(
    new RegExp(`${setting}: ${named.expected.total.toLocaleString('en-US')} images are published, found ${images}`),
  );
  expect(report.unreadable).toBeNull();
});

test('a table for people, warnings on standard error', async () => {
  await writeFile(scratchPath('emotionroi/notes.txt'), '');
  const { code, stdout, stderr } = await ptdpc(['data', 'emotionroi', '--classes', 'joy=happiness,fear']);
  expect(code).toBe(0);
  expect(stdout).toBe(`emotionroi: emotionroi6 (EmotionROI 6), by its files
layout: images/<class>/*.jpg with training_testing_split/{training,testing}.txt
split as published
10 images of 2 classes

class  word       train  test  all  published
joy    happiness      3     2    5        330
fear   fear           3     2    5        330
all                   6     4   10          -
published: 1,980 images (the PT-DPC paper, section 5.1)

left out:
  20 in folders that are not a class: images/anger/1.jpg, images/anger/2.jpg, images/anger/3.jpg, ...
  1 not .jpg, .jpeg, .jfif, .png, .webp, .gif or .bmp: notes.txt
`);
  expect(stderr).toBe('warning: not among the classes, so left out: anger, disgust, sadness, surprise\n');
  await rm(scratchPath('emotionroi/notes.txt'));
});

test('the seed of a drawn split, and the fold of one in folders', async () => {
  const seeded = await ptdpc(['data', 'artphoto', '--dataset', 'artphoto8', '--split-seed', '7']);
  expect(seeded.stdout).toMatch(/^split by seed 7, since its files give none \(--split-seed\)$/m);
  const { split, leftOut } = await check('twitter1', '--fold', '3');
  expect(split).toEqual({ kind: 'given-fold', fold: 3, folds: 5 });
  expect(leftOut).toMatchObject([{ reason: 'other-fold', count: 40 }]);
  expect(leftOut[0]!.first.every((path) => !path.startsWith('3/'))).toBe(true);
});

describe('broken ones', () => {
  const broken = async (setting: NamedSetting, name: string) => {
    await writePublished(scratchPath(name), setting);
    return (path: string) => scratchPath(`${name}/${path}`);
  };

  test('a split file that is missing is refused where the layout needs it, and said where it does not', async () => {
    const roi = await broken('emotionroi6', 'roi-without-list');
    await rm(roi('training_testing_split/testing.txt'));
    await expectRefused(['data', 'roi-without-list'], /training_testing_split\/testing\.txt: cannot be opened/);
    const emoset = await broken('emoset8', 'emoset-without-test');
    await rm(emoset('test.json'));
    const { warnings, all } = await ptdpcJson<Report>(['data', 'emoset-without-test']);
    expect(warnings).toContain('no test images');
    expect(all.splits).toEqual({ train: 24, val: 8 });
  });

  test('a class folder that is missing is a warning', async () => {
    const fi = await broken('fi8', 'fi-without-fear');
    for (const split of ['train', 'val', 'test']) await rm(fi(`${split}/fear`), { recursive: true });
    await rm(fi('train/awe'), { recursive: true });
    const { code, stderr, stdout } = await ptdpc(['data', 'fi-without-fear', '--dataset', 'fi8']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: class "fear" has no images at all: training refuses that$/m);
    expect(stderr).toMatch(/^warning: class "awe" has no train images: training refuses that$/m);
    expect(stdout).toMatch(/^fear +fear +0 +0 +0 +0 +-$/m);
  });

  test('another data set than it is said to be shows in its classes', async () => {
    const { code, stderr } = await ptdpc(['data', 'fi', '--dataset', 'emotionroi6']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: not among the classes, so left out: amusement, awe, contentment, excitement$/m);
    expect(stderr).toMatch(/^warning: class "joy" has no images at all: training refuses that$/m);
  });

  test('a wrong name, a wrong layout, no images, no folder', async () => {
    await expectRefused(['data', 'fi', '--dataset', 'fi9'], /argument 'fi9' is invalid.* fi8, fi2, emotionroi6/);
    await expectRefused(['data', 'twitter2', '--dataset', 'artphoto8'], /no images of the classes amusement/);
    await expectRefused(['data', 'fi', '--dataset', 'abstract8', '--fold', '2'], /--fold 2: abstract8 has no/);
    await mkdir(scratchPath('empty'));
    await expectRefused(['data', 'empty', '--dataset', 'fi8'], /empty: no images in the layout of fi8; expected/);
    await expectRefused(['data', 'nowhere'], /nowhere: not found; expected a folder of images or a manifest/);
  });
});

test('--duplicates: images in two splits or of two classes, by content; repeated ones are counted', async () => {
  await writePublished(scratchPath('doubled'), 'twitter2');
  const copy = (from: string, to: string) => copyFile(scratchPath(`doubled/${from}`), scratchPath(`doubled/${to}`));
  await copy('train/negative/negative_0.jpg', 'test/negative/again.jpg');
  await copy('train/positive/positive_1.jpg', 'train/negative/other.jpg');
  await copy('train/positive/positive_2.jpg', 'train/positive/same.jpg');
  const args = ['data', 'doubled', '--dataset', 'twitter2', '--duplicates'];
  const { stdout } = await ptdpc(args);
  expect(stdout.slice(stdout.indexOf('images compared'))).toBe(
    `images compared by content: in two splits or of two classes: 2; repeated within one class of a split: 1
  doubled/train/negative/negative_0.jpg (train, negative) = doubled/test/negative/again.jpg (test, negative)
  doubled/train/negative/other.jpg (train, negative) = doubled/train/positive/positive_1.jpg (train, positive)
`,
  );
  const { duplicates } = await ptdpcJson<{ duplicates: { sha256: string; places: unknown[] }[] }>(args);
  expect(duplicates.map(({ sha256, places }) => [sha256.length, places.length])).toEqual([
    [64, 2],
    [64, 2],
    [64, 2],
  ]);
});

test('--duplicates --model: images that nearly repeat one of another split, by the features of a CLIP', async () => {
  await writePublished(scratchPath('nearly'), 'twitter2');
  await makeModel(scratchPath('model'));
  const [from, to] = ['train/positive/positive_1.jpg', 'test/positive/again.png'].map((path) =>
    scratchPath(`nearly/${path}`),
  );
  const { rgb, width, height } = await decodedJpeg(from!);
  // The same picture in another format, and a copy byte by byte, which is listed above.
  await writeFile(to!, encodePng(rgb, width, height));
  await copyFile(scratchPath('nearly/train/negative/negative_0.jpg'), scratchPath('nearly/test/negative/same.jpg'));
  const args = ['data', 'nearly', '--dataset', 'twitter2', '--duplicates', '--model', 'model', '--device', 'cpu'];
  interface Near {
    nearDuplicates: { path: string; split: string; of: { path: string; split: string }; similarity: number }[];
  }
  const { nearDuplicates } = await ptdpcJson<Near>([...args, '--similarity', '0.9']);
  expect(nearDuplicates[0]).toMatchObject({
    ...{ path: 'nearly/test/positive/again.png', split: 'test' },
    of: { path: 'nearly/train/positive/positive_1.jpg', split: 'train' },
  });
  expect(nearDuplicates.every(({ similarity }, i, all) => similarity <= (all[i - 1]?.similarity ?? 1.000001))).toBe(
    true,
  );
  const { of, similarity } = nearDuplicates.find(({ path }) => path.endsWith('same.jpg')) ?? {};
  expect(of?.path).not.toBe('nearly/train/negative/negative_0.jpg');
  expect(similarity ?? 0).toBeLessThan(0.999999);
  const { stdout } = await ptdpc([...args, '--similarity', '0.9']);
  expect(stdout).toContain(
    `\nnearly repeated in another split (cosine from 0.9 on): ${nearDuplicates.length} of test with train\n`,
  );
  expect(stdout).toMatch(
    /\n {2}\d\.\d{4} nearly\/test\/positive\/again\.png \(test, positive\) ~ nearly\/train\/positive\/positive_1\.jpg/,
  );
  await expectRefused(
    ['data', 'nearly', '--dataset', 'twitter2', '--model', 'model'],
    /--model: only with --duplicates/,
  );
  await expectRefused([...args, '--similarity', '2'], /Expected a number from -1 to 1/);
});

/** The pixels of a JPEG file in colour. */
async function decodedJpeg(path: string) {
  loadImageCodecs();
  const { data, width, height, mode } = await decodeImage(await readFile(path), path);
  // Three colours and a byte that means nothing.
  expect(mode).toBe('RGBX');
  return { rgb: data.filter((_, i) => i % 4 < 3), width, height };
}

describe('--decode', () => {
  beforeAll(async () => {
    await writePublished(scratchPath('damaged'), 'twitter2');
    await writeFile(scratchPath('damaged/train/negative/negative_1.jpg'), 'no image');
  });

  test('lists the images that cannot be read', async () => {
    const args = ['data', 'damaged', '--dataset', 'twitter2', '--decode'];
    const { code, stdout, stderr } = await ptdpc(args);
    expect([code, stdout.split('\n').slice(-4)]).toEqual([
      0,
      [
        '',
        '10 images decoded, 1 cannot be read:',
        expect.stringMatching(/^ {2}damaged\/train\/negative\/negative_1\.jpg: .+/),
        '',
      ],
    ]);
    expect(stderr).toMatch(/^decoding 10 images$/m);
    const { unreadable } = await ptdpcJson<Report>(args);
    expect(unreadable!.map(({ path }) => path)).toEqual(['damaged/train/negative/negative_1.jpg']);
    expect((await check('twitter2', '--decode')).unreadable).toEqual([]);
  });

  test('reads those that are cut short as far as they go where it is told to', async () => {
    const cut = scratchPath('damaged/train/negative/negative_0.jpg');
    const whole = await readFile(fixture('preprocess/small/jpeg-420.jpg'));
    await writeFile(cut, whole.subarray(0, 900));
    const args = ['data', 'damaged', '--dataset', 'twitter2', '--decode', '--truncated', 'read'];
    expect((await ptdpc(args)).stdout).toMatch(
      /cut short, and read as far as they go: 1\n {2}damaged\/train\/negative\/negative_0\.jpg\n$/,
    );
    const { unreadable, truncated } = await ptdpcJson<Report>(args);
    expect([unreadable?.length, truncated]).toEqual([1, ['damaged/train/negative/negative_0.jpg']]);
    await writeFile(cut, whole);
  });

  test('Ctrl-C ends it in the middle of decoding', async () => {
    const large = scratchPath('large.png');
    await copyFile(fixture('preprocess/04_1000x60_RGB.png'), large);
    for (const name of ['awe', 'fear']) {
      await mkdir(scratchPath(`many/train/${name}`), { recursive: true });
      for (let i = 0; i < 4_000; i++) await link(large, join(scratchPath(`many/train/${name}`), `${i}.png`));
    }
    const child = startPtdpc(['data', 'many', '--decode']);
    child.stderr.on('data', (text: string) => {
      if (String(text).includes('decoding')) child.kill('SIGINT');
    });
    const { signal, stdout } = await outcomeOf(child);
    expect([signal, stdout]).toEqual(['SIGINT', '']);
  });
});
