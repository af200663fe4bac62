/** Results of evaluations in a run's folder: by data set and split, none in the place of another, and their pictures in the report. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { encodePng } from '../../src/clip/image/index.js';
import { sha256 } from '../../src/node/feature-segment.js';
import { rememberFolder } from '../../src/node/known-folders.js';
import { writeRunReport } from '../../src/node/report/index.js';
import { readRunReport } from '../../src/node/report/read-run.js';
import {
  type EvaluatedSplit,
  listResults,
  readResult,
  resultName,
  writeResult,
  writeResultInBlocks,
} from '../../src/node/results.js';
import { EvaluationTally, evaluate } from '../../src/ptdpc/index.js';
import { jsonText } from '../../src/ptdpc/parse-json.js';
import { expectInputError } from '../clip/checkpoint/support.js';
import { runRecord } from '../support/run-record.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();

beforeAll(async () => {
  process.env.PTDPC_CACHE = scratch('cache');
  await rememberFolder(scratch(''));
});
const RECORD = runRecord();

/** Two images, one of each class; the logits say which class is predicted of each. */
function evaluated(root: string, logits: readonly number[], more: Partial<EvaluatedSplit> = {}): EvaluatedSplit {
  const labels = Int32Array.of(0, 1);
  const images: EvaluatedSplit['images'] = {
    labels,
    paths: ['awe/a.png', 'great_joy/b.png'].map((path) => join(root, 'test', path)),
    hashes: [sha256(`${root} a`), sha256(`${root} b`)],
    truncated: [],
    skipped: [{ path: join(root, 'test/awe/c.png'), reason: 'no image' }],
  };
  return {
    dataset: { root, setting: 'folders', origin: { kind: 'given' } },
    split: 'test',
    classes: RECORD.classes,
    images,
    evaluation: evaluate(Float32Array.from(logits), labels, 2),
    epochs: 3,
    device: 'CPU',
    ...more,
  };
}

const RIGHT = [9, 0, 0, 9];
const WRONG = [0, 9, 9, 0];
const [own, other] = [scratch('own/data'), scratch('other/data')];

beforeAll(async () => {
  for (const root of [own, other]) {
    for (const name of ['awe/a', 'great_joy/b']) {
      await mkdir(join(root, 'test', name, '..'), { recursive: true });
      const pixels = new Uint8Array(16 * 16 * 3).fill(root === own ? 10 : 250);
      await writeFile(join(root, 'test', `${name}.png`), encodePng(pixels, 16, 16));
    }
  }
});

async function newRun(name: string): Promise<string> {
  const run = scratch(name);
  await mkdir(run);
  await writeFile(join(run, 'run.json'), JSON.stringify({ ...RECORD, data: own }));
  return run;
}

test('each data set and split has a result of its own, though two have the same name', async () => {
  const run = await newRun('several');
  const first = await writeResult(run, evaluated(own, RIGHT));
  expect(first).toEqual({ path: join(run, 'results/data-test.json'), before: 'none' });
  const bytes = await readFile(first.path, 'utf8');
  await writeResult(run, evaluated(own, WRONG, { split: 'val' }));
  const second = await writeResult(run, evaluated(other, WRONG));
  expect(second.before).toBe('none');
  expect(await readFile(first.path, 'utf8')).toBe(bytes);
  const { imagesSha256 } = await readResult(second.path);
  expect((await listResults(run)).map((path) => path.slice(`${run}/results/`.length))).toEqual(
    [`data-${imagesSha256.slice(0, 8)}-test.json`, 'data-test.json', 'data-val.json'].sort(),
  );
  expect(JSON.parse(bytes)).toMatchObject({
    ...{ dataset: 'data', setting: 'folders', origin: { kind: 'given' }, data: own, split: 'test', epochs: 3 },
    ...{ count: 2, accuracy: 1, skipped: [{ path: 'test/awe/c.png', reason: 'no image' }] },
  });
  expect(await readFile(join(run, 'results/data-test.csv'), 'utf8')).toMatch(
    /^path,actual,predicted,p\(awe\),p\(great joy\)\ntest\/awe\/a\.png,awe,awe,0\.99/,
  );

  // Its own data set first; every picture from the data set that was evaluated.
  const { evaluations } = await readRunReport(run);
  expect(evaluations.map(({ split, accuracy }) => [split, accuracy])).toEqual([
    ['test', 1],
    ['val', 0],
    ['test', 0],
  ]);
  const [right, , wrong] = evaluations;
  expect(right!.right.map(({ path }) => path)).toEqual([
    join(own, 'test/awe/a.png'),
    join(own, 'test/great_joy/b.png'),
  ]);
  expect(wrong!.wrong.map(({ path }) => path)).toEqual([
    join(other, 'test/awe/a.png'),
    join(other, 'test/great_joy/b.png'),
  ]);
  expect(right!.right[0]!.url).toMatch(/^data:image/);
  expect(wrong!.wrong[0]!.url).not.toBe(right!.right[0]!.url);
});

test('the same question again leaves the file alone; after more epochs it replaces its own answer only', async () => {
  const run = await newRun('again');
  const { path } = await writeResult(run, evaluated(own, WRONG));
  expect(await writeResult(run, evaluated(own, WRONG))).toEqual({ path, before: 'same' });
  expect(await writeResult(run, evaluated(own, RIGHT, { epochs: 5 }))).toEqual({ path, before: 'replaced' });
  expect(await readResult(path)).toMatchObject({
    epochs: 5,
    confusionPairs: {
      classes: 2,
      pairs: [
        [0, 0, 1],
        [1, 1, 1],
      ],
    },
  });
  expect((await readdir(join(run, 'results'))).sort()).toEqual(['data-test.csv', 'data-test.json']);
});

test('a result of an earlier version, with the square matrix only, is read as its pairs', async () => {
  const run = await newRun('earlier');
  const { path } = await writeResult(run, evaluated(own, WRONG));
  const { format, confusionPairs, ...before } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  expect([format, before.confusion]).toEqual([
    2,
    [
      [0, 1],
      [1, 0],
    ],
  ]);
  await writeFile(path, jsonText(before));
  expect((await readResult(path)).confusionPairs).toEqual({ classes: 2, pairs: confusionPairs });
  await writeFile(path, jsonText({ ...before, confusionPairs: [[0, 2, 1]] }));
  await expectInputError(readResult(path), /expected the result of an evaluation/);
});

test('a result of 10,000 classes has the pairs that occur, and no matrix; its predictions come block by block', async () => {
  const run = await newRun('many');
  const classes = Array.from({ length: 10_000 }, (_, c) => ({ folder: `c${c}`, word: `c${c}` }));
  const tally = new EvaluationTally(classes.length);
  const images = evaluated(own, RIGHT).images;
  const scored = { ...evaluated(own, RIGHT), classes };
  const { path } = await writeResultInBlocks(run, scored, async (add) => {
    for (const [i, label] of images.labels.entries()) {
      const logits = new Float32Array(classes.length);
      logits[9_999 - label] = 20;
      const some = { paths: images.paths.slice(i, i + 1), labels: Int32Array.of(label) };
      await add(some, tally.add(logits, some.labels));
    }
    return { ...scored, evaluation: tally.metrics() };
  });
  const text = await readFile(path, 'utf8');
  expect(text.length).toBeLessThan(2e6);
  expect(JSON.parse(text)).not.toHaveProperty('confusion');
  const { confusionPairs, predictionsSha256, mostConfident } = await readResult(path);
  expect(confusionPairs.pairs).toEqual([
    [0, 9_999, 1],
    [1, 9_998, 1],
  ]);
  expect(mostConfident.wrong?.predicted).toBe('c9999');
  const csv = await readFile(path.replace(/json$/, 'csv'));
  expect(sha256(csv)).toBe(predictionsSha256);
  expect(csv.toString().split('\n')).toHaveLength(4);
});

test('what is no result is neither replaced nor shown', async () => {
  const run = await newRun('damaged');
  const { path } = await writeResult(run, evaluated(own, RIGHT));
  await writeFile(path, '{}');
  const message = /results\/data-test\.json: expected the result of an evaluation/;
  await expectInputError(writeResult(run, evaluated(own, RIGHT)), message);
  await expectInputError(readRunReport(run), message);
  // A path that leads out of its data set shows no picture.
  await writeResult(await newRun('outside'), evaluated(own, RIGHT));
  const csv = join(scratch('outside'), 'results/data-test.csv');
  const text = await readFile(csv, 'utf8');
  await writeFile(csv, text.replace('test/awe/a.png', '../../other/data/test/awe/a.png'));
  const [evaluation] = (await readRunReport(scratch('outside'))).evaluations;
  expect(evaluation!.right.map(({ url }) => url === null)).toEqual([true, false]);
});

test('a name says what sets a data set apart', () => {
  const published = { kind: 'published' } as const;
  expect(resultName({ root: '/d/EmoSet-118K', setting: 'emoset8', origin: published })).toBe('emoset8');
  const folds = { kind: 'seeded-fold', seed: 2, fold: 3, folds: 5 } as const;
  expect(resultName({ root: '/d/E', setting: 'emotionroi6', origin: folds })).toBe('emotionroi6-fold3-seed2');
  const first = { kind: 'seeded', seed: 0 } as const;
  expect(resultName({ root: '/d/my pets: 2', setting: 'folders', origin: first })).toBe('my-pets-2');
  expect(resultName({ root: '/d/cats.csv', setting: 'manifest', origin: first })).toBe('cats');
  expect(resultName({ root: '/d/dogs/manifest.json', setting: 'manifest', origin: first })).toBe('dogs');
  expect(resultName({ root: '/', setting: 'folders', origin: first })).toBe('data');
});

test('a thousand images of a thousand classes are written and reported', async () => {
  const size = 1000;
  const words = Array.from({ length: size }, (_, c) => `class ${c}`);
  const classes = words.map((word) => ({ folder: word, word }));
  const labels = Int32Array.from({ length: size }, (_, i) => i);
  // Every tenth image is taken for the next class.
  const guesses = Array.from(labels, (label) => (label % 10 === 0 ? (label + 1) % size : label));
  const logits = Float32Array.from({ length: size * size }, (_, at) => {
    const [image, c] = [Math.floor(at / size), at % size];
    return c === guesses[image] ? 9 : Math.sin(at);
  });
  const run = scratch('thousand');
  await mkdir(run);
  await writeFile(join(run, 'run.json'), JSON.stringify({ ...RECORD, classes, data: own }));
  const paths = words.map((word) => join(own, 'test', word, 'a.png'));
  const hashes = words.map(sha256);
  const images = { features: new Float32Array(0), labels, paths, hashes, skipped: [], truncated: [] };
  const { path } = await writeResult(
    run,
    evaluated(own, RIGHT, { classes, images, evaluation: evaluate(logits, labels, size) }),
  );
  // Cells of predictions alone are more than the bound of a configuration file.
  expect((await stat(path.replace('.json', '.csv'))).size).toBeGreaterThan(16 * 2 ** 20);
  expect((await stat(path)).size).toBeLessThan(8 * 2 ** 20);
  const [{ accuracy, count } = {}] = (await readRunReport(run)).evaluations;
  expect([accuracy, count]).toEqual([0.9, size]);
  expect(await readFile(await writeRunReport(run), 'utf8')).toContain('class 990');
});

test('matrices in JSON take a line for each row', () => {
  const value = { matrix: [[1, -2.5e-7, null], []], words: ['1,\n2', 'a'], one: [3] };
  expect(JSON.parse(jsonText(value))).toEqual(value);
  expect(
    jsonText({
      matrix: [
        [1, 2],
        [3, null],
      ],
    }),
  ).toBe('{\n  "matrix": [\n    [1, 2],\n    [3, null]\n  ]\n}');
});
