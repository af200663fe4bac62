/**
 * The two passes of resample.ts with SIMD. Uses the same integer arithmetic, so results are identical.
 * All arguments are counts or addresses in this module's memory, which the caller lays out.
 */

const WEIGHT_BITS = 22;
const HALF: i32 = 1 << (WEIGHT_BITS - 1);

/**
 * Resizes rows of `inWidth` pixels, of `pixelBytes` (3 or 4) bytes each, to `width` pixels of 4 bytes; the last of the four is of no use if a
 * pixel had 3. Reads one byte beyond `data` then. starts, counts: [width] i32; weights: [width, most] i32.
 */
export function resampleColumns(
  data: usize,
  pixelBytes: i32,
  inWidth: i32,
  rows: i32,
  out: usize,
  width: i32,
  starts: usize,
  counts: usize,
  weights: usize,
  most: i32,
): void {
  for (let row = 0; row < rows; row++) {
    const line = data + <usize>row * inWidth * pixelBytes;
    for (let x: usize = 0; x < <usize>width; x++) {
      let at = line + <usize>load<i32>(starts + (x << 2)) * pixelBytes;
      let weight = weights + ((x * <usize>most) << 2);
      const end = weight + (<usize>load<i32>(counts + (x << 2)) << 2);
      let sum = i32x4.splat(HALF);
      for (; weight < end; weight += 4, at += pixelBytes) {
        const pixel = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)));
        sum = i32x4.add(sum, i32x4.mul(pixel, v128.load32_splat(weight)));
      }
      v128.store32_lane(out, clipped(sum, sum, sum, sum), 0);
      out += 4;
    }
  }
}

/** Resizes to `height` rows of `rowBytes` samples, a multiple of 16. starts, counts: [height] i32; weights: [height, most]. */
export function resampleRows(
  data: usize,
  rowBytes: i32,
  out: usize,
  height: i32,
  starts: usize,
  counts: usize,
  weights: usize,
  most: i32,
): void {
  for (let y: usize = 0; y < <usize>height; y++) {
    const first = data + <usize>load<i32>(starts + (y << 2)) * rowBytes;
    const weight0 = weights + ((y * <usize>most) << 2);
    const end = weight0 + (<usize>load<i32>(counts + (y << 2)) << 2);
    for (let column: usize = 0; column < <usize>rowBytes; column += 16) {
      let sum0 = i32x4.splat(HALF);
      let sum1 = sum0;
      let sum2 = sum0;
      let sum3 = sum0;
      let at = first + column;
      for (let weight = weight0; weight < end; weight += 4, at += rowBytes) {
        const samples = v128.load(at);
        const low = i16x8.extend_low_i8x16_u(samples);
        const high = i16x8.extend_high_i8x16_u(samples);
        const w = v128.load32_splat(weight);
        sum0 = i32x4.add(sum0, i32x4.mul(i32x4.extend_low_i16x8_u(low), w));
        sum1 = i32x4.add(sum1, i32x4.mul(i32x4.extend_high_i16x8_u(low), w));
        sum2 = i32x4.add(sum2, i32x4.mul(i32x4.extend_low_i16x8_u(high), w));
        sum3 = i32x4.add(sum3, i32x4.mul(i32x4.extend_high_i16x8_u(high), w));
      }
      v128.store(out, clipped(sum0, sum1, sum2, sum3));
      out += 16;
    }
  }
}

/** Drops the fractional bits of sixteen sums and clips them to 0..255. */
// @ts-ignore: decorator
@inline
function clipped(a: v128, b: v128, c: v128, d: v128): v128 {
  const low = i16x8.narrow_i32x4_s(i32x4.shr_s(a, WEIGHT_BITS), i32x4.shr_s(b, WEIGHT_BITS));
  const high = i16x8.narrow_i32x4_s(i32x4.shr_s(c, WEIGHT_BITS), i32x4.shr_s(d, WEIGHT_BITS));
  return i8x16.narrow_i16x8_u(low, high);
}
