/** Student's quantiles against published ones and against a numeric integral; summaries against values worked by hand. */
import { describe, expect, test } from 'vitest';
import { accuracyInterval, sampleStd, summarize, tQuantile } from '../../../src/ptdpc/experiment/statistics.js';
import { wilsonInterval } from '../../../src/ptdpc/metrics.js';
import { uniformGenerator } from '../../../src/tensor/random.js';

describe('tQuantile', () => {
  // Quantiles of R's qt(p, df), to the digits that are given.
  test.each([
    [0.975, 1, 12.7062047362],
    [0.975, 2, 4.3026527297],
    [0.975, 3, 3.1824463053],
    [0.975, 4, 2.7764451052],
    [0.975, 5, 2.5705818356],
    [0.975, 9, 2.2621571628],
    [0.975, 10, 2.228138852],
    [0.975, 29, 2.0452296421],
    [0.975, 100, 1.9839715185],
    [0.95, 4, 2.1318467863],
    [0.995, 4, 4.6040948714],
  ])('p %d, %d degrees of freedom', (p, df, expected) => {
    expect(Math.abs(tQuantile(p, df) - expected)).toBeLessThan(1e-6);
  });

  test('is symmetric, 0 in the middle, and near the normal quantile for many degrees', () => {
    expect(tQuantile(0.025, 7)).toBe(-tQuantile(0.975, 7));
    expect(tQuantile(0.5, 3)).toBeCloseTo(0, 9);
    // Cornish-Fisher: z + (z^3 + z) / (4 df).
    const z = 1.959963984540054;
    expect(Math.abs(tQuantile(0.975, 4999) - (z + (z ** 3 + z) / (4 * 4999)))).toBeLessThan(1e-6);
  });

  test.each([1, 2, 3, 4, 5, 8, 15])('inverts the integral of the density, %d degrees of freedom', (df) => {
    for (const p of [0.6, 0.9, 0.99]) {
      expect(0.5 + areaTo(tQuantile(p, df), df)).toBeCloseTo(p, 8);
    }
  });

  test('refuses what has no quantile', () => {
    expect(() => tQuantile(1, 4)).toThrow(RangeError);
    expect(() => tQuantile(0.5, 0)).toThrow(RangeError);
    expect(() => tQuantile(0.5, 1.5)).toThrow(RangeError);
  });
});

describe('intervals that hold the sampling of images', () => {
  // Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998), Table I, method 3.
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('Wilson: %d of %d', (right, count, low, high) => {
    const interval = wilsonInterval(right / count, count);
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });

  test('one run, and runs that do not differ, have that of the images: 3.7 points at 70 % of 594', () => {
    const [low, high] = accuracyInterval([0.7], 594);
    expect((high - low) / 2).toBeCloseTo(0.0368, 4);
    expect(accuracyInterval([0.7], 594)).toEqual(wilsonInterval(0.7, 594));
    const [sameLow, sameHigh] = accuracyInterval([1 / 6, 1 / 6, 1 / 6], 48);
    const expected = wilsonInterval(1 / 6, 48);
    expect(sameLow).toBeCloseTo(expected[0], 12);
    expect(sameHigh).toBeCloseTo(expected[1], 12);
    expect(accuracyInterval([1, 1], 10)).toEqual(wilsonInterval(1, 10));
  });

  test('the spread between seeds widens it: margins add as squares', () => {
    const values = [0.7, 0.72, 0.74, 0.76, 0.78];
    const ofSeeds = (2.7764451052 * Math.sqrt(0.001)) / Math.sqrt(5);
    const ofImages = 1.959963984540054 * Math.sqrt((0.74 * 0.26) / 594);
    const [low, high] = accuracyInterval(values, 594);
    // Wilson's differs from the normal interval by a part of 1 / n.
    expect((high - low) / 2).toBeCloseTo(Math.hypot(ofSeeds, ofImages), 3);
    // However far two seeds lie apart, an accuracy stays one.
    const [least, most] = accuracyInterval([0.2, 1], 594);
    expect(least).toBeGreaterThanOrEqual(0);
    expect(most).toBeLessThanOrEqual(1);
    expect(most - least).toBeGreaterThan(0.8);
  });

  test('it covers the accuracy on all images in about 95 % of trials, where that of the seeds alone covers about half', () => {
    const random = uniformGenerator(1);
    const trials = 2000;
    const covered = { seeds: 0, both: 0 };
    for (let trial = 0; trial < trials; trial++) {
      // Half of all images are easy and half are hard; 100 are drawn, and five runs on them differ by little.
      const images = Array.from({ length: 100 }, () => (random() < 0.5 ? 0.95 : 0.05));
      const runs = Array.from({ length: 5 }, () => images.filter((share) => random() < share).length / images.length);
      const within = ([low, high]: readonly [number, number]) => Number(low <= 0.5 && 0.5 <= high);
      covered.seeds += within(summarize(runs).interval ?? [0, 0]);
      covered.both += within(accuracyInterval(runs, 100));
    }
    expect(covered.both / trials).toBeGreaterThan(0.94);
    expect(covered.both / trials).toBeLessThan(0.99);
    expect(covered.seeds / trials).toBeLessThan(0.6);
  });
});

describe('summaries', () => {
  test('mean, sample standard deviation and interval of five values', () => {
    const { count, mean, std, interval } = summarize([0.7, 0.72, 0.74, 0.76, 0.78]);
    expect(count).toBe(5);
    expect(mean).toBeCloseTo(0.74, 12);
    expect(std).toBeCloseTo(Math.sqrt(0.001), 12);
    const half = (2.7764451052 * Math.sqrt(0.001)) / Math.sqrt(5);
    expect(interval![0]).toBeCloseTo(0.74 - half, 9);
    expect(interval![1]).toBeCloseTo(0.74 + half, 9);
  });

  test('one value has no spread, equal values have none to the last bit, no values are refused', () => {
    expect(summarize([0.5])).toEqual({ count: 1, mean: 0.5, std: null, interval: null });
    expect(sampleStd([0.1, 0.1, 0.1])).toBe(0);
    // Equal values are no evidence that others would be equal: no interval of no width.
    expect(summarize([0.5, 0.5])).toEqual({ count: 2, mean: 0.5, std: 0, interval: null });
    expect(sampleStd([])).toBeNull();
    expect(() => summarize([])).toThrow(RangeError);
  });
});

/** Simpson's rule on the density of Student's distribution, from 0 to t. */
function areaTo(t: number, df: number): number {
  const steps = 20_000;
  const kernel = (x: number) => (1 + (x * x) / df) ** (-(df + 1) / 2);
  let sum = kernel(0) + kernel(t);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * kernel((t * i) / steps);
  return (densityAtZero(df) * sum * t) / steps / 3;
}

/** Gamma((df + 1) / 2) / (sqrt(df pi) Gamma(df / 2)), by the recurrence from 1 / pi and 1 / sqrt(8). */
function densityAtZero(df: number): number {
  let [at, ratio] = df % 2 === 1 ? [1, 1 / Math.sqrt(Math.PI)] : [2, Math.sqrt(Math.PI) / 2];
  for (; at < df; at += 2) ratio *= (at + 1) / at;
  return ratio / Math.sqrt(df * Math.PI);
}
