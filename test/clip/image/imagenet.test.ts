/** Preprocessing of networks trained on ImageNet: to RGB first, the short side as timm or torchvision has it, ImageNet's statistics. */
import { expect, test } from 'vitest';
import {
  type DecodedImage,
  imageNetPreprocessing,
  normalizePixels,
  preprocess,
} from '../../../src/clip/image/index.js';

/** 256 x 300 pixels, each its own place in red and green; alpha falls to the right. */
function pattern(mode: 'RGB' | 'RGBA', width = 256, height = 300): DecodedImage {
  const channels = mode === 'RGB' ? 3 : 4;
  const data = new Uint8Array(width * height * channels);
  for (let i = 0; i < width * height; i++) {
    data.set([i % width, Math.floor(i / width) % 256, 7, 255 - (i % width)].slice(0, channels), i * channels);
  }
  return { width, height, mode, data };
}

test('a short side of 256 is not resized, only cropped to 224 in the middle', () => {
  const out = preprocess(pattern('RGB'), imageNetPreprocessing(224, { resize: 256, filter: 'bilinear' }));
  expect(out).toHaveLength(224 * 224 * 3);
  expect([...out.subarray(0, 3)]).toEqual([16, 38, 7]);
  expect([...out.subarray(-3)]).toEqual([16 + 223, (38 + 223) % 256, 7]);
});

test.each([
  [224, 248],
  [384, 384],
  [56, 62],
])('timm crops %i pixels from a short side of %i', (size, resize) => {
  expect(imageNetPreprocessing(size)).toMatchObject({ size, resize, shape: 'shortest', filter: 'bicubic' });
});

test('alpha is dropped before the resize, so that it changes nothing', () => {
  const how = imageNetPreprocessing(56);
  expect(preprocess(pattern('RGBA', 90, 70), how)).toEqual(preprocess(pattern('RGB', 90, 70), how));
});

test("ImageNet's mean and deviation", () => {
  const [red, green, blue] = normalizePixels(Uint8Array.of(0, 128, 255), 1, imageNetPreprocessing(1));
  expect(red).toBeCloseTo(-0.485 / 0.229, 6);
  expect(green).toBeCloseTo((128 / 255 - 0.456) / 0.224, 6);
  expect(blue).toBeCloseTo((1 - 0.406) / 0.225, 6);
});
