/** The exact tests against tails worked by hand, by another program and by all signs; the bootstrap against the normal approximation; Holm's example. */
import { describe, expect, test } from 'vitest';
import { comparePaired, compareSeeds, exactMcNemar, exactSignFlip, holmAdjusted } from '../../src/ptdpc/index.js';

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

/** The p-value by going through all assignments of signs. */
function bySigns(differences: readonly number[]): number {
  const found = Math.abs(differences.reduce((sum, d) => sum + d, 0));
  let as = 0;
  for (let signs = 0; signs < 2 ** differences.length; signs++) {
    const sum = differences.reduce((sum, d, i) => sum + ((signs >> i) & 1 ? d : -d), 0);
    if (Math.abs(sum) >= found) as++;
  }
  return as / 2 ** differences.length;
}

describe('exactSignFlip', () => {
  test.each([
    [[3, 1]],
    [[3, -1, 2, 2]],
    [[1, 2, 3, 0, 0, -1]],
    [[5, 5, -4, 3, 2, 2, 1, 1, -1, -1, 1, 4]],
    [[-2, -2, 4, 0]],
    [[-5, 1, 1, 1, 1, -1, -3, 2, -2, -2, -4]],
  ])('%j is the share of the signs that are as extreme', (differences) => {
    expect(exactSignFlip(differences)).toBeCloseTo(bySigns(differences), 12);
    expect(exactSignFlip(differences.map((d) => -d))).toBe(exactSignFlip(differences));
  });

  test('of differences of one size it is the exact test of McNemar, to the last bit', () => {
    for (const [below, above] of [
      [0, 0],
      [3, 11],
      [700, 811],
    ] as const) {
      for (const size of [1, 5]) {
        const differences = [...Array<number>(below).fill(-size), 0, ...Array<number>(above).fill(size)];
        expect(exactSignFlip(differences)).toBe(exactMcNemar(below, above));
      }
    }
  });

  test('has the normal tail where there are many images', () => {
    const differences = Array.from({ length: 3000 }, (_, i) => ((i % 5) + 1) * (i % 19 < 10 ? 1 : -1));
    const sum = differences.reduce((a, d) => a + d, 0);
    const z = sum / Math.sqrt(differences.reduce((a, d) => a + d * d, 0));
    // Two tails of the normal distribution (Abramowitz and Stegun, 7.1.26), half a step of 2 in from the sum.
    const x = (z * (1 - 1 / sum)) / Math.SQRT2;
    const t = 1 / (1 + 0.3275911 * x);
    const tail =
      t *
      (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) *
      Math.exp(-x * x);
    expect(exactSignFlip(differences) / tail).toBeCloseTo(1, 1);
  });
});

describe('compareSeeds', () => {
  const [a, b] = outcomes(200, 10, 30);
  const [c, d] = outcomes(200, 25, 21);

  test('of one seed is the comparison of two classifiers, whatever else is compared', () => {
    const found = compareSeeds([[a], [c], [b]]);
    expect(found.find(({ first, second }) => first === 0 && second === 2)).toMatchObject(comparePaired(a, b));
    expect(found.map(({ first, second, seeds }) => [first, second, seeds])).toEqual([
      [0, 1, 1],
      [0, 2, 1],
      [1, 2, 1],
    ]);
  });

  test('an image counts once: equal trainings make nothing surer', () => {
    const [one] = compareSeeds([[a], [b]]);
    const [five] = compareSeeds([Array<Uint8Array>(5).fill(a), Array<Uint8Array>(5).fill(b)]);
    expect(five).toMatchObject({ seeds: 5, pValue: one!.pValue, difference: 0.1, onlyFirst: 10, onlySecond: 30 });
    const width = ({ interval: [low, high] }: { interval: readonly [number, number] }) => high - low;
    expect(width(five!) / width(one!)).toBeCloseTo(1, 1);
  });

  test('the interval contains the spread of the seeds', () => {
    const none = new Uint8Array(400);
    const ofFirst = (right: number) => new Uint8Array(400).fill(1, 0, right);
    const [steady] = compareSeeds([
      [none, none],
      [ofFirst(200), ofFirst(200)],
    ]);
    const [varied] = compareSeeds([
      [none, none],
      [ofFirst(100), ofFirst(300)],
    ]);
    expect(steady!.difference).toBe(0.5);
    expect(varied!.difference).toBe(0.5);
    expect(steady!.interval[0]).toBeGreaterThan(0.43);
    expect(varied!.interval[0]).toBeLessThan(0.28);
    expect(varied!.interval[1]).toBeGreaterThan(0.72);
  });

  test('uses the seeds that both have, and leaves out a pair that has none', () => {
    const found = compareSeeds([
      [a, c, null],
      [b, null, null],
      [null, d, a],
    ]);
    expect(found.map(({ first, second, seeds }) => [first, second, seeds])).toEqual([
      [0, 1, 1],
      [0, 2, 1],
    ]);
    expect(found[0]).toMatchObject(comparePaired(a, b));
    expect(found[1]!.pValue).toBe(exactMcNemar(25, 21));
    expect(found.map(({ adjustedPValue }) => adjustedPValue)).toEqual(holmAdjusted(found.map(({ pValue }) => pValue)));
    expect(compareSeeds([])).toEqual([]);
    expect(() => compareSeeds([[a], [a, b]])).toThrow('expected a place for each seed, found 1, 2');
  });
});
