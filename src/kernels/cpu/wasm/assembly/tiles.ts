/** The two inner kernels side by side, for the host to compare: see ../fusion.ts. */
import { narrowTile } from './tile-narrow';
import { wideTile } from './tile-wide';

/** Runs the narrow one `times` times on the same memory; see `tile`. */
export function narrow(a: usize, b: usize, c: usize, depth: i32, times: i32): void {
  for (let i = 0; i < times; i++) narrowTile(a, b, c, 32, depth, true);
}

/** The same of the wide one. */
export function wide(a: usize, b: usize, c: usize, depth: i32, times: i32): void {
  for (let i = 0; i < times; i++) wideTile(a, b, c, 64, depth, true);
}
