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

/** Numbers in [-scale, scale], none of them special. */
export function ramp(length: number, scale: number): number[] {
  return Array.from({ length }, (_, i) => scale * (((i * 3) % 11) / 5 - 1));
}
