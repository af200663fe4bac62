/** fp16 values (see half.ts) widened to single precision. */

/** 2^112: the difference of the two formats' exponents. */
const REBIAS: f32 = 5192296858534827628530496329220096.0;

/** Four fp16 values, each in the low bits of a lane, as floats. */
// @ts-ignore: decorator
@inline
function widened(halves: v128): v128 {
  const magnitude = v128.and(halves, i32x4.splat(0x7fff));
  const sign = i32x4.shl(v128.and(halves, i32x4.splat(0x8000)), 16);
  // With the fraction in place the exponent is too small by 112, in subnormal halves too.
  const value = f32x4.mul(i32x4.shl(magnitude, 13), f32x4.splat(REBIAS));
  // Infinity and NaN keep the largest exponent.
  const special = v128.and(i32x4.gt_u(magnitude, i32x4.splat(0x7bff)), i32x4.splat(0x7f800000));
  return v128.or(v128.or(value, sign), special);
}

/** Writes `count` fp16 values at `from` to `to` as floats. */
export function widenHalves(from: usize, count: i32, to: usize): void {
  let i = 0;
  for (; i + 8 <= count; i += 8, from += 16, to += 32) {
    const halves = v128.load(from);
    v128.store(to, widened(i32x4.extend_low_i16x8_u(halves)));
    v128.store(to, widened(i32x4.extend_high_i16x8_u(halves)), 16);
  }
  for (; i < count; i++, from += 2, to += 4) {
    v128.store_lane<f32>(to, widened(i32x4.splat(load<u16>(from))), 0);
  }
}
