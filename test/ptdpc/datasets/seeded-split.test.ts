import { describe, expect, test } from 'vitest';
import { type Splittable, seededFold, seededSplit } from '../../../src/ptdpc/index.js';

/** `sizes` of classes a, b, ...; files of one class have the same names as those of another. */
function images(...sizes: number[]): Splittable[] {
  return sizes.flatMap((size, c) => {
    const name = String.fromCharCode(97 + c);
    return Array.from({ length: size }, (_, i) => ({ path: `${name}/${i}.jpg`, name }));
  });
}

const count = (splits: readonly string[], wanted: string) => splits.filter((split) => split === wanted).length;

/** The split of each path. */
const byPath = (list: readonly Splittable[], splits: readonly string[]) =>
  Object.fromEntries(list.map(({ path }, i) => [path, splits[i]!]));

describe('a seeded split', () => {
  test('has the shares of the whole and of each class', () => {
    // FI's classes: 5 % of 23,308 are 1,165, 15 % are 3,496.
    const fi = images(4_942, 1_266, 3_151, 5_374, 1_658, 2_963, 1_032, 2_922);
    const splits = seededSplit(fi, { val: 0.05, test: 0.15 }, 0);
    expect([count(splits, 'val'), count(splits, 'test')]).toEqual([1_165, 3_496]);
    for (const name of 'abcdefgh') {
      const own = splits.filter((_, i) => fi[i]!.name === name);
      expect(Math.abs(count(own, 'test') - 0.15 * own.length)).toBeLessThan(1);
      expect(Math.abs(count(own, 'val') - 0.05 * own.length)).toBeLessThan(1);
    }
  });

  test('is the same whatever the order of the files, and on every machine', () => {
    const list = images(20, 7);
    const splits = byPath(list, seededSplit(list, { val: 0, test: 0.2 }, 3));
    const reversed = [...list].reverse();
    expect(byPath(reversed, seededSplit(reversed, { val: 0, test: 0.2 }, 3))).toEqual(splits);
    // Computed apart from this program. Another result would be another split for everyone who compares.
    expect(Object.keys(splits).filter((path) => splits[path] === 'test')).toEqual([
      'a/0.jpg',
      'a/1.jpg',
      'a/6.jpg',
      'a/16.jpg',
      'b/2.jpg',
    ]);
  });

  test('changes with the seed, and differs between classes with files of the same names', () => {
    const list = images(50, 50);
    const tests = (seed: number) => {
      const splits = seededSplit(list, { val: 0, test: 0.2 }, seed);
      return list.filter((_, i) => splits[i] === 'test').map(({ path }) => path);
    };
    expect(tests(1)).not.toEqual(tests(0));
    const of = (name: string) =>
      tests(0)
        .filter((path) => path.startsWith(name))
        .map((path) => path.slice(1));
    expect(of('a')).not.toEqual(of('b'));
  });

  test('of a copy that lacks some images is nearly the same', () => {
    const list = images(400, 300);
    const whole = byPath(list, seededSplit(list, { val: 0, test: 0.2 }, 0));
    const copy = list.filter((_, i) => i % 100 !== 7);
    const splits = seededSplit(copy, { val: 0, test: 0.2 }, 0);
    const moved = copy.filter(({ path }, i) => whole[path] !== splits[i]);
    expect(moved.length).toBeLessThan(5);
  });

  test('leaves an image that is alone in its class to training', () => {
    const list = images(1, 1, 1, 1, 1, 5);
    const splits = seededSplit(list, { val: 0.2, test: 0.4 }, 0);
    expect(splits.slice(0, 5)).toEqual(Array(5).fill('train'));
  });
});

test('folds part the images, alike in size and in classes', () => {
  const list = images(500, 769);
  const folds = [1, 2, 3, 4, 5].map((fold) => seededFold(list, 5, fold, 0));
  list.forEach((_, i) => {
    expect(folds.filter((splits) => splits[i] === 'test')).toHaveLength(1);
  });
  for (const splits of folds) {
    expect([253, 254]).toContain(count(splits, 'test'));
    expect(count(splits.slice(0, 500), 'test')).toBe(100);
  }
});
