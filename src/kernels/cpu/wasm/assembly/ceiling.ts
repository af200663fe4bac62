/** Arithmetic and nothing else, to measure this machine's ceiling. */
import { madd } from './simd';

/**
 * Multiplies and adds in registers: 12 independent sums, as many as x86-64 has registers for besides the factor and a
 * product. sum = sum * x + x with x = 0.5 tends to 1: neither overflow nor denormal numbers.
 */
export function multiplyAdd(turns: i32, factor: f32): f32 {
  const x = f32x4.splat(factor);
  let s0 = x;
  let s1 = f32x4.splat(1);
  let s2 = f32x4.splat(2);
  let s3 = f32x4.splat(3);
  let s4 = f32x4.splat(4);
  let s5 = f32x4.splat(5);
  let s6 = f32x4.splat(6);
  let s7 = f32x4.splat(7);
  let s8 = f32x4.splat(8);
  let s9 = f32x4.splat(9);
  let s10 = f32x4.splat(10);
  let s11 = f32x4.splat(11);
  for (let turn = 0; turn < turns; turn++) {
    s0 = madd(s0, x, x);
    s1 = madd(s1, x, x);
    s2 = madd(s2, x, x);
    s3 = madd(s3, x, x);
    s4 = madd(s4, x, x);
    s5 = madd(s5, x, x);
    s6 = madd(s6, x, x);
    s7 = madd(s7, x, x);
    s8 = madd(s8, x, x);
    s9 = madd(s9, x, x);
    s10 = madd(s10, x, x);
    s11 = madd(s11, x, x);
  }
  let sum = f32x4.add(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)), f32x4.add(f32x4.add(s4, s5), f32x4.add(s6, s7)));
  sum = f32x4.add(sum, f32x4.add(f32x4.add(s8, s9), f32x4.add(s10, s11)));
  return f32x4.extract_lane(sum, 0);
}
