/**
 * Resizing of 16-bit grey, as Pillow does it for its mode I: float64 weights and sums, each pass rounded to whole numbers, and neither
 * range clipped before the end.
 */
import { type ExactTaps, exactTaps, type Filter, type Window } from './resample.js';

/**
 * Resizes as `resizeFiltered` does.
 *
 * @param data [inHeight, inWidth, 2], high byte first
 * @returns [window.height, window.width] whole numbers, beyond 16 bits where the filter overshoots
 */
export function resizeDeep(
  data: Uint8Array,
  inWidth: number,
  inHeight: number,
  width: number,
  height: number,
  window: Window,
  filter: Filter,
): Int32Array {
  const columns = exactTaps(filter, inWidth, width, window.left, window.width);
  const rows = exactTaps(filter, inHeight, height, window.top, window.height);
  const last = window.height - 1;
  const firstRow = rows.starts[0]!;
  const endRow = rows.starts[last]! + rows.counts[last]!;
  const narrowed = new Int32Array((endRow - firstRow) * window.width);
  const line = new Int32Array(inWidth);
  for (let y = firstRow; y < endRow; y++) {
    for (let x = 0, at = y * inWidth * 2; x < inWidth; x++, at += 2) line[x] = (data[at]! << 8) | data[at + 1]!;
    const out = narrowed.subarray((y - firstRow) * window.width);
    for (let x = 0; x < window.width; x++) out[x] = weighted(line, columns.starts[x]!, 1, columns, x);
  }
  const out = new Int32Array(window.height * window.width);
  for (let y = 0; y < window.height; y++) {
    const from = (rows.starts[y]! - firstRow) * window.width;
    for (let x = 0; x < window.width; x++) {
      out[y * window.width + x] = weighted(narrowed, from + x, window.width, rows, y);
    }
  }
  return out;
}

/** The samples from `at` on, `step` apart, summed by the weights of an output position; halves are rounded away from 0. */
function weighted(samples: Int32Array, at: number, step: number, taps: ExactTaps, position: number): number {
  const { counts, weights, most } = taps;
  let sum = 0;
  for (let tap = 0; tap < counts[position]!; tap++) sum += samples[at + tap * step]! * weights[position * most + tap]!;
  return sum < 0 ? -Math.floor(0.5 - sum) : Math.floor(sum + 0.5);
}
