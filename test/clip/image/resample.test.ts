import { describe, expect, it } from 'vitest';
import type { DecodedImage } from '../../../src/clip/image/index.js';
import { preprocess } from '../../../src/clip/image/index.js';
import { filterTaps, resamplePlain, resizeFiltered } from '../../../src/clip/image/resample.js';
import { resampleSimd } from '../../../src/clip/image/resample-simd.js';
import { InputError } from '../../../src/errors.js';
import { differences, randomIntegers } from './fixtures.js';

/** Bicubic resampling as the formula says, in float64: separable, every weight evaluated where it is used. */
function resizeDirectly(
  data: Uint8Array,
  inWidth: number,
  inHeight: number,
  channels: number,
  width: number,
  height: number,
) {
  const axis = (values: Float64Array, length: number, outLength: number, stride: number, at: number) => {
    const scale = length / outLength;
    const reach = Math.max(scale, 1);
    return Array.from({ length: outLength }, (_, out) => {
      let sum = 0;
      let total = 0;
      for (let i = 0; i < length; i++) {
        const x = Math.abs((i + 0.5 - (out + 0.5) * scale) / reach);
        const weight = x < 1 ? 1.5 * x ** 3 - 2.5 * x ** 2 + 1 : x < 2 ? -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 : 0;
        sum += weight * (values[at + i * stride] ?? 0);
        total += weight;
      }
      return Math.min(255, Math.max(0, sum / total));
    });
  };
  const wide = new Float64Array(inHeight * width * channels);
  const source = Float64Array.from(data);
  for (let y = 0; y < inHeight; y++)
    for (let c = 0; c < channels; c++)
      for (const [x, value] of axis(source, inWidth, width, channels, y * inWidth * channels + c).entries())
        wide[(y * width + x) * channels + c] = value;
  const out = new Uint8Array(height * width * channels);
  for (let i = 0; i < width * channels; i++)
    for (const [y, value] of axis(wide, inHeight, height, width * channels, i).entries())
      out[y * width * channels + i] = Math.round(value);
  return out;
}

const noise = (random: (below: number) => number, length: number) => Uint8Array.from({ length }, () => random(256));

describe('resizeFiltered', () => {
  it('is within one level of a direct float64 computation at any size', () => {
    const random = randomIntegers(1);
    for (let round = 0; round < 60; round++) {
      const [inWidth, inHeight, width, height] = [random(40) + 1, random(40) + 1, random(40) + 1, random(40) + 1];
      const channels = random(4) + 1;
      const data = noise(random, inWidth * inHeight * channels);
      const whole = { left: 0, top: 0, width, height };
      const result = resizeFiltered(data, inWidth, inHeight, channels, width, height, whole);
      const direct = resizeDirectly(data, inWidth, inHeight, channels, width, height);
      expect(differences(result, direct).max, `${inWidth} x ${inHeight} to ${width} x ${height}`).toBeLessThanOrEqual(
        1,
      );
    }
  });

  it('gives the same pixels for a window as for the whole', () => {
    const random = randomIntegers(2);
    const data = noise(random, 31 * 23 * 3);
    const whole = resizeFiltered(data, 31, 23, 3, 50, 17, { left: 0, top: 0, width: 50, height: 17 });
    const part = resizeFiltered(data, 31, 23, 3, 50, 17, { left: 7, top: 5, width: 11, height: 9 });
    for (let y = 0; y < 9; y++) {
      const from = ((y + 5) * 50 + 7) * 3;
      expect(part.subarray(y * 33, y * 33 + 33)).toEqual(whole.subarray(from, from + 33));
    }
  });

  it('is the identity at equal sizes, and keeps a flat image flat', () => {
    const data = noise(randomIntegers(3), 20 * 10 * 3);
    expect(resizeFiltered(data, 20, 10, 3, 20, 10, { left: 0, top: 0, width: 20, height: 10 })).toEqual(data);
    for (const level of [0, 1, 127, 255]) {
      const flat = new Uint8Array(37 * 53).fill(level);
      const small = resizeFiltered(flat, 37, 53, 1, 9, 11, { left: 0, top: 0, width: 9, height: 11 });
      expect(small.every((value) => value === level)).toBe(true);
    }
  });
});

describe('preprocess', () => {
  const image = (width: number, height: number, mode: DecodedImage['mode'], data: Uint8Array): DecodedImage => ({
    width,
    height,
    mode,
    data,
  });

  it('leaves an image of the right size as it is', () => {
    const data = noise(randomIntegers(4), 16 * 16 * 3);
    expect(preprocess(image(16, 16, 'RGB', data), 16)).toEqual(data);
  });

  it('crops at half pixels to the even side', () => {
    // 5 x 2 to size 2: (5 - 2) / 2 = 1.5 rounds to 2; 3 x 2: 0.5 rounds to 0.
    const row = (values: number[]) => Uint8Array.from([...values, ...values]);
    const left = (pixels: Uint8Array) => [pixels[0], pixels[3]];
    expect(left(preprocess(image(5, 2, 'L', row([10, 20, 30, 40, 50])), 2))).toEqual([30, 40]);
    expect(left(preprocess(image(3, 2, 'L', row([10, 20, 30])), 2))).toEqual([10, 20]);
  });

  it('makes one pixel a flat image', () => {
    const pixels = preprocess(image(1, 1, 'RGB', Uint8Array.of(1, 2, 3)), 8);
    expect(pixels).toEqual(Uint8Array.from({ length: 192 }, (_, i) => (i % 3) + 1));
  });

  it('takes any aspect ratio without enlarging the whole image', () => {
    const started = performance.now();
    for (const [width, height] of [
      [65_000, 1],
      [1, 65_000],
      [60_000, 3],
    ] as const) {
      expect(preprocess(image(width, height, 'L', noise(randomIntegers(5), width * height)), 224)).toHaveLength(
        224 * 224 * 3,
      );
      expect(preprocess(image(width, height, '1', new Uint8Array(width * height)), 224)).toHaveLength(224 * 224 * 3);
    }
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('does not let transparent colours bleed into visible ones', () => {
    // Left half opaque white, right half transparent red.
    const data = Uint8Array.from({ length: 8 * 8 * 4 }, (_, i) => (i % 32 < 16 ? 255 : [255, 0, 0, 0][i % 4]!));
    const pixels = preprocess(image(8, 8, 'RGBA', data), 4);
    expect([...pixels.subarray(0, 6)]).toEqual([255, 255, 255, 255, 255, 255]);
  });

  it.each([0, -1, 1.5, 4097, Number.NaN])('refuses size %d', (size) => {
    expect(() => preprocess(image(1, 1, 'L', Uint8Array.of(1)), size)).toThrow(InputError);
  });
});

describe('resampling with SIMD', () => {
  const random = randomIntegers(11);
  const sizes = [
    { from: [1, 1], to: [1, 1] },
    { from: [7, 5], to: [3, 2] },
    { from: [5, 7], to: [13, 17] },
    { from: [64, 3], to: [4, 9] },
    { from: [131, 67], to: [37, 5] },
    { from: [40, 30], to: [29, 23] },
    // In several bands, and a last one that is shorter.
    { from: [1500, 2100], to: [61, 40] },
  ] as const;

  for (const { from, to } of sizes) {
    for (const channels of [3, 4] as const) {
      it(`${from.join('x')} to ${to.join('x')}, ${channels} channels, equals the plain passes`, () => {
        const data = noise(random, from[0] * from[1] * channels);
        // Extremes side by side, so that the filter overshoots and clips.
        for (let i = 0; i < data.length; i += 3) data[i] = i % 2 ? 255 : 0;
        const across = filterTaps('bicubic', from[0], to[0], 0, to[0]);
        const down = filterTaps('bicubic', from[1], to[1], 0, to[1]);
        // Twice: the second one finds the memory as the first one left it, and something larger in between.
        for (let time = 0; time < 2; time++) {
          const simd = resampleSimd(data, from[0], channels, across, down);
          expect(simd).toEqual(resamplePlain(data, from[0], channels, across, down));
          resizeFiltered(noise(random, 90 * 80 * 4), 90, 80, 4, 33, 31, { left: 0, top: 0, width: 33, height: 31 });
        }
      });
    }
  }

  it('leaves what would take too much memory to the plain passes', () => {
    const across = filterTaps('bicubic', 40_000_000, 4, 0, 4);
    const down = filterTaps('bicubic', 1, 1, 0, 1);
    expect(resampleSimd(new Uint8Array(120_000_000), 40_000_000, 3, across, down)).toBeUndefined();
  });
});
