/**
 * Four floats at a time: the multiply-add of every loop here, partial loads and stores, exp.
 *
 * One source makes all builds. With relaxed SIMD, `madd` is one fused instruction if the processor has one;
 * without, a multiplication and an addition.
 */
import { Numbers } from './layout.generated';

/** `a * b + c`. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(c, f32x4.mul(a, b));
}

/** The first `count` (1 to 4) floats at `at`; the other lanes are zero. */
// @ts-ignore: decorator
@inline
export function loadLanes(at: usize, count: i32): v128 {
  if (count >= 4) return v128.load(at);
  if (count == 1) return v128.load32_zero(at);
  const pair = v128.load64_zero(at);
  return count == 2 ? pair : v128.load_lane<f32>(at, pair, 2, 8);
}

/** Stores the first `count` (1 to 4) lanes. */
// @ts-ignore: decorator
@inline
export function storeLanes(at: usize, value: v128, count: i32): void {
  if (count >= 4) {
    v128.store(at, value);
  } else if (count == 1) {
    v128.store_lane<f32>(at, value, 0);
  } else {
    v128.store_lane<f64>(at, value, 0);
    if (count == 3) v128.store_lane<f32>(at, value, 2, 8);
  }
}

/** Sum of the four lanes. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  const low = f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
  return low + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** Four times a number that stands in memory. */
// @ts-ignore: decorator
@inline
export function number(at: usize): v128 {
  return v128.load_splat<f32>(at);
}

/**
 * exp(x) with a relative error of about 1e-7; arguments are clamped to [-87, 88], NaN stays NaN.
 * exp(x) = 2^n exp(r) with n = round(x / ln 2), so |r| <= ln 2 / 2, where eight terms of the series suffice.
 */
// @ts-ignore: decorator
@inline
export function exp(argument: v128): v128 {
  const x = f32x4.pmax(f32x4.pmin(argument, number(Numbers.EXP_LARGEST)), number(Numbers.EXP_SMALLEST));
  const round = number(Numbers.ROUND);
  const shifted = f32x4.add(f32x4.mul(x, number(Numbers.LOG2_E)), round);
  const n = f32x4.sub(shifted, round);
  const r = madd(n, number(Numbers.MINUS_LN2_LOW), madd(n, number(Numbers.MINUS_LN2_HIGH), x));
  let series = number(Numbers.SERIES_7);
  series = madd(series, r, number(Numbers.SERIES_6));
  series = madd(series, r, number(Numbers.SERIES_5));
  series = madd(series, r, number(Numbers.SERIES_4));
  series = madd(series, r, number(Numbers.SERIES_3));
  series = madd(series, r, number(Numbers.HALF));
  const one = number(Numbers.ONE);
  series = madd(series, r, one);
  series = madd(series, r, one);
  // The bits of `shifted` end in n: moved to the exponent's place and biased, that is added to those of 1, they are 2^n.
  const power = i32x4.add(i32x4.shl(shifted, 23), one);
  return f32x4.mul(series, power);
}

/** exp(x), exactly 0 if that is below 1e-37; NaN stays NaN, because of the order of the comparison. */
// @ts-ignore: decorator
@inline
export function exponential(x: v128): v128 {
  return v128.andnot(exp(x), f32x4.lt(x, number(Numbers.NOTHING)));
}

/** The largest of the four lanes; NaN if one is. */
// @ts-ignore: decorator
@inline
export function largestLane(v: v128): f32 {
  const low = max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1));
  return max(low, max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)));
}

/**
 * ln x for finite x >= 0, to about 1e-7. x = 2^e m with m in [sqrt(1/2), sqrt(2)), and ln m = 2 artanh((m - 1) / (m + 1)) by its
 * series. Not the library's, whose table would lie where the heap lies.
 */
export function log(x: f32): f32 {
  if (x == 0) return -Infinity;
  if (!(x > 0)) return NaN;
  const bits = reinterpret<i32>(x);
  const exponent = (bits - reinterpret<i32>(<f32>0.70710678)) >> 23;
  const m = reinterpret<f32>(bits - (exponent << 23));
  const s = (m - 1) / (m + 1);
  const s2 = s * s;
  const series = s * (2 + s2 * (<f32>(2.0 / 3) + s2 * (<f32>(2.0 / 5) + s2 * (<f32>(2.0 / 7) + s2 * <f32>(2.0 / 9)))));
  // ln 2 in two parts, as in `exp`.
  return <f32>exponent * <f32>0.693359375 + (<f32>exponent * <f32>-2.12194440e-4 + series);
}
