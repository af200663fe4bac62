/**
 * Augmentation of training images as few-shot learners of CLIP have it (Dassl's `random_resized_crop` and `random_flip`, which CoOp's published
 * code trains with): a random part of the image, resized to the model's size, and mirrored half of the time. Sizes and places are drawn as
 * in torchvision's `RandomResizedCrop` and `RandomHorizontalFlip`, from a seed, so that a view can be stored and found again.
 */
import { uniformGenerator } from '../../tensor/random.js';
import type { DecodedImage } from './decoded-image.js';
import type { Preprocessing } from './preprocessing.js';
import { resizeFiltered } from './resample.js';
import { toRgb } from './to-rgb.js';

/** Share of the image's area that a crop takes. */
const AREA = [0.08, 1] as const;
/** Width of a crop by its height; logarithms are uniform. */
const RATIO = [3 / 4, 4 / 3] as const;
/** Draws of a crop that lies within the image, before the largest middle one of an allowed ratio is taken. */
const ATTEMPTS = 10;

/** A part of an image, in pixels. */
export interface Crop {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A crop of an image of this size, with numbers from `uniform`, in [0, 1). */
export function randomCrop(width: number, height: number, uniform: () => number): Crop {
  const between = ([low, high]: readonly [number, number]) => low + (high - low) * uniform();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const area = between(AREA) * width * height;
    const ratio = Math.exp(between([Math.log(RATIO[0]), Math.log(RATIO[1])]));
    const [w, h] = [Math.round(Math.sqrt(area * ratio)), Math.round(Math.sqrt(area / ratio))];
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const top = Math.floor(uniform() * (height - h + 1));
    return { top, left: Math.floor(uniform() * (width - w + 1)), width: w, height: h };
  }
  const own = width / height;
  const w = own > RATIO[1] ? Math.max(1, Math.round(height * RATIO[1])) : width;
  const h = own < RATIO[0] ? Math.max(1, Math.round(width / RATIO[0])) : height;
  return { left: Math.floor((width - w) / 2), top: Math.floor((height - h) / 2), width: w, height: h };
}

/**
 * What a model is shown of an image for one view: whole numbers [size, size] as of `modelPixels`. The image is converted to RGB first, as in
 * CoOp's code. `seed`: 32 bits, which the crop and the mirroring depend on beside the image's size.
 */
export function randomView(image: DecodedImage, { size, filter }: Preprocessing, seed: number): Int32Array {
  const uniform = uniformGenerator(seed);
  const { left, top, width, height } = randomCrop(image.width, image.height, uniform);
  const isMirrored = uniform() < 0.5;
  const rgb = toRgb(image);
  const part = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    const from = 3 * ((top + row) * image.width + left);
    part.set(rgb.subarray(from, from + 3 * width), 3 * width * row);
  }
  const window = { left: 0, top: 0, width: size, height: size };
  const resized = resizeFiltered(part, width, height, 3, size, size, window, filter);
  const words = new Int32Array(size * size);
  for (let pixel = 0; pixel < words.length; pixel++) {
    const column = pixel % size;
    const at = 3 * (isMirrored ? pixel - column + (size - 1 - column) : pixel);
    words[pixel] = resized[at]! | (resized[at + 1]! << 8) | (resized[at + 2]! << 16);
  }
  return words;
}
