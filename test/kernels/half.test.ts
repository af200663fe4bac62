import { describe, expect, test } from 'vitest';
import {
  areHalves,
  float32FromHalf,
  halfFromFloat32,
  halvesFromFloat32,
  roundedToHalves,
} from '../../src/kernels/half.js';
import { describeOnAll } from '../support/devices.js';
import { randomReals } from '../support/random.js';

const ALL = Uint16Array.from({ length: 65536 }, (_, bits) => bits);
const INFINITY = 0x7c00;

/** The definition of binary16, in double precision. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent ? sign * (1 + fraction / 1024) * 2 ** (exponent - 15) : sign * fraction * 2 ** -24;
}

describe('half precision', () => {
  test('all 65,536 halves widen to the value of their definition', () => {
    const values = float32FromHalf(ALL);
    for (const bits of ALL)
      if (!Object.is(values[bits], halfValue(bits)))
        expect(values[bits], `0x${bits.toString(16)}`).toBe(halfValue(bits));
  });

  test('all 65,536 halves survive the way to binary32 and back, bit for bit', () => {
    const back = halvesFromFloat32(float32FromHalf(ALL));
    for (const bits of ALL) {
      const notANumber = (bits & 0x7fff) > INFINITY;
      // A signalling NaN may be made quiet; it stays a NaN of the same sign and payload.
      const expected = notANumber ? bits | 0x200 : bits;
      if ((notANumber ? back[bits]! | 0x200 : back[bits]) !== expected)
        expect(back[bits], `0x${bits.toString(16)}`).toBe(expected);
    }
  });

  test('rounding goes to the nearest half, and half-way to the even one, between all neighbours', () => {
    const up = new Float32Array(1);
    const upBits = new Uint32Array(up.buffer);
    for (let lower = 0; lower < INFINITY; lower++) {
      const upper = lower + 1;
      const top = upper === INFINITY ? 65536 : halfValue(upper);
      const middle = (halfValue(lower) + top) / 2;
      up[0] = middle;
      expect(up[0]).toBe(middle);
      upBits[0]!++;
      const above = up[0]!;
      upBits[0]! -= 2;
      const below = up[0]!;
      const even = lower % 2 === 0 ? lower : upper;
      for (const [value, bits] of [
        [middle, even],
        [above, upper],
        [below, lower],
      ] as const) {
        if (halfFromFloat32(value) !== bits) expect(halfFromFloat32(value), String(value)).toBe(bits);
        if (halfFromFloat32(-value) !== (bits | 0x8000))
          expect(halfFromFloat32(-value), String(-value)).toBe(bits | 0x8000);
      }
    }
  });

  test('large, tiny and special values', () => {
    expect(halfFromFloat32(65504)).toBe(0x7bff);
    expect(halfFromFloat32(65519)).toBe(0x7bff);
    expect(halfFromFloat32(65520)).toBe(INFINITY);
    expect(halfFromFloat32(3e38)).toBe(INFINITY);
    expect(halfFromFloat32(Number.NEGATIVE_INFINITY)).toBe(0xfc00);
    expect(halfFromFloat32(1e-45)).toBe(0);
    expect(halfFromFloat32(-0)).toBe(0x8000);
    expect(halfFromFloat32(Number.NaN) & 0x7fff).toBeGreaterThan(INFINITY);
  });

  test('random values land within half a unit', () => {
    for (const value of randomReals(1)(20_000)) {
      const unit = 2 ** Math.max(-24, Math.floor(Math.log2(Math.abs(value))) - 10);
      expect(Math.abs(halfValue(halfFromFloat32(value)) - value)).toBeLessThanOrEqual(unit / 2);
    }
  });

  test('recognises arrays of halves, whatever their size', () => {
    const finite = float32FromHalf(ALL.filter((bits) => (bits & 0x7fff) < INFINITY));
    expect(areHalves(finite)).toBe(true);
    expect(areHalves(roundedToHalves(randomReals(2)(1000)))).toBe(true);
    const not = [
      65_520,
      1 + 2 ** -11,
      2 ** -25,
      1.5 * 2 ** -24,
      -(2 ** -14 + 2 ** -25),
      Number.NaN,
      Number.POSITIVE_INFINITY,
    ];
    for (const value of not) expect(areHalves(Float32Array.of(1, value)), String(value)).toBe(false);
  });
});

describeOnAll('halves written', (device) => {
  test('all 65,536 of them arrive, in any number', async () => {
    const backend = device();
    // WebGPU leaves open what becomes of infinity and NaN.
    const finite = ALL.filter((bits) => (bits & 0x7fff) < INFINITY);
    const all = backend.kind === 'cpu' ? ALL : finite;
    for (const bits of [all, ALL.slice(3, 20), ALL.slice(7, 8)]) {
      for (const dtype of ['f32', 'f16'] as const) {
        const buffer = backend.allocate(dtype, bits.length);
        backend.writeHalves(buffer, bits);
        expect(await backend.read(buffer)).toEqual(float32FromHalf(bits));
        backend.free(buffer);
      }
    }
  });
});
