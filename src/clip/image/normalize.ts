/** Converts 8-bit RGB to the input of an image tower (`ToTensor` and `Normalize` of torchvision). */

/** Mean and standard deviation per RGB channel, for values in [0, 1]. */
export interface PixelStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** RGB means of CLIP's training images. */
export const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
/** RGB standard deviations of CLIP's training images. */
export const CLIP_STD = [0.26862954, 0.26130258, 0.27577711] as const;

/** RGB means of ImageNet (`timm/data/constants.py`). */
export const IMAGENET_MEAN = [0.485, 0.456, 0.406] as const;
/** RGB standard deviations of ImageNet. */
export const IMAGENET_STD = [0.229, 0.224, 0.225] as const;

const CLIP_STATISTICS: PixelStatistics = { mean: CLIP_MEAN, std: CLIP_STD };

/** The normalised value of each byte per channel, [3, 256]; as in PyTorch, every step is rounded to float32. */
export function pixelValues({ mean, std }: PixelStatistics): Float32Array {
  return Float32Array.from({ length: 3 * 256 }, (_, i) => {
    const channel = i >> 8;
    const centered = Math.fround(Math.fround((i & 255) / 255) - Math.fround(mean[channel]!));
    return centered / Math.fround(std[channel]!);
  });
}

/**
 * @param rgb [size, size, 3], from `preprocess`
 * @param statistics the model's mean and standard deviation; CLIP's by default
 * @returns [3, size, size]
 */
export function normalizePixels(
  rgb: Uint8Array,
  size: number,
  statistics: PixelStatistics = CLIP_STATISTICS,
): Float32Array {
  if (rgb.length !== size * size * 3)
    throw new RangeError(`expected ${size} x ${size} RGB pixels, found ${rgb.length} bytes`);
  const pixels = size * size;
  const values = pixelValues(statistics);
  const out = new Float32Array(pixels * 3);
  for (let pixel = 0, at = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < 3; channel++) out[channel * pixels + pixel] = values[256 * channel + rgb[at++]!]!;
  }
  return out;
}
