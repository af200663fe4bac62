/**
 * One tile of the product, by the inner kernel of this binary: `a` holds `depth` packed columns of A, `b` `depth` packed rows of B; the rows of
 * `c` are `stride` bytes apart.
 *
 * The two functions are exported from the module only so that the optimiser keeps them separate functions, for which engines
 * allocate registers separately. They are two because V8 fuses sums into wide registers only if all begin alike.
 */
import { WIDE } from './layout.generated';
import { narrowTile } from './tile-narrow';
import { wideTile } from './tile-wide';

/** c = A . B */
export function firstTile(a: usize, b: usize, c: usize, stride: usize, depth: i32): void {
  if (WIDE) wideTile(a, b, c, stride, depth, true);
  else narrowTile(a, b, c, stride, depth, true);
}

/** c = c + A . B */
export function nextTile(a: usize, b: usize, c: usize, stride: usize, depth: i32): void {
  if (WIDE) wideTile(a, b, c, stride, depth, false);
  else narrowTile(a, b, c, stride, depth, false);
}

// @ts-ignore: decorator
@inline
export function tile(a: usize, b: usize, c: usize, stride: usize, depth: i32, first: bool): void {
  if (first) firstTile(a, b, c, stride, depth);
  else nextTile(a, b, c, stride, depth);
}

/** Copies the part of a tile that exists; edges of the result are computed in a whole tile aside. */
export function copyTile(from: usize, fromStride: usize, to: usize, toStride: usize, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r++) {
    for (let c: usize = 0; c < <usize>columns; c++) store<f32>(to + (c << 2), load<f32>(from + (c << 2)));
    from += fromStride;
    to += toStride;
  }
}
