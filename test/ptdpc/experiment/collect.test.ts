/** From results of tasks to results of experiments. */

import { describe, expect, test } from 'vitest';
import { confusionMatrix } from '../../../src/ptdpc/confusion.js';
import {
  collectExperiment,
  type ExperimentName,
  experiment,
  inTableOrder,
  markdownReport,
  PAPER_SETTINGS,
  type Plan,
  planTasks,
  sampleStd,
  TABLE_2,
  TABLE_3,
  TABLE_4,
} from '../../../src/ptdpc/experiment/index.js';
import type { PreprocessChoice } from '../../../src/ptdpc/options.js';
import { CLASSES, someEncoder, somePlan, someResult, someResults } from './support.js';

const collect = (name: ExperimentName, plan: Plan = somePlan(), without?: RegExp) =>
  collectExperiment(plan, experiment(name, 'paper'), someResults(plan, without));

describe('cells', () => {
  test('a cell for every row and column, with the statistics of its seeds and the figure of the paper', () => {
    const results = collect('table2');
    expect(results.cells.map(({ variant, setting }) => `${variant} ${setting}`)).toEqual(
      ['none', 'is', 'cs', 'both'].flatMap((variant) => [`${variant} fi8`, `${variant} fi2`]),
    );
    for (const cell of results.cells) {
      const values = cell.seeds.map(({ accuracy }) => accuracy);
      expect(cell.missing).toEqual([]);
      expect(cell.seeds.map(({ seed }) => seed)).toEqual([0, 1]);
      expect(cell.accuracy?.mean).toBeCloseTo((values[0]! + values[1]!) / 2, 12);
      expect(cell.accuracy?.std).toBe(sampleStd(values));
      const column = (PAPER_SETTINGS as readonly string[]).indexOf(cell.setting);
      expect(cell.paper).toBe(TABLE_2[cell.variant as 'none'][column]);
      expect(cell.difference).toBeCloseTo(cell.accuracy!.mean - cell.paper!, 12);
    }
    expect(results.settings.map(({ classes }) => classes)).toEqual([CLASSES, CLASSES]);
  });

  test('confusions are summed over the seeds', () => {
    const plan = somePlan();
    const [cell] = collect('figure4', plan).cells;
    const single = planTasks(plan)
      .filter(({ name }) => name.startsWith('fi8.both.'))
      .map((task) => confusionMatrix(someResult(task).result.result.confusionPairs));
    expect(single).toHaveLength(2);
    expect(confusionMatrix(cell!.confusionPairs)).toEqual(
      single[0]!.map((row, i) => row.map((count, j) => count + single[1]![i]![j]!)),
    );
  });

  test('what is not done is listed as missing, and the rest is there', () => {
    const { cells, spread } = collect('table3', somePlan(), /template3|fi2\.both\.seed1/);
    const find = (variant: string, setting: string) =>
      cells.find((cell) => cell.variant === variant && cell.setting === setting)!;
    expect(find('both-template3', 'fi8')).toMatchObject({
      missing: [0, 1],
      accuracy: null,
      difference: null,
      confusionPairs: { classes: 0, pairs: [] },
    });
    expect(find('both', 'fi2')).toMatchObject({ missing: [1], accuracy: { count: 1, std: null, interval: null } });
    expect(spread).toMatchObject([
      { setting: 'fi8', std: null, paper: TABLE_3.std[0] },
      { setting: 'fi2', std: null, paper: TABLE_3.std[2] },
    ]);
  });
});

test("Table 3's spread is the sample standard deviation of the templates' means", () => {
  const { cells, spread } = collect('table3');
  const means = cells.filter(({ setting }) => setting === 'fi8').map(({ accuracy }) => accuracy!.mean);
  expect(means).toHaveLength(3);
  expect(spread[0]?.std).toBe(sampleStd(means));
});

describe("Table 4's encoders", () => {
  const labels = (encoders: Plan['encoders'], preprocess: PreprocessChoice = 'own') => {
    const plan = somePlan({ encoders }, { preprocess });
    const planned = experiment('table4', 'paper', { encoders, preprocess });
    const results = collectExperiment(plan, planned, someResults(plan));
    const row = (variant: string) => results.cells.filter((cell) => cell.variant === variant).map(({ paper }) => paper);
    return {
      results,
      row,
      rows: results.variants.map(({ label }) => label),
      quoted: results.quoted.map(({ label }) => label),
    };
  };

  test('are quoted where the plan has none', () => {
    const { row, rows, quoted } = labels([]);
    expect(row('clip-vit')).toEqual([TABLE_4.clipVit[0], TABLE_4.clipVit[2]]);
    expect(row('clip')).toEqual([TABLE_4.clip[0], TABLE_4.clip[2]]);
    expect(rows).toEqual(['CLIP-ViT', 'CLIP', 'PT-DPC']);
    expect(quoted).toEqual(['ImageNet-AlexNet', 'ImageNet-VGG16', 'ImageNet-Res101', 'DeiT', 'BEiT']);
  });

  test("are rows beside the paper's figures where the plan has them, also such as the paper has not", () => {
    const encoders = inTableOrder(['resnet50', 'deit', 'alexnet'].map((name) => someEncoder(name)));
    const { results, row, rows, quoted } = labels(encoders);
    expect(rows).toEqual(['ImageNet-AlexNet', 'DeiT', 'ResNet50', 'CLIP-ViT', 'CLIP', 'PT-DPC']);
    expect(quoted).toEqual(['ImageNet-VGG16', 'ImageNet-Res101', 'BEiT']);
    const { row: deit } = TABLE_4.encoders.DeiT;
    expect([row('deit'), row('resnet50')]).toEqual([
      [deit[0], deit[2]],
      [null, null],
    ]);
    const text = markdownReport(results);
    expect(text).toContain(
      '- DeiT: a linear layer on the features of deit.pth (SHA-256 abc...), with its own image preprocessing',
    );
    expect(text).toContain("Images prepared in the encoder's own way");
  });

  test('say that they have random weights, and then stand beside no figure of the paper', () => {
    const { results, row, rows, quoted } = labels([someEncoder('beit', { random: true })], 'clip');
    expect(rows[0]).toBe('BEiT (random)');
    expect(row('beit')).toEqual([null, null]);
    expect(quoted).toContain('BEiT');
    const text = markdownReport(results);
    expect(text).toMatch(/BEiT \(random\)ᵃ/);
    expect(text).toContain(
      "Not the published encoder: a small stand-in with random weights. Images prepared as CLIP's are",
    );
    expect(text).toContain("with CLIP's image preprocessing");
  });
});

test('quoted rows have the columns of the plan, in its order', () => {
  const { quoted, source } = collect('table1');
  expect(source).toMatch(/2201\.10963/);
  expect(quoted.find(({ label }) => label.startsWith('SentiBank'))?.accuracies).toEqual([0.4923, 0.5647]);
});

test("figure 5 has the surest right and the surest wrong case of each data set's first seed", () => {
  const plan = somePlan();
  const { cases } = collect('figure5', plan);
  expect(cases.map(({ setting, seed, kind }) => [setting, seed, kind])).toEqual([
    ['fi8', 0, 'right'],
    ['fi8', 0, 'wrong'],
  ]);
  const task = planTasks(plan).find(({ name }) => name === 'fi8.both.seed0')!;
  const { logits, labels } = someResult(task);
  // By hand: of all images, the largest softmax among the right and among the wrong ones.
  const best = { right: 0, wrong: 0 };
  labels.forEach((label, i) => {
    const row = Array.from(logits.subarray(3 * i, 3 * i + 3), Math.exp);
    const top = Math.max(...row) / row.reduce((a, b) => a + b);
    const kind = row.indexOf(Math.max(...row)) === label ? 'right' : 'wrong';
    best[kind] = Math.max(best[kind], top);
  });
  for (const one of cases) {
    expect(one.probability).toBeCloseTo(best[one.kind], 6);
    expect(one.kind === 'right').toBe(one.actual === one.predicted);
    expect(one.probabilities[(CLASSES as readonly string[]).indexOf(one.predicted)]).toBe(one.probability);
  }
});

test('a demonstration stands beside no figure of the paper', () => {
  const scenes = { name: 'scenes8', label: 'Scenes 8', dataset: 'fi8', root: '/scenes', folds: null };
  const results = collect('table1', somePlan({ settings: [scenes] }, { demonstration: true }));
  expect(results).toMatchObject({ demonstration: true, source: null, quoted: [] });
  for (const { paper, difference } of results.cells) expect([paper, difference]).toEqual([null, null]);
});
