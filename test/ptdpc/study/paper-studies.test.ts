/** The paper's tables as files of studies train exactly as the experiments of the same names. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import {
  experiment,
  PAPER_LEARNING_RATES,
  PAPER_SETTINGS,
  PLAN_FORMAT,
  type Plan,
  type Task,
  taskOptions,
} from '../../../src/ptdpc/experiment/index.js';
import { classText, probeOptions } from '../../../src/ptdpc/index.js';
import { parseStudy, rowWork } from '../../../src/ptdpc/study/index.js';

const PLAN: Plan = {
  program: '1.0.0',
  configuration: {
    ...{ format: PLAN_FORMAT, demonstration: false, preset: 'paper', epochs: null, batchSize: null, initNoise: 0 },
    ...{ learningRates: PAPER_LEARNING_RATES, model: { directory: '/clip', sha256: '0' } },
    ...{ strict: false, truncated: 'skip', preprocess: 'own' },
  },
  ...{ encoders: [], experiments: [], settings: [], seeds: 5 },
};

test.each(['table1', 'table2', 'table3', 'table4'] as const)('docs/studies/%s.json', async (name) => {
  const path = new URL(`../../../docs/studies/${name}.json`, import.meta.url);
  const study = parseStudy(await readFile(path, 'utf8'), name);
  const { rows } = experiment(name, 'paper');
  expect(study.data.map(({ dataset }) => dataset)).toEqual(PAPER_SETTINGS);
  expect([study.shots, study.seeds]).toEqual([[null], 5]);
  expect(study.rows.map((row) => [row.name, row.label])).toEqual(
    rows.map(({ variant }) => [variant.name, variant.label]),
  );
  for (const [i, { variant }] of rows.entries()) {
    const seed = i + 2;
    const work = rowWork(study.rows[i]!, null, seed);
    const options = (learningRate: number, own: object = {}) =>
      taskOptions(PLAN, { seed } as Task, { ...own, learningRate });
    if (variant.work.kind === 'prompts' && work.kind === 'prompts') {
      const { mode, template } = variant.work;
      expect(work.rates).toEqual(PAPER_LEARNING_RATES);
      for (const rate of work.rates) expect(work.options(rate)).toEqual(options(rate, { mode, template }));
    } else if (variant.work.kind === 'probe' && work.kind === 'probe') {
      expect(`clip-${work.features}`).toBe(variant.work.encoder);
      expect(work.rates).toEqual(PAPER_LEARNING_RATES);
      expect(work.options).toEqual(probeOptions(options(0.1)));
    } else if (variant.work.kind === 'zero-shot' && work.kind === 'zero-shot')
      expect(classText(work.template, 'awe')).toBe(classText(variant.work.template, 'awe'));
    else throw new Error(`${variant.name} is ${work.kind} in the study`);
  }
});
