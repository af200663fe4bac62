/** Random views: what Pillow makes of the same crops (test/reference/random_view_reference.py). */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { clipPreprocessing, decodeImage, randomCrop, randomView } from '../../../src/clip/image/index.js';
import { uniformGenerator } from '../../../src/tensor/random.js';
import { fixture } from './fixtures.js';

const CROPS = [
  { image: [640, 480], seed: 1, crop: { left: 45, top: 114, width: 479, height: 363 } },
  { image: [640, 480], seed: 2, crop: { left: 197, top: 140, width: 328, height: 321 } },
  { image: [17, 400], seed: 3, crop: { left: 0, top: 188, width: 17, height: 23 } },
  { image: [400, 17], seed: 3, crop: { left: 188, top: 0, width: 23, height: 17 } },
  { image: [1, 1], seed: 4, crop: { left: 0, top: 0, width: 1, height: 1 } },
] as const;

const VIEWS = [
  { file: '00_640x480_RGB.png', seed: 1, sha256: 'cdf02ee8db2a21f48e3553d5cc47499b96e055ca4e9f07de6e2e8f89107e6471' },
  { file: '00_640x480_RGB.png', seed: 2, sha256: 'cf127c18bd989a502389366e99f5ad83515f34d97aa45ec7a8d4aab3373ba26a' },
  { file: '10_260x300_P.png', seed: 5, sha256: '4697ea33082d614755dd4cc17dc57a3c2688196b01a65eac318c744ecd38b497' },
  { file: '08_500x333_L.png', seed: 6, sha256: '88f13c1ccd7443d852805dda947706798b224978b25921f1d77ca9ecd8c029a0' },
] as const;

describe('a random crop', () => {
  test.each(CROPS)(
    'of $image by seed $seed is torchvision’s of the same draws',
    ({ image: [width, height], seed, crop }) => {
      expect(randomCrop(width, height, uniformGenerator(seed))).toEqual(crop);
    },
  );

  test('lies in the image, has its share of the area and a ratio near one, and goes everywhere', () => {
    const uniform = uniformGenerator(7);
    const seen = { left: 0, right: 0, top: 0, bottom: 0 };
    for (let i = 0; i < 2000; i++) {
      const { left, top, width, height } = randomCrop(500, 400, uniform);
      expect(Math.min(left, top, 500 - left - width, 400 - top - height)).toBeGreaterThanOrEqual(0);
      const share = (width * height) / (500 * 400);
      expect(share).toBeGreaterThan(0.078);
      expect(width / height).toBeGreaterThan(0.74);
      expect(width / height).toBeLessThan(1.35);
      seen.left += Number(left === 0);
      seen.right += Number(left + width === 500);
      seen.top += Number(top === 0);
      seen.bottom += Number(top + height === 400);
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(5);
  });
});

describe('a random view', () => {
  test.each(VIEWS)('of $file by seed $seed is Pillow’s', async ({ file, seed, sha256 }) => {
    const pixels = randomView(await decodeImage(fixture(file), file), clipPreprocessing(224), seed);
    const rgb = Uint8Array.from({ length: 3 * pixels.length }, (_, i) => pixels[Math.floor(i / 3)]! >> (8 * (i % 3)));
    expect(createHash('sha256').update(rgb).digest('hex')).toBe(sha256);
  });
});
