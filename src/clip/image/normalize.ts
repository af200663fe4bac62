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

/** The normalised value of each sample per channel, [3][256]; as in PyTorch, every step is rounded to float32. */
function table(means: readonly number[], deviations: readonly number[]): Float32Array[] {
  return means.map((mean, channel) =>
    Float32Array.from({ length: 256 }, (_, sample) => {
      const centered = Math.fround(Math.fround(sample / 255) - Math.fround(mean));
      return centered / Math.fround(deviations[channel]!);
    }),
  );
}

/** Unbounded, since a program uses one or two models; a table takes 3 KiB. */
const tables = new Map<string, readonly Float32Array[]>();
const CACHED_TABLES = 16;

function tablesFor({ mean, std }: PixelStatistics): readonly Float32Array[] {
  const key = `${mean.join()} ${std.join()}`;
  const cached = tables.get(key);
  if (cached) return cached;
  const made = table(mean, std);
  if (tables.size >= CACHED_TABLES) tables.clear();
  tables.set(key, made);
  return made;
}

/**
 * @param rgb [size, size, 3], from `preprocess`
 * @param statistics the model's mean and standard deviation; CLIP's by default
 * @returns [3, size, size]
 */
export function normalizePixels(
  rgb: Uint8Array,
  size: number,
  statistics: PixelStatistics = { mean: CLIP_MEAN, std: CLIP_STD },
): Float32Array {
  if (rgb.length !== size * size * 3)
    throw new RangeError(`expected ${size} x ${size} RGB pixels, found ${rgb.length} bytes`);
  return normalized(rgb, 3, size, statistics);
}

/** The same of pixels whose first three of `channels` bytes are red, green and blue. */
export function normalized(
  data: Uint8Array,
  channels: number,
  size: number,
  statistics: PixelStatistics,
): Float32Array {
  const pixels = size * size;
  const out = new Float32Array(pixels * 3);
  const [red, green, blue] = tablesFor(statistics) as [Float32Array, Float32Array, Float32Array];
  for (let pixel = 0, at = 0; pixel < pixels; pixel++, at += channels) {
    out[pixel] = red[data[at]!]!;
    out[pixels + pixel] = green[data[at + 1]!]!;
    out[2 * pixels + pixel] = blue[data[at + 2]!]!;
  }
  return out;
}
