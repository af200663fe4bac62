/** A run to make pages of, whose words and paths try to be markup. */
import { confusionPairs, tuningOptions } from '../../src/ptdpc/index.js';
import type { Case, PromptsReport, RunReport } from '../../src/report/index.js';

export const HOSTILE_WORDS = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(2)>',
  "' onmouseover='alert(3)",
  '</style></title><svg onload=alert(4)>',
  '{value|x} {c} &amp; <!--',
];
const HOSTILE_PATH = '/data/</code><iframe src="http://example.invalid/">/\u202e.jpg';

/** A white pixel, as PNG. */
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==';

export function sampleRun(classes: readonly string[], epochs = 4): RunReport {
  const options = tuningOptions('official', { epochs, template: HOSTILE_WORDS[0]! });
  const count = classes.length;
  const confusion = classes.map((_, i) => classes.map((_, j) => (i === j ? 20 : (i + 2 * j) % 5)));
  const example = (actual: number, predicted: number, url: string | null): Case => ({
    url,
    name: `${classes[actual]}/${HOSTILE_PATH}`,
    actual: classes[actual]!,
    predicted: classes[predicted]!,
    probability: 0.75,
    actualProbability: 0.125,
  });
  return {
    name: HOSTILE_WORDS[3]!,
    setup: {
      program: '0.0.0',
      node: 'v20.0.0',
      device: HOSTILE_WORDS[1]!,
      model: { directory: HOSTILE_PATH, sha256: 'ab'.repeat(32) },
      data: HOSTILE_PATH,
    },
    method: { learner: 'prompts', options, images: { train: 1234, val: 12 } },
    classes,
    learning: {
      options,
      steps: Array.from({ length: epochs * 10 }, (_, step) => ({
        type: 'step' as const,
        epoch: Math.floor(step / 10),
        step,
        loss: 2 / (1 + step),
        lr: 0.01,
      })),
      epochs: Array.from({ length: epochs }, (_, epoch) => ({
        type: 'epoch' as const,
        epoch,
        trainLoss: 1 / (1 + epoch),
        trainAccuracy: 0.5 + epoch / 20,
        valLoss: 1.5 / (1 + epoch),
        valAccuracy: 0.4 + epoch / 20,
      })),
    },
    evaluations: [
      {
        classes,
        dataset: 'fi8',
        epochs,
        imagesSha256: 'cd'.repeat(32),
        split: 'test',
        count: 100,
        accuracy: 0.625,
        loss: 1.25,
        macroF1: 0.5,
        calibrationError: 0.0625,
        distribution: null,
        meanShares: null,
        calibration: [
          { count: 40, confidence: 0.5, accuracy: 0.25 },
          { count: 60, confidence: 0.9, accuracy: 0.875 },
        ],
        confusionPairs: confusionPairs(confusion),
        correct: Uint8Array.from({ length: 100 }, (_, i) => Number(i % 8 < 5)),
        zeroShot: null,
        seen: null,
        right: [example(0, 0, PIXEL), example(count - 1, count - 1, null)],
        wrong: [example(0, count - 1, PIXEL)],
      },
    ],
  };
}

/** A run evaluated with CLIP without training on the same 100 images, of which `onlyBefore` and `onlyAfter` one of the two gets right alone. */
export function comparedRun(
  classes: readonly string[],
  onlyBefore: number,
  onlyAfter: number,
  name = 'run',
): RunReport {
  const run = sampleRun(classes);
  const [evaluation] = run.evaluations;
  const correct = (from: number, to: number) =>
    Uint8Array.from({ length: 100 }, (_, i) => Number((i >= from && i < to) || i >= 60));
  const before = correct(0, onlyBefore);
  const after = correct(onlyBefore, onlyBefore + onlyAfter);
  const share = (all: Uint8Array) => all.reduce((sum, one) => sum + one, 0) / 100;
  const counts = classes.map((_, i) => classes.map((_, j) => (i === j ? 10 : (2 * i + j) % 4)));
  const zeroShot = {
    ...{
      accuracy: share(before),
      loss: 1.5,
      macroF1: 0.4,
      calibrationError: 0.125,
      distribution: null,
      meanShares: null,
      correct: before,
    },
    templates: [HOSTILE_WORDS[0]!],
    confusionPairs: confusionPairs(counts),
    calibration: [
      { count: 4, confidence: 0.25, accuracy: 0.5 },
      { count: 96, confidence: 0.6, accuracy: 0.5 },
    ],
  };
  return { ...run, name, evaluations: [{ ...evaluation!, accuracy: share(after), correct: after, zeroShot }] };
}

/** Words and weights of prompts of `classes`, class-specific unless `equal`; every second weight is below zero. */
export function samplePrompts(classes: readonly string[], equal = false): PromptsReport {
  const tokens = ['a', HOSTILE_WORDS[1]!, 'of'].map((text, id) => ({ id, text, kind: 'word' as const }));
  const nearest = [HOSTILE_WORDS[0]!, 'joy'].map((text, id) => ({
    ...{ id, text, kind: 'fragment' as const, similarity: 0.5 - id / 10, distance: 1 + id },
  }));
  return {
    words: {
      learner: 'pt-dpc',
      mode: 'both',
      metric: 'cosine',
      skip: [],
      classes: [...classes],
      tokens,
      prompts: classes.map((_, c) => ({
        class: c,
        tokens: tokens.map(() => ({ start: { similarity: 0.9, distance: 0.1 }, nearest })),
      })),
      equal,
      absent: [],
    },
    pictures: [PIXEL, null].map((url) => ({
      url,
      name: HOSTILE_PATH,
      actual: classes[0]!,
      explanation: {
        predicted: 1,
        probabilities: classes.map(() => 1 / classes.length),
        weights: classes.map((_, c) => tokens.map((_, j) => ((c + j) % 2 === 0 ? 0.4 : -0.2))),
      },
    })),
  };
}
