import { expect, test } from 'vitest';
import { EvaluationTally, evaluate } from '../../src/ptdpc/evaluate.js';
import {
  DISTRIBUTION_MEASURE_NAMES,
  distributionOf,
  distributionScores,
  mostVoted,
} from '../../src/ptdpc/label-distributions.js';

const log = (values: readonly number[]) => values.map(Math.log);

test('the eight measures of a small example, worked out by hand', () => {
  const [d, p] = [
    [0.5, 0.5, 0],
    [0.25, 0.5, 0.25],
  ];
  const scores = distributionScores(d!, p!, log(p!));
  expect(scores.kullbackLeibler).toBeCloseTo(0.5 * Math.log(2), 14);
  expect(scores.chebyshev).toBe(0.25);
  // The third class has no votes, so its term is 1 whatever its probability.
  expect(scores.canberra).toBeCloseTo(1 / 3 + 1, 14);
  expect(scores.clark).toBeCloseTo(Math.sqrt(1 / 9 + 1), 14);
  expect(scores.squaredChord).toBeCloseTo((Math.SQRT1_2 - 0.5) ** 2 + 0.25, 14);
  expect(scores.sorensen).toBeCloseTo(0.5 / 2, 14);
  expect(scores.cosine).toBeCloseTo(0.375 / Math.sqrt(0.5 * 0.375), 14);
  expect(scores.intersection).toBeCloseTo(0.75, 14);
});

test('equal distributions have no distance and full similarity, also with classes that nobody names', () => {
  const d = [0, 0.2, 0.8, 0];
  const scores = distributionScores(d, d, log(d));
  for (const name of DISTRIBUTION_MEASURE_NAMES)
    expect(scores[name], name).toBeCloseTo(name === 'cosine' || name === 'intersection' ? 1 : 0, 14);
});

test('a probability that rounds to 0 leaves the divergence finite', () => {
  const { kullbackLeibler, intersection } = distributionScores([1, 0], [0, 1], [-1000, 0]);
  expect([kullbackLeibler, intersection]).toEqual([1000, 0]);
});

test('shares of votes: other classes left out, several names of one added up, none if nothing is left', () => {
  const labelOf = (name: string) => ['joy', 'fear'].indexOf(name === 'delight' ? 'joy' : name);
  const votes = [
    ['fear', 1],
    ['joy', 2],
    ['delight', 1],
    ['awe', 4],
  ] as const;
  expect([...distributionOf(votes, 2, labelOf)!]).toEqual([0.75, 0.25]);
  expect(distributionOf([['awe', 4]], 2, labelOf)).toBeUndefined();
  expect(distributionOf([['joy', 0]], 2, labelOf)).toBeUndefined();
});

test('of several classes with most votes, the first one is the label', () => {
  expect(mostVoted(Float64Array.of(0.2, 0.4, 0.4))).toEqual({ label: 1, isTie: true });
  expect(mostVoted(Float64Array.of(0.2, 0.3, 0.5))).toEqual({ label: 2, isTie: false });
});

test('an evaluation has the mean of each measure, the same in blocks, and null without votes', () => {
  const logits = Float32Array.of(1, 0, -1, 3, 2, 0.5);
  const votes = Float32Array.of(0.5, 0.25, 0.25, 0, 1, 0);
  const labels = Int32Array.of(0, 1);
  const softmax = (row: readonly number[]) => {
    const exps = row.map(Math.exp);
    const sum = exps.reduce((a, b) => a + b);
    return exps.map((e) => e / sum);
  };
  const scores = [0, 1].map((i) => {
    const p = softmax([...logits.subarray(3 * i, 3 * i + 3)]);
    return distributionScores(votes.subarray(3 * i, 3 * i + 3), p, log(p));
  });
  const { distribution, meanShares } = evaluate(logits, labels, 3, votes);
  expect(meanShares!.votes).toEqual([0.25, 0.625, 0.125]);
  const [first, second] = [0, 1].map((i) => softmax([...logits.subarray(3 * i, 3 * i + 3)]));
  for (const [c, share] of meanShares!.predicted.entries())
    expect(share).toBeCloseTo((first![c]! + second![c]!) / 2, 12);
  for (const name of DISTRIBUTION_MEASURE_NAMES)
    expect(distribution![name], name).toBeCloseTo((scores[0]![name] + scores[1]![name]) / 2, 12);
  const tally = new EvaluationTally(3);
  for (const i of [0, 1])
    tally.add(logits.subarray(3 * i, 3 * i + 3), labels.subarray(i, i + 1), votes.subarray(3 * i, 3 * i + 3));
  expect(tally.metrics().distribution).toEqual(distribution);
  expect([evaluate(logits, labels, 3).distribution, evaluate(logits, labels, 3).meanShares]).toEqual([null, null]);
});
