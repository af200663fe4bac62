/** Results of an experiment whose words try to be markup. */
import { confusionPairs } from '../../src/ptdpc/confusion.js';
import {
  accuracyInterval,
  type ExperimentResults,
  RESULTS_FORMAT,
  summarize,
} from '../../src/ptdpc/experiment/index.js';

export const HOSTILE = '<img src=x onerror=alert(1)>';

export function sampleResults(experiment: ExperimentResults['experiment']): ExperimentResults {
  const seed = (number: number, accuracy: number) => ({
    seed: number,
    task: 't',
    learningRate: 0.01,
    choice: [],
    count: 20,
    images: {
      origin: { kind: 'given' as const },
      train: 40,
      val: null,
      skipped: { train: 0, val: 0, test: 2 },
      truncated: { train: 0, val: 0, test: 0 },
      seen: 0,
    },
    accuracy,
    loss: 1,
    macroF1: accuracy,
    calibrationError: 0.1,
    calibration: [
      { count: 10, confidence: 0.6, accuracy: accuracy - 0.1 },
      { count: 10, confidence: 0.9, accuracy: accuracy + 0.1 },
    ],
    perClassAccuracy: [accuracy, accuracy],
    confusionPairs: confusionPairs([
      [8, 2],
      [4, 6],
    ]),
    device: 'CPU',
    seconds: 1,
  });
  const seeds = [seed(0, 0.7), seed(1, 0.75)];
  return {
    format: RESULTS_FORMAT,
    experiment,
    title: `Title ${HOSTILE}`,
    source: 'the paper',
    demonstration: false,
    made: {
      program: '0',
      preset: 'paper',
      changes: { epochs: null, batchSize: null, initNoise: 0 },
      model: { name: HOSTILE, sha256: 'ab' },
      seeds: [0, 1, 2],
      devices: ['CPU'],
    },
    settings: [
      {
        name: 'fi2',
        label: HOSTILE,
        root: '/data',
        classes: ['positive', 'negative'],
        skipped: [{ path: HOSTILE, reason: HOSTILE }],
        truncated: [HOSTILE],
      },
    ],
    variants: [{ name: 'both', label: 'PT-DPC', description: 'ours', note: HOSTILE }],
    cells: [
      {
        setting: 'fi2',
        variant: 'both',
        seeds,
        missing: [2],
        varies: ['order'],
        accuracy: summarize([0.7, 0.75]),
        accuracyInterval: accuracyInterval([0.7, 0.75], 20),
        macroF1: summarize([0.7, 0.75]),
        calibrationError: summarize([0.1, 0.1]),
        perClassAccuracy: [0.7, 0.7],
        confusionPairs: confusionPairs([
          [16, 4],
          [8, 12],
        ]),
        paper: 0.9389,
        difference: 0.725 - 0.9389,
      },
    ],
    quoted: [{ label: 'SentiBank', accuracies: [0.5647] }],
    spread: [],
    cases: [
      {
        setting: 'fi2',
        seed: 0,
        kind: 'wrong',
        path: HOSTILE,
        actual: 'negative',
        predicted: 'positive',
        probability: 0.9,
        probabilities: [0.9, 0.1],
      },
    ],
  };
}
