/** Plans: which tasks there are, what experiments share, how plans are joined and read back. */

import { describe, expect, test } from 'vitest';
import { InputError } from '../../../src/errors.js';
import { confusionMatrix } from '../../../src/ptdpc/confusion.js';
import {
  collectExperiment,
  duration,
  type ExperimentName,
  estimate,
  joinPlans,
  PAPER_SETTINGS,
  parsePlan,
  parseResults,
  plannedExperiments,
  planTasks,
  taskOptions,
  trainingWork,
} from '../../../src/ptdpc/experiment/index.js';
import { type CellResult, RESULTS_FORMAT, type SeedResult } from '../../../src/ptdpc/experiment/results.js';
import { PRESETS } from '../../../src/ptdpc/options.js';
import { CLASSES, someEncoder, somePlan, someResults } from './support.js';

const namesOf = (experiments: readonly ExperimentName[], configuration = {}) =>
  planTasks(somePlan({ experiments, seeds: 1 }, configuration)).map(({ name }) => name);

describe('an estimate', () => {
  const sizes = new Map([
    ['fi8', { train: 100, val: 20, test: 30 }],
    ['fi2', { train: 40, val: 0, test: 10 }],
  ]);

  test('counts the images of every training: epochs, learning rates, seeds and templates', () => {
    // Two rates, ten epochs, two seeds.
    const works = trainingWork(somePlan({ experiments: ['table2'] }), sizes);
    expect(works).toHaveLength(2 * 4);
    expect(works).toContainEqual({
      setting: 'fi8',
      mode: 'cs',
      trained: 2 * 10 * 2 * 100,
      evaluated: 2 * (10 * 2 * 20 + 30),
    });
    // Without validation images: a tenth held out for the choice, and a last training on all of them.
    expect(works).toContainEqual({
      setting: 'fi2',
      mode: 'cs',
      trained: 2 * 10 * (2 * 36 + 40),
      evaluated: 2 * (10 * 2 * 4 + 10),
    });
    const templates = trainingWork(somePlan({ experiments: ['table3'], seeds: 1 }, { learningRates: [0.1] }), sizes);
    expect(templates.find(({ setting }) => setting === 'fi8')).toMatchObject({ mode: 'both', trained: 3 * 10 * 100 });
  });

  test('is what was measured times the work, evaluation at half a training step', () => {
    const works = [
      { setting: 'fi8', mode: 'both', trained: 1000, evaluated: 100 },
      { setting: 'fi8', mode: 'cs', trained: 10, evaluated: 0 },
    ] as const;
    const costs = { encoding: 0.25, step: ({ mode }: { mode: string }) => (mode === 'both' ? 0.5 : 2) };
    expect(estimate(40, works, costs)).toEqual({ encoding: 10, training: 1050 * 0.5 + 20 });
    expect([0.2, 40, 720, 12_000].map(duration)).toEqual(['1 s', '40 s', '12 min', '3 h 20 min']);
  });
});

describe('tasks', () => {
  test('a task for every setting, variant and seed, those of a setting together', () => {
    expect(planTasks(somePlan({ experiments: ['table2'] })).map(({ name }) => name)).toEqual(
      ['fi8', 'fi2'].flatMap((setting) =>
        ['none', 'is', 'cs', 'both'].flatMap((mode) => [0, 1].map((seed) => `${setting}.${mode}.seed${seed}`)),
      ),
    );
  });

  test('what experiments share is one task', () => {
    expect(namesOf(['table1']).filter((name) => name.startsWith('fi8'))).toEqual([
      'fi8.zero-shot.seed0',
      'fi8.both.seed0',
    ]);
    expect(namesOf(['table3']).filter((name) => name.startsWith('fi8'))).toEqual([
      'fi8.both.seed0',
      'fi8.both-template2.seed0',
      'fi8.both-template3.seed0',
    ]);
    expect(namesOf(['figure4'])).toEqual(['fi8.both.seed0']);
    const all = namesOf(['table1', 'table2', 'table3', 'table4', 'figure4', 'figure5']);
    expect(new Set(all).size).toBe(all.length);
    // Zero-shot, four modes, two further templates, two probes.
    expect(all).toHaveLength(2 * (1 + 4 + 2 + 2));
    expect(all).toEqual(expect.arrayContaining(['fi8.clip-vit.seed0', 'fi8.clip.seed0']));
  });

  test("with the official preset, whose template is another, the paper's first template is a row of its own", () => {
    expect(namesOf(['table3'], { preset: 'official' })).toContain('fi8.both-template1.seed0');
  });

  test('a demonstration has all of its settings in every experiment', () => {
    const scenes = { name: 'scenes8', label: 'Scenes 8', dataset: 'fi8', root: '/scenes', folds: null };
    const plan = somePlan(
      { settings: [scenes], experiments: ['figure4', 'figure5'], seeds: 1 },
      { demonstration: true },
    );
    expect(planTasks(plan).map(({ name }) => name)).toEqual(['scenes8.both.seed0']);
  });

  test('figure 5 is of one setting per data set', () => {
    const settings = PAPER_SETTINGS.map((name) => ({ name, label: name, dataset: name, root: '/data', folds: null }));
    const names = planTasks(somePlan({ settings, experiments: ['figure5'], seeds: 1 })).map(({ name }) => name);
    expect(names.sort()).toEqual(['emotionroi6', 'fi8', 'twitter1', 'twitter2'].map((name) => `${name}.both.seed0`));
  });
});

test('folds have a seed each and no more, other settings all seeds of the plan', () => {
  const [fi8] = somePlan().settings;
  const twitter1 = { name: 'twitter1', label: 'Twitter I', dataset: 'twitter1', root: '/data/t', folds: 5 };
  const plan = somePlan({ settings: [fi8!, twitter1], experiments: ['figure5'], seeds: 7 });
  const seedsOf = (name: string) =>
    planTasks(plan)
      .filter(({ setting }) => setting.name === name)
      .map(({ seed }) => seed);
  expect(seedsOf('fi8')).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(seedsOf('twitter1')).toEqual([0, 1, 2, 3, 4]);
  // A plan of before does not say that its setting is in folds; a copy of Twitter I with one split is not.
  const written = (setting: object) => JSON.stringify({ ...plan, settings: [setting] });
  const { folds: _, ...before } = twitter1;
  expect(parsePlan(written(before), 'plan.json').settings[0]?.folds).toBe(5);
  expect(parsePlan(written({ ...twitter1, folds: null }), 'plan.json').settings[0]?.folds).toBeNull();
});

test("a task trains by the preset's options, with what the plan replaces and its own", () => {
  const plan = somePlan({}, { epochs: 3, initNoise: 0.3 });
  const task = planTasks(plan).at(-1)!;
  expect(taskOptions(plan, task, { mode: 'cs' })).toEqual({
    ...PRESETS.paper,
    ...{ epochs: 3, initNoise: 0.3, mode: 'cs', seed: task.seed },
  });
});

describe('joining', () => {
  test('experiments, settings and seeds of both', () => {
    const [fi8, fi2] = somePlan().settings;
    const before = somePlan({ experiments: ['table3'], settings: [fi2!], seeds: 5 });
    const now = somePlan({ experiments: ['table1', 'table3'], settings: [fi8!, fi2!], seeds: 2 });
    const joined = joinPlans(before, now, 'plan.json');
    expect(joined).toMatchObject({ experiments: ['table1', 'table3'], settings: [fi2, fi8], seeds: 5 });
  });

  test('the encoders of both, each once, in the order of the table', () => {
    const table4 = { experiments: ['table4'], seeds: 1 } as const;
    const deit = someEncoder('deit');
    for (const [before, now] of [
      [[deit], []],
      [[], [deit]],
      [[deit], [{ ...deit, path: '/elsewhere.pth' }]],
      [[someEncoder('beit'), deit], [someEncoder('alexnet')]],
    ] as const) {
      const joined = joinPlans(somePlan({ ...table4, encoders: before }), somePlan({ ...table4, encoders: now }), 'p');
      const names = joined.encoders.map(({ name }) => name);
      expect(names).toEqual(['alexnet', 'deit', 'beit'].filter((name) => names.includes(name)));
      expect(planTasks(joined).map(({ name }) => name)).toEqual(
        expect.arrayContaining(names.map((name) => `fi8.${name}.seed0`)),
      );
      expect(names).toContain('deit');
    }
    const other = somePlan({ encoders: [someEncoder('deit', { path: '/models/vit.pth', sha256: 'abd' })] });
    expect(() => joinPlans(somePlan({ encoders: [deit] }), other, 'p')).toThrow(
      /^p: a plan with another DeiT \(\/models\/deit.pth, now \/models\/vit.pth\)/,
    );
  });

  test('the same weights elsewhere are the same model; anything else is refused by name', () => {
    const moved = somePlan({}, { model: { directory: '/elsewhere', sha256: 'abc' } });
    expect(joinPlans(somePlan(), moved, 'p').configuration.model.directory).toBe('/elsewhere');
    const refused = (configuration: Parameters<typeof somePlan>[1], message: RegExp) => {
      const join = () => joinPlans(somePlan(), somePlan({}, configuration), 'out/plan.json');
      expect(join).toThrow(InputError);
      expect(join).toThrow(message);
    };
    refused({ model: { directory: '/models/clip', sha256: 'abd' } }, /^out\/plan.json: a plan with another model/);
    refused({ epochs: 3 }, /another epochs \(null, now 3\)/);
    refused({ preset: 'official' }, /another preset/);
    refused({ preprocess: 'clip' }, /another preprocess \("own", now "clip"\)/);
    refused({ truncated: 'read' }, /another truncated \("skip", now "read"\)/);
    refused({ initNoise: 0.3 }, /another initNoise \(0, now 0\.3\)/);
    const settings = [{ ...somePlan().settings[0]!, root: '/data/other' }];
    expect(() => joinPlans(somePlan(), somePlan({ settings }), 'p')).toThrow(/FI 8 at \/data\/fi, now \/data\/other/);
  });
});

test('a plan is read back as it was, and nothing else is taken for one', () => {
  const plan = somePlan();
  const text = JSON.stringify(plan);
  expect(parsePlan(text, 'plan.json')).toEqual(plan);
  // Earlier versions had one encoder, or none, and no choice of preprocessing.
  const { encoders: _, ...before } = plan;
  const { preprocess: __, ...earlier } = plan.configuration;
  expect(parsePlan(JSON.stringify({ ...before, configuration: earlier, deit: null }), 'plan.json')).toEqual(plan);
  const deit = { path: '/models/deit.pth', sha256: 'abc' };
  expect(parsePlan(JSON.stringify({ ...before, deit }), 'plan.json')).toEqual({
    ...plan,
    encoders: [someEncoder('deit')],
  });
  const damaged = ['', '{}', '[]', 'null', text.slice(0, -9), text.replace('"table1"', '"table9"')];
  const { initNoise, ...configuration } = plan.configuration;
  expect(initNoise).toBe(0);
  expect(parsePlan(JSON.stringify({ ...plan, configuration }), 'plan.json')).toEqual(plan);
  for (const other of [...damaged, text.replace('"format":1', '"format":2'), text.replace('"paper"', '"toString"')]) {
    expect(() => parsePlan(other, 'a/plan.json')).toThrow(/^a\/plan.json: expected a plan/);
  }
});

test('a plan is refused whose tasks would lie outside its folder, have no end, or have one name', () => {
  const [setting] = somePlan().settings;
  const refused = (change: object, message: RegExp) =>
    expect(() => parsePlan(JSON.stringify({ ...somePlan(), ...change }), 'plan.json')).toThrow(message);
  for (const name of ['../../outside', '/etc', 'a/b', 'a\\b', '..', '.hidden', '', 'a'.repeat(65)]) {
    refused({ settings: [{ ...setting, name }] }, /found ".*" at settings\.0\.name$/);
  }
  refused({ seeds: 1e9 }, /found 1000000000 at seeds$/);
  refused({ experiments: Array(100_000).fill('table1') }, /at experiments$/);
  refused({ settings: Array.from({ length: 33 }, (_, i) => ({ ...setting, name: `s${i}` })) }, /at settings$/);
  refused({ settings: [setting, setting] }, /at settings$/);
  const configuration = (change: object) => ({ configuration: { ...somePlan().configuration, ...change } });
  refused(configuration({ learningRates: [] }), /at configuration\.learningRates$/);
  refused(configuration({ initNoise: -1 }), /found -1 at configuration\.initNoise$/);
  refused(configuration({ epochs: 0.5 }), /found 0\.5 at configuration\.epochs$/);
});

test('results of an experiment are refused if their parts do not fit together', () => {
  const plan = somePlan({ experiments: ['figure4'] });
  const collected = collectExperiment(plan, plannedExperiments(plan)[0]!, someResults(plan));
  expect(parseResults(JSON.stringify(collected), 'results.json')).toEqual(collected);
  const read = (change: (cell: CellResult) => object, format = RESULTS_FORMAT as number) =>
    parseResults(JSON.stringify({ ...collected, format, cells: collected.cells.map(change) }), 'results.json');
  const refused = (confusion: object) =>
    expect(() => read(({ confusionPairs: _, ...cell }) => ({ ...cell, ...confusion }))).toThrow(
      /found (something else|Object at cells\.0)/,
    );
  refused({});
  refused({ confusionPairs: { classes: 1, pairs: [[0, 0, 1]] } });
  refused({ confusionPairs: { classes: CLASSES.length, pairs: [[0, CLASSES.length, 1]] } });
  refused({ confusion: [[1]] });
  // Format 1 had the matrix.
  const before = ({ confusionPairs, ...rest }: CellResult | SeedResult) => ({
    ...rest,
    confusion: confusionMatrix(confusionPairs),
  });
  expect(read((cell) => ({ ...before(cell), seeds: cell.seeds.map(before), confusionShares: [] }), 1)).toEqual(
    collected,
  );
});
