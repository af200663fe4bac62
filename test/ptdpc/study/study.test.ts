/** A study's file: what it means, and that a wrong one is refused with its place, what was expected and what was found. */
import { describe, expect, test } from 'vitest';
import { LEARNERS } from '../../../src/learners/index.js';
import { contextOptions } from '../../../src/learners/prompts/index.js';
import { tuningOptions } from '../../../src/ptdpc/index.js';
import {
  collectStudy,
  joinStudies,
  parseStudy,
  parseStudyPlan,
  rowWork,
  STUDY_LEARNERS,
  type StudyDataset,
  type StudyPlan,
  studyRow,
  studyTasks,
} from '../../../src/ptdpc/study/index.js';
import { expectInputError } from '../../clip/checkpoint/support.js';

const STUDY = {
  title: 'A study',
  model: 'clip',
  data: [{ name: 'pets', path: 'data/pets' }],
  shots: [1, 16, 'all'],
  seeds: 2,
  learners: [
    { learner: 'zero-shot' },
    { learner: 'coop', options: { context: 4 } },
    { learner: 'coop', name: 'coop-tuned', options: { 'batch-size': 8 }, lr: 'auto', keep: 'best' },
    { learner: 'lp++' },
  ],
};

const parse = (value: unknown) => parseStudy(JSON.stringify(value), 'study.json');
const withLearner = (...learners: unknown[]) => ({ ...STUDY, learners });

test('says what is computed: rows with names of their own, published options, and those of the file', () => {
  const { rows, shots, data, seeds } = parse(STUDY);
  expect(shots).toEqual([1, 16, null]);
  expect(seeds).toBe(2);
  expect(data).toEqual([{ name: 'pets', label: 'pets', path: 'data/pets', dataset: null, splitSeed: null }]);
  expect(rows.map(({ name, label }) => [name, label])).toEqual([
    ['zero-shot', 'CLIP, zero-shot'],
    ['coop', 'CoOp'],
    ['coop-tuned', 'CoOp'],
    ['lpplusplus', 'LP++'],
  ]);
  const [zeroShot, coop, tuned] = rows.map((row) => rowWork(row, 1, 3));
  expect(zeroShot).toEqual({ kind: 'zero-shot', template: 'a photo of a {}.' });
  if (coop?.kind !== 'prompts' || tuned?.kind !== 'prompts') throw new Error('not prompts');
  // CoOp trains for 50 epochs on one image of each class.
  expect(coop.rates).toEqual([0.002]);
  expect(coop.options(0.002)).toEqual(contextOptions('coop', { context: 4, epochs: 50, seed: 3 }));
  expect(tuned.rates).toEqual([0.1, 0.01, 0.001]);
  expect(tuned.options(0.1)).toMatchObject({ batchSize: 8, keep: 'best', learningRate: 0.1 });
  const onAll = rowWork(rows[1]!, null, 0);
  expect(onAll.kind === 'prompts' && onAll.options(0.002)).toEqual(contextOptions('coop', { context: 4 }));
});

const WITH_FEATURES = LEARNERS.filter(({ space }) => space !== 'images');

test('every learner that takes features can be a row, with its own defaults', () => {
  for (const { name, defaults } of WITH_FEATURES) {
    const work = rowWork(studyRow({ learner: name }), null, 7);
    const { seed: _, ...own } = defaults as Record<string, unknown>;
    if (work.kind === 'prompts') expect(work.options(work.rates[0]!)).toMatchObject({ ...own, seed: 7 });
    else expect(work).toMatchObject({ kind: 'features', options: { ...own, seed: 7 } });
  }
  const official = rowWork(studyRow({ learner: 'pt-dpc', options: { preset: 'official' } }), null, 0);
  expect(official.kind === 'prompts' && official.options(0.01)).toEqual(tuningOptions('official'));
});

describe('what is refused', () => {
  test.each([
    [withLearner({ learner: 'cop' }), 'learners[0] (cop): expected one of', 'found "cop" (did you mean coop?)'],
    [
      withLearner({ learner: 'taskres', options: { ratio: 1 } }),
      'learners[0]',
      'options.ratio: not an option of taskres, which takes',
    ],
    [withLearner({ learner: 'coop', options: { contxt: 4 } }), 'options.contxt', '(did you mean context?)'],
    [withLearner({ learner: 'coop', options: { context: 0 } }), '--context: expected a whole number', 'found 0'],
    [withLearner({ learner: 'coop', options: { batchSize: 1, 'batch-size': 2 } }), 'given twice'],
    [withLearner({ learner: 'coop', options: { seed: 1 } }), 'options.seed: seeds are those of the study'],
    [withLearner({ learner: 'clap', lr: 'auto' }), 'learners[0] (clap): lr: expected none'],
    [
      withLearner({ learner: 'coop', lr: 'fast' }),
      'learners[0].lr: expected "auto", a learning rate, or a list of some',
    ],
    [
      withLearner({ learner: 'coop' }, { learner: 'coop' }),
      'learners: coop is there twice; give one of them another "name"',
    ],
    [withLearner({ learner: 'coop', name: '../x' }), 'learners[0].name: expected lower-case letters'],
    [withLearner({ learner: 'coop', option: {} }), 'learners[0].option: not a field here', '(did you mean options?)'],
    [withLearner(), 'learners: expected at least one'],
    [{ ...STUDY, shots: [] }, 'shots: expected at least one'],
    [{ ...STUDY, shots: [0] }, 'shots[0]: expected a whole number from 1 on, or "all"'],
    [{ ...STUDY, shots: [1, 1] }, 'shots: 1 is there twice'],
    [{ ...STUDY, seeds: 0 }, 'seeds: expected a whole number from 1'],
    [{ ...STUDY, demo: true }, 'either "data"', 'found both'],
    [{ ...STUDY, data: undefined }, 'either "data"', 'found neither'],
    [{ ...STUDY, data: undefined, demo: ['scenes9'] }, 'demo: expected some of scenes8, scenes2, found scenes9'],
    [{ ...STUDY, data: undefined, demo: 'all' }, 'demo: expected true, false, or a list of its data sets'],
    [{ ...STUDY, data: [...STUDY.data, ...STUDY.data] }, 'data: pets is there twice'],
    [{ ...STUDY, data: [{ name: 'a', path: 'a', dataset: 'fi9' }] }, 'data[0].dataset: expected one of', '"fi9"'],
    [{ ...STUDY, titl: 'x' }, 'titl: not a field here', '(did you mean title?)'],
    [{ ...STUDY, title: undefined }, 'title: missing'],
    [
      {
        ...STUDY,
        seeds: 100,
        shots: Array.from({ length: 32 }, (_, i) => i + 1),
        data: Array.from({ length: 9 }, (_, i) => ({ name: `d${i}`, path: 'd' })),
      },
      '9 data sets x 32 numbers of images x 100 seeds x 4 learners: expected at most',
    ],
    [[], 'expected a study'],
  ] as [value: unknown, ...parts: string[]][])('%j', async (value, ...parts) => {
    await expectInputError(async () => parse(value), 'study.json: ', ...parts);
  });

  test('all of the demonstration, or some', () => {
    const demoOf = (demo: unknown) => parse({ ...STUDY, data: undefined, demo }).demo;
    expect(demoOf(true)).toEqual(['scenes8', 'scenes2']);
    expect(demoOf(['scenes2'])).toEqual(['scenes2']);
    expect(parse(STUDY).demo).toBeNull();
  });

  test('what is no JSON', async () => {
    await expectInputError(async () => parseStudy('{', 'study.json'), 'study.json', 'expected a study as JSON');
  });
});

const DATASET: StudyDataset = {
  ...{ name: 'pets', label: 'Pets', dataset: null, root: '/data/pets', folds: null, splitSeed: null, sameTest: true },
};

const plan = (changes: Partial<StudyPlan> = {}): StudyPlan => ({
  program: '1.0.0',
  configuration: {
    ...{ format: 1, demonstration: false, strict: false, truncated: 'skip', testSelection: true },
    model: { directory: '/clip', sha256: 'a'.repeat(64) },
  },
  title: 'A study',
  datasets: [DATASET],
  shots: [1, null],
  seeds: 2,
  rows: parse(STUDY).rows,
  ...changes,
});

test('tasks: each row, number of images and seed; one zero-shot for all, where the test images are the same', () => {
  const names = studyTasks(plan()).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => name.includes('zero-shot'))).toEqual(['pets.zero-shot.seed0']);
  expect(names.filter((name) => name.includes('.coop.'))).toEqual([
    'pets.coop.shots1.seed0',
    'pets.coop.shots1.seed1',
    'pets.coop.shotsall.seed0',
    'pets.coop.shotsall.seed1',
  ]);
  const drawn = plan({ datasets: [{ ...DATASET, sameTest: false }] });
  expect(
    studyTasks(drawn)
      .filter(({ row }) => row.name === 'zero-shot')
      .map(({ seed }) => seed),
  ).toEqual([0, 1]);
  // A fold for each seed, and no seed beyond them.
  const folds = plan({ seeds: 9, datasets: [{ ...DATASET, folds: 5, sameTest: false }] });
  expect(Math.max(...studyTasks(folds).map(({ seed }) => seed))).toBe(4);
});

test('a zero-shot result stands at every number of images and every seed; what has no result is missing', () => {
  const result = {
    ...{ seed: 0, task: 'pets.zero-shot.seed0', device: 'cpu', count: 2, accuracy: 0.5, balancedAccuracy: 0.5 },
    ...{ macroF1: 0.5, loss: 1, calibrationError: 0.1, distribution: null, train: 0, val: null },
    ...{ imagesSha256: 'b', correct: '10', cost: { seconds: 0, flops: 0, parameters: 0, peakBytes: 0 }, onTest: null },
  };
  const found = collectStudy(
    plan(),
    new Map([['pets.zero-shot.seed0', { classes: ['cat', 'dog'], result, skipped: 0 }]]),
  );
  expect(found.cells).toHaveLength(8);
  for (const cell of found.cells) {
    if (cell.row === 'zero-shot')
      expect(cell.seeds.map(({ seed, accuracy }) => [seed, accuracy])).toEqual([
        [0, 0.5],
        [1, 0.5],
      ]);
    else expect([cell.seeds, cell.missing]).toEqual([[], [0, 1]]);
  }
  expect(found.datasets).toEqual([{ name: 'pets', label: 'Pets', classes: ['cat', 'dog'] }]);
  expect(found.rows[1]).toMatchObject({
    learner: 'coop',
    options: { context: 4 },
    paper: { url: expect.stringContaining('http') },
  });
});

describe('studies in one folder', () => {
  test('are read back as they are written, and one that adds is joined', () => {
    const before = plan({ rows: [studyRow({ learner: 'coop' })] });
    expect(parseStudyPlan(JSON.stringify(before), 'study.json')).toEqual(before);
    const joined = joinStudies(before, plan({ shots: [4], seeds: 1, rows: [studyRow({ learner: 'clap' })] }), 'p');
    expect(joined.shots).toEqual([1, 4, null]);
    expect(joined.seeds).toBe(2);
    expect(joined.rows.map(({ name }) => name)).toEqual(['coop', 'clap']);
  });

  test('the order of the keys is no difference', () => {
    const turned = Object.fromEntries(Object.entries(DATASET).reverse()) as unknown as StudyDataset;
    expect(joinStudies(plan(), plan({ datasets: [turned] }), 'p').datasets).toHaveLength(1);
  });

  test.each([
    [
      { configuration: { ...plan().configuration, model: { directory: '/other', sha256: 'c' } } },
      'another model (/clip, now /other)',
    ],
    [{ configuration: { ...plan().configuration, testSelection: false } }, 'another testSelection (true, now false)'],
    [{ datasets: [{ ...DATASET, root: '/elsewhere' }] }, 'other images as pets (/data/pets, now /elsewhere)'],
    [{ rows: [studyRow({ learner: 'coop', options: { context: 5 } })] }, 'another coop'],
  ])('%j is refused', async (changes, message) => {
    await expectInputError(
      async () => joinStudies(plan(), plan(changes), 'out/study.json'),
      'out/study.json',
      message,
      'choose another --out',
    );
  });

  test('a row of another program that this one cannot compute is refused', async () => {
    const rows = [{ name: 'x', label: 'x', learner: 'x', options: {} }];
    await expectInputError(async () => parseStudyPlan(JSON.stringify(plan({ rows })), 'study.json'), 'study.json');
  });
});

test('the names of learners are those of ptdpc learners that take features, and two to compare with', () => {
  expect(STUDY_LEARNERS).toEqual(['zero-shot', ...WITH_FEATURES.map(({ name }) => name), 'probe']);
});
