/** The plane of most variance: found where it is known, the same every time, and steady from one state to the next. */
import { describe, expect, it } from 'vitest';
import { principalPlane, project } from '../../src/ptdpc/principal-plane.js';
import { randomReals } from '../support/random.js';

const COLUMNS = 7;
/** Two directions at right angles, of length 1. */
const LONG = [0.6, 0, 0.8, 0, 0, 0, 0];
const SHORT = [0, 1, 0, 0, 0, 0, 0];

/** Rows that differ by 5 along LONG, by 2 along SHORT and little elsewhere. */
function spread(count: number): Float32Array {
  const [a, b, rest] = [randomReals(1)(count), randomReals(2)(count), randomReals(3)(count * COLUMNS)];
  return Float32Array.from(
    { length: count * COLUMNS },
    (_, i) =>
      3 +
      5 * a[Math.floor(i / COLUMNS)]! * LONG[i % COLUMNS]! +
      2 * b[Math.floor(i / COLUMNS)]! * SHORT[i % COLUMNS]! +
      0.01 * rest[i]!,
  );
}

const along = (a: ArrayLike<number>, b: readonly number[]) => b.reduce((sum, value, c) => sum + value * a[c]!, 0);

describe('principal plane', () => {
  it('finds the two directions in which rows differ most', () => {
    const { axes } = principalPlane(spread(200), COLUMNS);
    expect(Math.abs(along(axes[0], LONG))).toBeGreaterThan(0.999);
    expect(Math.abs(along(axes[1], SHORT))).toBeGreaterThan(0.999);
    expect(along(axes[0], [...axes[1]])).toBeCloseTo(0, 9);
  });

  it('places rows around their mean, as far apart as they are in the plane', () => {
    const rows = spread(50);
    const places = project(rows, principalPlane(rows, COLUMNS));
    const [x, y] = [0, 1].map((axis) => places.filter((_, i) => i % 2 === axis));
    expect(x!.reduce((sum, value) => sum + value, 0) / 50).toBeCloseTo(0, 4);
    const apart = (i: number, j: number) =>
      Math.hypot(...Array.from({ length: COLUMNS }, (_, c) => rows[i * COLUMNS + c]! - rows[j * COLUMNS + c]!));
    expect(Math.hypot(x![3]! - x![4]!, y![3]! - y![4]!)).toBeCloseTo(apart(3, 4), 1);
  });

  it('is the same for the same rows, and keeps the signs of the plane before', () => {
    const rows = spread(40);
    const first = principalPlane(rows, COLUMNS);
    expect(principalPlane(rows, COLUMNS)).toEqual(first);
    const turned = { ...first, axes: [first.axes[0].map((v) => -v), first.axes[1]] as const };
    const again = principalPlane(rows, COLUMNS, turned);
    expect(along(again.axes[0], [...turned.axes[0]])).toBeGreaterThan(0.999);
    expect(along(again.axes[1], [...turned.axes[1]])).toBeGreaterThan(0.999);
  });

  it('has no direction where rows do not differ', () => {
    const equal = Float32Array.from({ length: 4 * COLUMNS }, (_, i) => i % COLUMNS);
    expect([...project(equal, principalPlane(equal, COLUMNS))]).toEqual(new Array(8).fill(0));
    const line = Float32Array.from({ length: 4 * COLUMNS }, (_, i) => Math.floor(i / COLUMNS) * LONG[i % COLUMNS]!);
    const places = project(line, principalPlane(line, COLUMNS));
    expect(Math.max(...places.filter((_, i) => i % 2 === 1).map(Math.abs))).toBeLessThan(1e-4);
  });
});
