/** The plane in which rows of numbers differ most: the first two principal components, to look at what has many dimensions. */

/** Two axes through a mean. */
export interface Plane {
  /** [columns] */
  readonly mean: Float64Array;
  /** Both [columns], of length 1 and at right angles; of length 0 where the rows do not differ in so many directions. */
  readonly axes: readonly [Float64Array, Float64Array];
}

/** Enough for pictures: what has not converged by then are directions of about the same variance, any of which will do. */
const ROUNDS = 60;

/**
 * The first two principal components of `rows` [count, columns], by power iteration. The same rows give the same plane; started from an
 * earlier plane, it keeps that one's signs.
 */
export function principalPlane(rows: Float32Array, columns: number, before?: Plane): Plane {
  const mean = meanOf(rows, columns);
  const first = component(rows, mean, [], before?.axes[0]);
  return { mean, axes: [first, component(rows, mean, [first], before?.axes[1])] };
}

/** Coordinates [count, 2] of `rows` [count, columns] in the plane. */
export function project(rows: Float32Array, { mean, axes }: Plane): Float32Array {
  const columns = mean.length;
  const count = rows.length / columns;
  const places = new Float32Array(2 * count);
  for (let row = 0; row < count; row++) {
    for (const [axis, direction] of axes.entries()) {
      let sum = 0;
      for (let c = 0; c < columns; c++) sum += (rows[row * columns + c]! - mean[c]!) * direction[c]!;
      places[2 * row + axis] = sum;
    }
  }
  return places;
}

function meanOf(rows: Float32Array, columns: number): Float64Array {
  const mean = new Float64Array(columns);
  const count = rows.length / columns;
  for (let i = 0; i < rows.length; i++) mean[i % columns]! += rows[i]! / count;
  return mean;
}

/** The direction of most variance at right angles to `others`. */
function component(
  rows: Float32Array,
  mean: Float64Array,
  others: readonly Float64Array[],
  before: Float64Array | undefined,
): Float64Array {
  const columns = mean.length;
  // A start that no data is at right angles to by construction, as equal entries would be to rows that sum to zero.
  let direction = Float64Array.from({ length: columns }, (_, c) => Math.sin(1 + 12.9898 * c));
  if (before?.some((value) => value !== 0)) direction = direction.map((value, c) => before[c]! + 1e-3 * value);
  normalize(direction, others);
  for (let round = 0; round < ROUNDS; round++) {
    const next = new Float64Array(columns);
    for (let at = 0; at < rows.length; at += columns) {
      let along = 0;
      for (let c = 0; c < columns; c++) along += (rows[at + c]! - mean[c]!) * direction[c]!;
      for (let c = 0; c < columns; c++) next[c]! += along * (rows[at + c]! - mean[c]!);
    }
    direction = next;
    if (!normalize(direction, others)) return direction;
  }
  const turned = before !== undefined && dot(direction, before) < 0;
  return turned ? direction.map((value) => -value) : direction;
}

/** Takes out the directions of `others` and scales to length 1. False, with zeros, where nothing is left. */
function normalize(direction: Float64Array, others: readonly Float64Array[]): boolean {
  const before = Math.sqrt(dot(direction, direction));
  for (const other of others) {
    const along = dot(direction, other);
    for (let c = 0; c < direction.length; c++) direction[c]! -= along * other[c]!;
  }
  const length = Math.sqrt(dot(direction, direction));
  // What rounding leaves of nothing is no direction.
  if (!(length > 1e-9 * before)) {
    direction.fill(0);
    return false;
  }
  for (let c = 0; c < direction.length; c++) direction[c]! /= length;
  return true;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let c = 0; c < a.length; c++) sum += a[c]! * b[c]!;
  return sum;
}
