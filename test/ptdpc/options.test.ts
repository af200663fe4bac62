import { expect, test } from 'vitest';
import { InputError } from '../../src/errors.js';
import {
  PRESETS,
  parseTuningOptions,
  stepLearningRate,
  type TuningOptions,
  tuningOptions,
} from '../../src/ptdpc/options.js';

test('the presets differ as the paper and the published code do', () => {
  expect(tuningOptions('paper')).toMatchObject({
    ...{ weight: 'cosine', learnSot: false, loss: 'ce', optimizer: 'sgd', learningRate: 0.1 },
    ...{ stepSize: 3, gamma: 0.9, epochs: 10, batchSize: 64, template: 'a photo seems to express a feeling of' },
  });
  expect(tuningOptions('official')).toMatchObject({
    ...{ weight: 'half', learnSot: true, loss: 'double-softmax', optimizer: 'adamw', learningRate: 0.01 },
    ...{ stepSize: 6, gamma: 0.1, epochs: 25, batchSize: 64, template: 'a photo of' },
  });
});

test('the learning rate falls in steps', () => {
  const rates = [0, 2, 3, 5, 6].map((epoch) => stepLearningRate(PRESETS.paper, epoch));
  for (const [i, rate] of [0.1, 0.1, 0.09, 0.09, 0.081].entries()) expect(rates[i]).toBeCloseTo(rate, 12);
  expect(stepLearningRate({ learningRate: 1, stepSize: 1, gamma: 0.5 }, 4)).toBe(0.0625);
});

test.each<[Partial<TuningOptions>, RegExp]>([
  [{ epochs: 0 }, /--epochs: expected a whole number from 1, found 0/],
  [{ batchSize: 2.5 }, /--batch-size: .* found 2\.5/],
  [{ stepSize: Number.NaN }, /--step-size: .* found NaN/],
  [{ learningRate: 0 }, /--lr: expected a number above 0, found 0/],
  [{ gamma: Number.POSITIVE_INFINITY }, /--gamma: .* found Infinity/],
  [{ initNoise: -0.1 }, /--init-noise: expected a number from 0, found -0\.1/],
  [{ logitScale: -1 }, /--logit-scale: .* found -1/],
  [{ template: ' \t' }, /--template: expected at least one word/],
  [{ template: 'a photo of {}.' }, /--template: expected words without \{\}, since the class name always comes last/],
])('refuses %o', (overrides, message) => {
  expect(() => tuningOptions('paper', overrides)).toThrow(InputError);
  expect(() => tuningOptions('paper', overrides)).toThrow(message);
});

test('options from a file are recognised, anything else is not', () => {
  for (const options of [PRESETS.paper, PRESETS.official, tuningOptions('paper', { logitScale: 20 })]) {
    expect(parseTuningOptions(JSON.parse(JSON.stringify(options)))).toEqual(options);
  }
  const { initNoise, ...before } = tuningOptions('official', { seed: 3 });
  expect(initNoise).toBe(0);
  expect(parseTuningOptions(before)).toEqual({ ...before, initNoise });
  const { template: _, ...lacking } = PRESETS.paper;
  const odd = {
    preset: 'toString',
    mode: 'all',
    weight: 'x',
    loss: 'x',
    optimizer: 'x',
    template: 3,
    logitScale: 'x',
    seed: '0',
  };
  const wrong = Object.entries(odd).map(([name, value]) => ({ ...PRESETS.paper, [name]: value }));
  for (const value of [null, 'paper', [], {}, lacking, ...wrong]) {
    expect(parseTuningOptions(value), JSON.stringify(value)).toBeUndefined();
  }
});
