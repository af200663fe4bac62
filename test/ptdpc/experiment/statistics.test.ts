/** Student's quantiles against published ones and against a numeric integral; summaries against values worked by hand. */
import { describe, expect, test } from 'vitest';
import { sampleStd, summarize, tQuantile } from '../../../src/ptdpc/experiment/statistics.js';

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
