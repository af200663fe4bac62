/** Sizes that suites have in common. */

/** Rows and columns of 1, primes, just past a workgroup's 64, and the widths of real towers. */
export const rowShapes = [
  [1, 1],
  [1, 7],
  [5, 1],
  [3, 64],
  [7, 65],
  [13, 131],
  [67, 129],
  [3, 768],
  [2, 3072],
].map(([rows, columns]) => ({ rows: rows!, columns: columns! }));

/** The same as numbers in a line. */
export const lengths = rowShapes.map(({ rows, columns }) => ({ length: rows * columns }));

/** Rows of the text tower in a step of 64 images and eight classes, and its width. */
export const TOWER = { rows: 1728, columns: 512 };

/** A row for each image, a column for each class. */
export const LOGITS = { rows: 64, columns: 8 };

/** Numbers that no sum or maximum may lose, with some between them. */
export const SPECIAL: readonly number[] = [Number.NaN, 1, Number.POSITIVE_INFINITY, 0, Number.NEGATIVE_INFINITY];

/** Numbers in [-scale, scale], none of them special. */
export function ramp(length: number, scale: number): number[] {
  return Array.from({ length }, (_, i) => scale * (((i * 3) % 11) / 5 - 1));
}

/** Four axes, of which some have length 1; more elements than a workgroup's 64, and fewer. */
export const fourAxes = [
  [1, 1, 1, 1],
  [1, 1, 5, 13],
  [2, 3, 1, 7],
  [2, 3, 4, 5],
  [3, 7, 5, 11],
].map(([n0, n1, n2, n3]) => ({ n0: n0!, n1: n1!, n2: n2!, n3: n3! }));

/** What one step along each axis of a dense tensor is, in elements. */
export function denseStrides(shape: readonly number[]): number[] {
  let step = 1;
  return shape
    .toReversed()
    .map((length) => {
      const stride = step;
      step *= length;
      return stride;
    })
    .reverse();
}

/** Four strides as numbers of a call. */
export function stridesOf<N extends string>(
  name: N,
  strides: readonly number[],
): Record<`${N}${0 | 1 | 2 | 3}`, number> {
  const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = strides;
  return { [`${name}0`]: s0, [`${name}1`]: s1, [`${name}2`]: s2, [`${name}3`]: s3 } as Record<
    `${N}${0 | 1 | 2 | 3}`,
    number
  >;
}
