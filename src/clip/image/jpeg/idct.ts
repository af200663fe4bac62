/**
 * The inverse DCT in integers, identical to libjpeg's accurate one ("islow"): the algorithm of Loeffler, Ligtenberg and Moschytz (1989)
 * with 12 multiplications per row, factors with 13 fractional bits, and 2 extra bits between the passes.
 */

const FACTOR_BITS = 13;
const KEPT_BITS = 2;

const factor = (value: number) => Math.round(value * (1 << FACTOR_BITS));
const F_0_298 = factor(0.298631336);
const F_0_390 = factor(0.390180644);
const F_0_541 = factor(0.5411961);
const F_0_765 = factor(0.765366865);
const F_0_899 = factor(0.899976223);
const F_1_175 = factor(1.175875602);
const F_1_501 = factor(1.50132111);
const F_1_847 = factor(1.847759065);
const F_1_961 = factor(1.96157056);
const F_2_053 = factor(2.053119869);
const F_2_562 = factor(2.562915447);
const F_3_072 = factor(3.072711026);

const work = new Int32Array(64);

/** libjpeg-turbo's vector code keeps 16 bits, which suffices for the coefficients of any real image. */
const short = (value: number) => (value << 16) >> 16;
const saturated = (value: number) => Math.max(-0x8000, Math.min(0x7fff, value));

/**
 * Computes the samples of a block from its coefficients.
 *
 * @param coefficients 64 values starting at `from`, row-major; `table` has their factors in the same order
 * @param out receives 8 rows of 8 samples, `stride` apart, starting at `at`
 */
export function inverseDct(
  coefficients: Int16Array,
  from: number,
  table: Uint16Array,
  out: Uint8ClampedArray,
  at: number,
  stride: number,
): void {
  for (let i = 0; i < 64; i++) work[i] = short(Math.imul(coefficients[from + i]!, table[i]!));
  for (let x = 0; x < 8; x++) pass(x, 8, FACTOR_BITS - KEPT_BITS);
  for (let y = 0; y < 8; y++) {
    pass(8 * y, 1, FACTOR_BITS + KEPT_BITS + 3);
    for (let x = 0; x < 8; x++) out[at + y * stride + x] = work[8 * y + x]! + 128;
  }
}

/** One dimension, in place: 8 numbers starting at `at`, `step` apart, rounded to `bits` fewer bits. */
function pass(at: number, step: number, bits: number): void {
  const half = 1 << (bits - 1);
  const i = (n: number) => work[at + n * step]!;
  const even = Math.imul(i(2) + i(6), F_0_541);
  const even2 = even - Math.imul(i(6), F_1_847);
  const even3 = even + Math.imul(i(2), F_0_765);
  const sum = short(i(0) + i(4)) << FACTOR_BITS;
  const difference = short(i(0) - i(4)) << FACTOR_BITS;
  const e0 = sum + even3 + half;
  const e3 = sum - even3 + half;
  const e1 = difference + even2 + half;
  const e2 = difference - even2 + half;

  const [a, b, c, d] = [i(7), i(5), i(3), i(1)];
  const [sevenThree, fiveOne] = [short(a + c), short(b + d)];
  const all = Math.imul(sevenThree + fiveOne, F_1_175);
  const ac = all - Math.imul(sevenThree, F_1_961);
  const bd = all - Math.imul(fiveOne, F_0_390);
  const ad = Math.imul(a + d, -F_0_899);
  const bc = Math.imul(b + c, -F_2_562);
  const o3 = Math.imul(a, F_0_298) + ad + ac;
  const o2 = Math.imul(b, F_2_053) + bc + bd;
  const o1 = Math.imul(c, F_3_072) + bc + ac;
  const o0 = Math.imul(d, F_1_501) + ad + bd;

  work[at] = saturated((e0 + o0) >> bits);
  work[at + 7 * step] = saturated((e0 - o0) >> bits);
  work[at + step] = saturated((e1 + o1) >> bits);
  work[at + 6 * step] = saturated((e1 - o1) >> bits);
  work[at + 2 * step] = saturated((e2 + o2) >> bits);
  work[at + 5 * step] = saturated((e2 - o2) >> bits);
  work[at + 3 * step] = saturated((e3 + o3) >> bits);
  work[at + 4 * step] = saturated((e3 - o3) >> bits);
}
