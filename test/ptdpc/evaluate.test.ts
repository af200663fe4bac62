import { expect, test } from 'vitest';
import { argmax, EvaluationTally, evaluate, softmaxRows } from '../../src/ptdpc/evaluate.js';
import {
  balancedAccuracy,
  calibration,
  classMetrics,
  expectedCalibrationError,
  macroF1,
  pooledCalibration,
  rowShares,
} from '../../src/ptdpc/metrics.js';

test('counts what is right, by class and in all', () => {
  // Three classes, the last one without images; image by image: right, wrong, right, a tie that the first one wins.
  const logits = Float32Array.of(2, 1, 0, 0, 3, 1, -1, 0, -2, 5, 5, 5);
  const result = evaluate(logits, Int32Array.of(0, 0, 1, 1), 3);
  expect([...result.predicted]).toEqual([0, 1, 1, 0]);
  expect(result.confusion).toEqual([
    [1, 1, 0],
    [1, 1, 0],
    [0, 0, 0],
  ]);
  expect([result.count, result.accuracy, result.perClass]).toEqual([4, 0.5, [0.5, 0.5, null]]);
  const loss = [
    [2, 1, 0, 0],
    [0, 3, 1, 0],
    [-1, 0, -2, 1],
    [5, 5, 5, 1],
  ].map(([a = 0, b = 0, c = 0, label = 0]) => Math.log(Math.exp(a) + Math.exp(b) + Math.exp(c)) - [a, b, c][label]!);
  expect(result.loss).toBeCloseTo(loss.reduce((sum, x) => sum + x) / 4, 12);
  for (let i = 0; i < 4; i++) {
    expect(result.probabilities.subarray(3 * i, 3 * i + 3).reduce((sum, p) => sum + p)).toBeCloseTo(1, 6);
  }
});

test('is finite where a probability rounds to 0', () => {
  const { loss, probabilities } = evaluate(Float32Array.of(0, 1000), Int32Array.of(0), 2);
  expect([...probabilities]).toEqual([0, 1]);
  expect(loss).toBe(1000);
});

test('softmax does not overflow; argmax takes the first of equals', () => {
  expect([...softmaxRows(Float32Array.of(3e38, 3e38, -3e38, -3e38), 2)]).toEqual([0.5, 0.5, 0.5, 0.5]);
  expect([argmax(Float32Array.of(1, 3, 3)), argmax(Float32Array.of(-1))]).toEqual([1, 0]);
});

test('precision, recall and F1 of each class; classes that do not occur count for nothing', () => {
  const confusion = [
    [3, 1, 0, 0],
    [2, 4, 0, 0],
    [1, 0, 0, 0],
    [0, 0, 0, 0],
  ];
  expect(classMetrics(confusion)).toEqual([
    { precision: 0.5, recall: 0.75, f1: 0.6 },
    { precision: 0.8, recall: 4 / 6, f1: 8 / 11 },
    { precision: null, recall: 0, f1: 0 },
    { precision: null, recall: null, f1: null },
  ]);
  expect(macroF1(confusion)).toBeCloseTo((0.6 + 8 / 11 + 0) / 3, 15);
  // The class without images counts for nothing; the one whose only image is missed counts as much as the others.
  expect(balancedAccuracy(confusion)).toBeCloseTo((0.75 + 4 / 6 + 0) / 3, 15);
  expect(rowShares(confusion)).toEqual([
    [0.75, 0.25, 0, 0],
    [2 / 6, 4 / 6, 0, 0],
    [1, 0, 0, 0],
    [0, 0, 0, 0],
  ]);
});

test('calibration: bins of equal width, right edge included, weighted by their images', () => {
  // Two images in (0.8, 0.867], one of them right; one sure and right; one at 0.6, and wrong.
  const probabilities = Float32Array.of(0.85, 0.15, 0.81, 0.19, 0, 1, 0.6, 0.4);
  const bins = calibration({ predicted: Int32Array.of(0, 0, 1, 0), probabilities }, Int32Array.of(0, 1, 1, 1));
  expect(bins.map(({ count, accuracy }) => [count, accuracy])).toEqual([
    [1, 0],
    [2, 0.5],
    [1, 1],
  ]);
  expect(bins[1]!.confidence).toBeCloseTo(0.83, 6);
  expect(expectedCalibrationError(bins)).toBeCloseTo(0.6 / 4 + (2 * 0.33) / 4, 6);
});

test('bins pooled are the bins of all predictions together', () => {
  const some = (first: number, count: number) => ({
    predicted: Int32Array.from({ length: count }, (_, i) => (first + i) % 2),
    probabilities: Float32Array.from({ length: 2 * count }, (_, k) => {
      const sure = 0.5 + ((first + (k >> 1)) % 23) / 46;
      return k % 2 === (first + (k >> 1)) % 2 ? sure : 1 - sure;
    }),
  });
  const labels = Int32Array.from({ length: 60 }, (_, i) => Number(i % 3 === 0));
  const [a, b, all] = [some(0, 20), some(20, 40), some(0, 60)];
  const whole = calibration(all, labels);
  const pooled = pooledCalibration([calibration(b, labels.slice(20)), calibration(a, labels.slice(0, 20))]);
  expect(pooled.map(({ count }) => count)).toEqual(whole.map(({ count }) => count));
  pooled.forEach(({ confidence, accuracy }, i) => {
    expect(confidence).toBeCloseTo(whole[i]!.confidence, 10);
    expect(accuracy).toBeCloseTo(whole[i]!.accuracy, 10);
  });
});

test('the metrics of 10,000 classes are made of the pairs that occur, and the matrix only when it is asked for', () => {
  const classes = 10_000;
  const tally = new EvaluationTally(classes);
  for (const label of [3, 3, 9_998]) {
    const logits = new Float32Array(classes);
    logits[label === 3 ? 3 : 5] = 30;
    tally.add(logits, Int32Array.of(label));
  }
  const started = process.memoryUsage().heapUsed;
  const metrics = tally.metrics();
  // The matrix would take 800 MB.
  expect(process.memoryUsage().heapUsed - started).toBeLessThan(50e6);
  expect(metrics.confusionPairs.pairs).toEqual([
    [3, 3, 2],
    [9_998, 5, 1],
  ]);
  expect([metrics.accuracy, metrics.macroF1]).toEqual([2 / 3, 1 / 3]);
});

test('blocks of images have the metrics of all of them at once', () => {
  const logits = Float32Array.from({ length: 30 }, (_, i) => Math.sin(7 * i));
  const labels = Int32Array.from({ length: 10 }, (_, i) => i % 3);
  const tally = new EvaluationTally(3);
  for (const [from, to] of [
    [0, 4],
    [4, 4],
    [4, 10],
  ] as const)
    tally.add(logits.subarray(3 * from, 3 * to), labels.subarray(from, to));
  const { probabilities: _, ...whole } = evaluate(logits, labels, 3);
  expect({ ...tally.metrics() }).toEqual(whole);
});
