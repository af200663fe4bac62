/**
 * Half precision (IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits), converted from and to Float32Array. JavaScript
 * has no portable Float16Array yet.
 *
 * Narrowing rounds to nearest, ties to even, as PyTorch and the hardware do.
 */

const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

/** Widens binary16 bit patterns to binary32. Exact; NaN payloads are kept, moved to the top of the wider fraction. */
export function float32FromHalf(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  const out = new Float32Array(bits.buffer);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i]!;
    const magnitude = half & 0x7fff;
    const sign = (half & 0x8000) << 16;
    // The exponent's bias is 15 in a half, 127 in a binary32.
    if (magnitude >= 0x0400 && magnitude < 0x7c00) bits[i] = sign | ((magnitude << 13) + (112 << 23));
    else if (magnitude >= 0x7c00) bits[i] = sign | 0x7f800000 | ((magnitude & 0x3ff) << 13);
    else out[i] = (sign ? -1 : 1) * magnitude * 2 ** -24;
  }
  return out;
}

/** The binary16 bit pattern nearest to `value`, ties to even. Beyond 65,520 in magnitude that is infinity. */
export function halfFromFloat32(value: number): number {
  scratchFloat[0] = value;
  const bits = scratchBits[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >> 13) & 0x3ff);
  // 65,520 lies half-way between the largest half, 65,504, and the next power of two: from there on it is infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    // Normal. Adding one less than half a unit, plus the lowest kept bit, makes ties go to even; a carry out of the
    // fraction moves into the exponent, which is the right result.
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13);
  }
  // Subnormal halves are multiples of 2^-24. 0.75 + x has a unit of 2^-24 in binary32, so the addition itself rounds x
  // to that grid, ties to even, and leaves the multiple in the low bits.
  scratchBits[0] = magnitude;
  const steps = scratchFloat[0]! + 0.75;
  scratchFloat[0] = steps;
  return sign | (scratchBits[0]! - 0x3f400000);
}

/** Rounds binary32 values to binary16 bit patterns. */
export function halvesFromFloat32(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = halfFromFloat32(values[i]!);
  return out;
}

/** The nearest fp16 values, as binary32. */
export function roundedToHalves(values: ArrayLike<number>): Float32Array {
  return float32FromHalf(halvesFromFloat32(Float32Array.from(values)));
}

/** True if every value is exact in fp16: rounding would change nothing. NaN and infinity do not count as weights. */
export function areHalves(values: Float32Array): boolean {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i]! & 0x7fffffff;
    // Beyond 65,504, the largest half; then normal halves, which have ten bits of fraction; then multiples of 2^-24.
    if (magnitude > 0x477fe000) return false;
    if (magnitude >= 0x38800000) {
      if (magnitude & 0x1fff) return false;
    } else if (magnitude !== 0 && !Number.isInteger(values[i]! * 2 ** 24)) return false;
  }
  return true;
}
