/** `--dataset`, `--fold` and `--split-seed`: they choose the images that they say, a run records them, and its use keeps to them. */
import { cp, readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openDataset } from '../../../src/node/datasets.js';
import { writePublished } from '../../support/published-datasets.js';
import { expectRefused, ptdpc, ptdpcJson, scratchPath, setUpProgram } from '../program.js';
import { expectDone, makeModel, readRunJson } from './support.js';

setUpProgram();

beforeAll(async () => {
  await makeModel(scratchPath('model'));
  await writePublished(scratchPath('folds'), 'twitter1', { perClass: { train: 4, val: 0, test: 2 } });
  await writePublished(scratchPath('split'), 'fi8', { perClass: { train: 6, val: 2, test: 2 } });
  // Without a split: the images of one, in the folders of their classes.
  await cp(scratchPath('split/train'), scratchPath('whole'), { recursive: true });
  await cp(scratchPath('folds/1/train'), scratchPath('whole-twitter'), { recursive: true });
});

const COMMON = ['--device', 'cpu'];
const train = (data: string, out: string, ...options: string[]) =>
  expectDone(['train', '--model', 'model', '--data', data, '--out', out, '--epochs', '1', ...COMMON, ...options]);

/** Evaluates, and reads which images that was about, relative to the data set's folder, and their true classes. */
async function evaluated(run: string, ...options: string[]) {
  const { result } = await ptdpcJson<{ result: string }>(['eval', '--run', run, ...COMMON, ...options]);
  const table = await readFile(scratchPath(result.replace('.json', '.csv')), 'utf8');
  const [, ...lines] = table.trim().split('\n');
  return lines.map((line) => {
    const [path = '', actual = ''] = line.split(',');
    return { path, actual };
  });
}

/** The test images of a data set as the library has them. */
async function testImages(data: string, options: Parameters<typeof openDataset>[1]): Promise<string[]> {
  const { splits } = await openDataset(scratchPath(data), options);
  return splits.test!.map(({ path }) => relative(scratchPath(data), path)).sort();
}

const paths = (images: readonly { path: string }[]) => images.map(({ path }) => path).sort();

test('--fold: the images of the fold; the run records it, and eval keeps to it until told otherwise', async () => {
  const { stderr } = await train('folds', 'fold2', '--dataset', 'twitter1', '--fold', '2');
  expect(stderr).toMatch(/^data set: twitter1, fold 2 of 5 as given by its files: 8 train, 4 test$/m);
  expect(await readRunJson('fold2')).toMatchObject({
    dataset: { setting: 'twitter1', origin: { kind: 'given-fold', fold: 2, folds: 5 } },
    classes: [{ word: 'negative' }, { word: 'positive' }],
  });
  const expected = ['negative', 'positive'].flatMap((name) => [0, 1].map((i) => `2/test/${name}/${name}_${i}.jpg`));
  const found = await evaluated('fold2');
  expect(paths(found)).toEqual(expected);
  for (const { path, actual } of found) expect(path).toContain(`/${actual}/`);
  expect(paths(await evaluated('fold2', '--fold', '4'))).toEqual(expected.map((path) => path.replace('2/', '4/')));
});

test('--split-seed: another seed gives another split; the run records it, and eval keeps to it until told otherwise', async () => {
  const splitOf = async (run: string, ...options: string[]) => {
    await train('whole', run, '--dataset', 'fi8', ...options);
    return paths(await evaluated(run));
  };
  const [zero, seven] = [await splitOf('seed0'), await splitOf('seed7', '--split-seed', '7')];
  expect(zero).toEqual(await testImages('whole', { setting: 'fi8' }));
  expect(seven).toEqual(await testImages('whole', { setting: 'fi8', seed: 7 }));
  expect([zero.length, seven.length]).toEqual([7, 7]);
  expect(seven).not.toEqual(zero);
  expect(await readRunJson('seed0')).toMatchObject({ dataset: { origin: { kind: 'seeded', seed: 0 } } });
  expect(await readRunJson('seed7')).toMatchObject({
    dataset: { setting: 'fi8', origin: { kind: 'seeded', seed: 7 } },
  });
  expect(paths(await evaluated('seed7', '--split-seed', '0'))).toEqual(zero);
});

test('both: a fold of a seeded division', async () => {
  const options = ['--dataset', 'twitter1', '--fold', '3', '--split-seed', '5'];
  await train('whole-twitter', 'both', ...options);
  const setting = 'twitter1';
  const found = paths(await evaluated('both'));
  expect(found).toEqual(await testImages('whole-twitter', { setting, fold: 3, seed: 5 }));
  expect(found).not.toEqual(await testImages('whole-twitter', { setting, fold: 1, seed: 5 }));
  expect((await readRunJson('both')).dataset).toEqual({
    setting,
    origin: { kind: 'seeded-fold', seed: 5, fold: 3, folds: 5 },
  });
});

test('--dataset: the order of the classes, two for eight, and what zeroshot and probe are about', async () => {
  await train('split', 'fi2', '--dataset', 'fi2');
  expect((await readRunJson('fi2')).classes).toEqual(['negative', 'positive'].map((word) => ({ folder: word, word })));
  for (const { path, actual } of await evaluated('fi2')) {
    expect(actual).toBe(/amusement|awe|contentment|excitement/.test(path) ? 'positive' : 'negative');
  }
  const line = /^data set: twitter1, fold 5 of 5 as given by its files: 8 train, 4 test$/m;
  const fold = ['--data', 'folds', '--dataset', 'twitter1', '--fold', '5'];
  expect((await expectDone(['zeroshot', '--model', 'model', ...fold, ...COMMON])).stderr).toMatch(line);
  const probe = ['probe', '--model', 'model', ...fold, '--out', 'probe', '--epochs', '1', ...COMMON];
  expect((await expectDone(probe)).stderr).toMatch(line);
  const predictions = (await readFile(scratchPath('probe/results/twitter1-fold5-test.csv'), 'utf8')).trim().split('\n');
  expect(predictions.slice(1).every((text) => text.startsWith('5/test/'))).toBe(true);
});

test('a run is not continued on another split, nor made on one that there is not', async () => {
  const again = (...options: string[]) => [
    'train',
    '--model',
    'model',
    '--out',
    ...options,
    '--epochs',
    '1',
    ...COMMON,
  ];
  await expectRefused(again('fold2', '--data', 'folds', '--dataset', 'twitter1', '--fold', '3'), /fold2: .*split/);
  await expectRefused(again('seed7', '--data', 'whole', '--dataset', 'fi8', '--split-seed', '8'), /seed7: .*split/);
  await expectRefused(again('x', '--data', 'split', '--dataset', 'fi8', '--fold', '1'), /--fold 1: fi8 has no folds/);
  await expectRefused(
    again('x', '--data', 'folds', '--dataset', 'twitter1', '--fold', '0'),
    /'--fold <k>' argument '0'/,
  );
  await expectRefused(again('x', '--data', 'whole', '--dataset', 'fi8', '--split-seed', '-1'), /'--split-seed <n>'/);
  expect((await ptdpc(['eval', '--run', 'fold2', '--fold', '6'])).stderr).toMatch(
    /--fold: expected a whole number from 1 to 5, found 6/,
  );
});

test('--shots: the run records them, probe takes the same images, and other shots are another run', async () => {
  const few = ['--dataset', 'fi8', '--shots', '2', '--seed', '3'];
  const { stderr } = await train('split', 'shots', ...few);
  expect(stderr).toMatch(/2 training images of each class by seed 3: 16 train, 16 val, 16 test$/m);
  const { dataset, images } = (await readRunJson('shots')) as { dataset: object; images: object };
  expect(dataset).toEqual({ setting: 'fi8', origin: { kind: 'given', shots: { images: 2, seed: 3 } } });
  const probe = ['probe', '--model', 'model', '--data', 'split', '--out', 'few-probe', '--epochs', '1', '--lr', 'auto'];
  await expectDone([...probe, ...few, ...COMMON]);
  expect(await readRunJson('few-probe')).toMatchObject({ dataset, images });

  const again = (...options: string[]) => [
    ...['train', '--model', 'model', '--data', 'split', '--out', 'shots', '--epochs', '1', ...COMMON],
    ...['--dataset', 'fi8', '--seed', '3', ...options],
  ];
  expect((await expectDone(again('--shots', '2'))).stderr).toContain('all 1 epochs are already done');
  await expectRefused(
    again('--shots', '3'),
    /shots: it holds a run with another split \(.* 2 training .*, now .* 3 training/,
  );
  await expectRefused(again(), /shots: it holds a run with another split/);
  await expectRefused(again('--shots', '2', '--shots-seed', '4'), /by seed 3, now .* by seed 4/);
  await expectRefused(again('--shots-seed', '4'), /--shots-seed 4: only with --shots <n>/);
  // A run that is repeated keeps its shots, and with another seed takes that seed's.
  const repeat = ['train', '--config', 'shots', '--seed', '5', '--out', 'repeated', ...COMMON];
  await expectDone(repeat);
  expect(await readRunJson('repeated')).toMatchObject({ dataset: { origin: { shots: { images: 2, seed: 5 } } } });
});

test('--views: random crops are encoded once, and are part of what a run is', async () => {
  const views = ['--dataset', 'fi8', '--shots', '1', '--views', '2', '--epochs', '2'];
  const { stderr } = await train('split', 'views', ...views);
  expect(stderr).toMatch(/1 training image of each class by seed 0, 2 random views of each training image: 8 train/);
  expect(await readRunJson('views')).toMatchObject({ dataset: { origin: { shots: { images: 1 }, views: 2 } } });
  const again = ['train', '--config', 'views', '--out', 'views', ...COMMON];
  expect((await expectDone(again)).stderr).toContain('all 2 epochs are already done');
  await expectRefused(
    [...again, '--views', '3'],
    /views: it holds a run with another split \(.*2 random views.*3 random views/,
  );
  // A learning rate that validation chooses has views of what it trains on only.
  await train('split', 'views-auto', ...views, '--lr', 'auto');
  const epochs = async (run: string) =>
    (await readFile(scratchPath(`${run}/metrics.jsonl`), 'utf8')).split('\n').length;
  expect(await epochs('views-auto')).toBe(await epochs('views'));
});

test('--half: from base classes to new ones, with prompts that all classes share', async () => {
  await train('split', 'base', '--dataset', 'fi8', '--half', 'base', '--mode', 'is');
  const { classes, dataset } = (await readRunJson('base')) as { classes: { word: string }[]; dataset: object };
  const halves = [
    ['amusement', 'anger', 'awe', 'contentment'],
    ['disgust', 'excitement', 'fear', 'sadness'],
  ];
  expect(classes.map(({ word }) => word)).toEqual(halves[0]);
  expect(dataset).toEqual({ setting: 'fi8', origin: { kind: 'given', half: 'base' } });

  interface Found {
    classes: string[];
    count: number;
    accuracy: number;
    result: string;
    harmonicMean: number | null;
    zeroShot: { result: string };
  }
  const evaluate = (...options: string[]) => ptdpcJson<Found>(['eval', '--run', 'base', ...COMMON, ...options]);
  const [base, other] = [await evaluate(), await evaluate('--half', 'new')];
  expect([base.classes, other.classes]).toEqual(halves);
  expect([base.count, other.count]).toEqual([8, 8]);
  expect([base, other].map(({ result, zeroShot }) => [result, zeroShot.result])).toEqual([
    ['base/results/fi8-base-test.json', 'base/zero-shot/results/fi8-base-test.json'],
    [
      'base/results/fi8-new-test.json',
      expect.stringMatching(/^base\/zero-shot-fi8-new-[0-9a-f]{8}\/results\/fi8-new-test\.json$/),
    ],
  ]);
  expect(base.harmonicMean).toBeNull();
  const sum = base.accuracy + other.accuracy;
  expect(other.harmonicMean).toBeCloseTo(sum === 0 ? 0 : (2 * base.accuracy * other.accuracy) / sum, 12);
  // Its own half by name is its own classes.
  expect((await evaluate('--half', 'base')).result).toBe(base.result);
  const all = await evaluate('--own-classes');
  expect(all.classes).toEqual(halves.flat());
  expect((await evaluate('--classes', 'fear=dread,awe')).classes).toEqual(['dread', 'awe']);
  // Another data set's classes.
  const twitter = await evaluate('--data', 'folds', '--dataset', 'twitter1', '--own-classes');
  expect(twitter.classes).toEqual(['negative', 'positive']);
  await expectDone(['report', '--run', 'base', ...COMMON]);
  const report = await readFile(scratchPath('base/report.html'), 'utf8');
  for (const title of ['fi8-base, test', 'fi8-new, test', 'twitter1, test']) expect(report).toContain(title);
});

test.each(['cocoop', 'kgcoop'])('%s: from base classes to new ones', async (learner) => {
  await train('split', learner, '--dataset', 'fi8', '--half', 'base', '--learner', learner, '--batch-size', '8');
  const evaluate = (half: string) =>
    ptdpcJson<{ classes: string[]; count: number }>(['eval', '--run', learner, '--half', half, ...COMMON]);
  for (const half of ['base', 'new']) expect(await evaluate(half)).toMatchObject({ count: 8 });
  expect((await evaluate('new')).classes).toEqual(['disgust', 'excitement', 'fear', 'sadness']);
});

test('prompts and layers of their own classes are not put before others', async () => {
  await train('split', 'own', '--dataset', 'fi8', '--half', 'base', '--mode', 'cs');
  const refusal = /own: what it learned is of its own 4 classes, so it cannot tell others apart/;
  await expectRefused(['eval', '--run', 'own', '--half', 'new', ...COMMON], refusal);
  const probe = ['probe', '--model', 'model', '--data', 'split', '--dataset', 'fi8', '--half', 'new', '--epochs', '1'];
  await expectDone([...probe, '--out', 'new-probe', ...COMMON]);
  expect(await readRunJson('new-probe')).toMatchObject({ dataset: { origin: { kind: 'given', half: 'new' } } });
  await expectRefused(
    ['eval', '--run', 'new-probe', '--half', 'base', ...COMMON],
    /new-probe: what it learned is of its/,
  );
});

test('eval says how many of its images the run was trained on, by content', async () => {
  const seen = async (...options: string[]) => {
    const { stdout, stderr } = await expectDone(['eval', '--run', 'seed7', '--json', ...COMMON, ...options]);
    const json = JSON.parse(stdout) as {
      result: string;
      seen: { train: number; val: number; first: string | null } | null;
    };
    const written = JSON.parse(await readFile(scratchPath(json.result), 'utf8')) as typeof json;
    expect(written.seen).toEqual(json.seen);
    return { seen: json.seen, warning: stderr.split('\n').find((line) => line.includes('not one on unseen')) };
  };
  expect(await seen()).toEqual({ seen: { train: 0, val: 0, first: null }, warning: undefined });
  // Of another split by seed, the images that the run's own has for training and for validation.
  const own = await openDataset(scratchPath('whole'), { setting: 'fi8', seed: 7 });
  const { splits } = await openDataset(scratchPath('whole'), { setting: 'fi8', seed: 0 });
  const among = (split: 'train' | 'val') => {
    const paths = new Set(own.splits[split]!.map(({ path }) => path));
    return splits.test!.filter(({ path }) => paths.has(path)).length;
  };
  const other = await seen('--split-seed', '0');
  expect(other.seen).toMatchObject({ train: among('train'), val: among('val') });
  expect(among('train')).toBeGreaterThan(0);
  expect(other.warning).toMatch(
    /^warning: seed7: \d of 7 test images were trained on.*; the run has the split by seed 7/,
  );
  expect((await expectDone(['eval', '--run', 'seed7', '--split-seed', '0', ...COMMON])).stdout).toMatch(
    new RegExp(`^test \\(${among('train')} images trained on\\): accuracy`),
  );
  await expectRefused(
    ['eval', '--run', 'seed7', '--split-seed', '0', '--strict', ...COMMON],
    /seed7: \d of 7 test images were trained on.* without --strict that is a warning/,
  );
  // Copies of the training images elsewhere, under other names.
  await cp(scratchPath('split/train'), scratchPath('copied/test'), { recursive: true });
  expect((await seen('--data', 'copied', '--dataset', 'folders')).seen!.train).toBeGreaterThan(30);
  expect((await seen('--split', 'train')).seen).toBeNull();
});
