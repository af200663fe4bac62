/** Sums that twins have in common. */
import type { RealArray } from '../definition.js';

/** Four running sums, so that an addition need not wait for the one before it. */
export function dot(a: RealArray, b: RealArray, aAt: number, bAt: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let c = 0;
  for (; c + 3 < length; c += 4) {
    s0 += a[aAt + c]! * b[bAt + c]!;
    s1 += a[aAt + c + 1]! * b[bAt + c + 1]!;
    s2 += a[aAt + c + 2]! * b[bAt + c + 2]!;
    s3 += a[aAt + c + 3]! * b[bAt + c + 3]!;
  }
  for (; c < length; c++) s0 += a[aAt + c]! * b[bAt + c]!;
  return s0 + s1 + (s2 + s3);
}
