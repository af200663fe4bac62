import { describe, expect, it } from 'vitest';
import {
  CLIP_MEAN,
  CLIP_STD,
  decodeImage,
  encodeJpeg,
  encodePng,
  normalizePixels,
} from '../../../src/clip/image/index.js';
import { InputError } from '../../../src/errors.js';
import { differences, randomIntegers } from './fixtures.js';
import './codecs.js';

/** A smooth picture, [29, 41, 3]. */
const WIDTH = 41;
const HEIGHT = 29;
const smooth = Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
  const [x, y] = [Math.floor(i / 3) % WIDTH, Math.floor(i / 3 / WIDTH)];
  return 128 + 100 * Math.sin(x / 9 + (i % 3)) * Math.cos(y / 7);
});

describe('encodePng', () => {
  it('is read back exactly', async () => {
    const file = encodePng(smooth, WIDTH, HEIGHT);
    expect(await decodeImage(file, 'f')).toEqual({ width: WIDTH, height: HEIGHT, mode: 'RGB', data: smooth });
  });
});

describe('encodeJpeg', () => {
  it('is read back closely, and more closely the better the quality', async () => {
    const error = async (quality: number) => {
      const image = await decodeImage(await encodeJpeg(smooth, WIDTH, HEIGHT, quality), 'f');
      expect(image).toMatchObject({ width: WIDTH, height: HEIGHT, mode: 'RGBX' });
      return differences(
        image.data.filter((_, i) => i % 4 !== 3),
        smooth,
      ).mean;
    };
    const [poor, good] = [await error(20), await error(95)];
    expect(good).toBeLessThan(1.5);
    expect(poor).toBeGreaterThan(good);
  });

  it.each([0, 101, Number.NaN])('refuses quality %d', async (quality) => {
    await expect(encodeJpeg(smooth, WIDTH, HEIGHT, quality)).rejects.toThrow(InputError);
  });
});

describe('normalizePixels', () => {
  it('is (sample / 255 - mean) / std in float32, channels first', () => {
    const random = randomIntegers(8);
    const rgb = Uint8Array.from({ length: 5 * 5 * 3 }, () => random(256));
    const out = normalizePixels(rgb, 5);
    expect(out).toHaveLength(75);
    for (const [channel, mean] of CLIP_MEAN.entries()) {
      for (let pixel = 0; pixel < 25; pixel++) {
        const exact = (rgb[pixel * 3 + channel]! / 255 - mean) / CLIP_STD[channel]!;
        expect(Math.abs(out[channel * 25 + pixel]! - exact)).toBeLessThan(5e-7);
      }
    }
  });

  it('gives the float32 values of PyTorch', () => {
    // torch.tensor(v).float().div(255).sub(mean).div(std) of a grey v.
    const torch = {
      0: [-1.7922625541687012, -1.7520971298217773, -1.480219841003418],
      1: [-1.777664065361023, -1.7370892763137817, -1.465999722480774],
      128: [0.07633614540100098, 0.16889731585979462, 0.33994877338409424],
      255: [1.9303361177444458, 2.0748836994171143, 2.1458969116210938],
    };
    for (const [grey, values] of Object.entries(torch)) {
      expect([...normalizePixels(new Uint8Array(3).fill(Number(grey)), 1)]).toEqual(values);
    }
  });
});
