/** McNemar's exact test against binomial tails worked by hand and by another program; the bootstrap against the normal approximation; Holm's example. */
import { describe, expect, test } from 'vitest';
import { comparePaired, exactMcNemar, holmAdjusted } from '../../src/ptdpc/index.js';

describe('exactMcNemar', () => {
  test.each([
    [0, 0, 1],
    [0, 1, 1],
    // 2 (1/2)^6 and 2 (1 + 6) (1/2)^6.
    [0, 6, 1 / 32],
    [1, 5, 14 / 64],
    [3, 3, 1],
    // 2 (1 + 20 + 190 + 1140 + 4845 + 15504) / 2^20.
    [5, 15, 43_400 / 2 ** 20],
    // Of a binomial test in double precision.
    [12, 31, 0.005401572654591291],
    [600, 700, 0.00601579386304494],
    [1000, 2000, 1.0090148627940651e-75],
  ])('%i and %i', (onlyFirst, onlySecond, expected) => {
    expect(exactMcNemar(onlyFirst, onlySecond) / expected).toBeCloseTo(1, 9);
    expect(exactMcNemar(onlySecond, onlyFirst)).toBe(exactMcNemar(onlyFirst, onlySecond));
  });
});

/** Outcomes of `count` images: the first ones only the first classifier gets right, then those of the second, then right and wrong in turn. */
function outcomes(count: number, onlyFirst: number, onlySecond: number): [Uint8Array, Uint8Array] {
  const first = Uint8Array.from({ length: count }, (_, i) => i % 2);
  const second = Uint8Array.from(first);
  first.fill(1, 0, onlyFirst).fill(0, onlyFirst, onlyFirst + onlySecond);
  second.fill(0, 0, onlyFirst).fill(1, onlyFirst, onlyFirst + onlySecond);
  return [first, second];
}

describe('comparePaired', () => {
  test('counts the images that one classifier alone gets right, and repeats its interval', () => {
    const [first, second] = outcomes(200, 10, 30);
    const found = comparePaired(first, second);
    expect(found).toMatchObject({ count: 200, onlyFirst: 10, onlySecond: 30, difference: 0.1 });
    expect(found.pValue).toBe(exactMcNemar(10, 30));
    expect(comparePaired(first, second)).toEqual(found);
    const many = outcomes(3000, 700, 900);
    expect(comparePaired(...many, 1).interval).not.toEqual(comparePaired(...many, 2).interval);
  });

  test.each([
    [200, 10, 30],
    [1000, 120, 80],
  ])('has the interval of the normal approximation: %i images, %i and %i', (count, onlyFirst, onlySecond) => {
    const { interval, difference } = comparePaired(...outcomes(count, onlyFirst, onlySecond));
    const deviation = Math.sqrt(((onlyFirst + onlySecond) / count - difference ** 2) / count);
    // An image more or less, and the scatter of the quantiles of 4000 resamples.
    const margin = 1 / count + 0.15 * deviation;
    expect(Math.abs(interval[0] - (difference - 1.96 * deviation))).toBeLessThan(margin);
    expect(Math.abs(interval[1] - (difference + 1.96 * deviation))).toBeLessThan(margin);
  });

  test('of equal classifiers, there is no difference; of other images, no comparison', () => {
    const [first] = outcomes(50, 0, 0);
    expect(comparePaired(first, first)).toMatchObject({ difference: 0, interval: [0, 0], pValue: 1 });
    expect(() => comparePaired(first, first.subarray(1))).toThrow('expected the same images, found 50 and 49');
    expect(() => comparePaired(new Uint8Array(0), new Uint8Array(0))).toThrow(RangeError);
  });
});

test('holmAdjusted multiplies by the number of tests that are left, and keeps the order', () => {
  const found = holmAdjusted([0.04, 0.01, 0.5, 0.015]);
  // 4 * 0.01, 3 * 0.015, then 2 * 0.04, and 0.5.
  [0.08, 0.04, 0.5, 0.045].forEach((p, i) => {
    expect(found[i]).toBeCloseTo(p, 12);
  });
  // A larger p-value never gets a smaller one.
  expect(holmAdjusted([0.03, 0.02])).toEqual([0.04, 0.04]);
  expect(holmAdjusted([0.9, 0.8])).toEqual([1, 1]);
  expect(holmAdjusted([])).toEqual([]);
});
