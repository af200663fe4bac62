/** Pixels to features on a device: how many pictures at a time, and which of the tower's outputs. */
import { type VisionConfig, visionRows } from '../clip/config.js';
import { largestWeightBytes, type VisionTower } from '../clip/towers/index.js';
import type { Tensor } from '../tensor/index.js';
import { tooLittleMemory } from './budget.js';
import type { FeatureKind } from './options.js';

/** Beyond this many images a larger batch is no faster on any device, and the progress bar moves less often. */
const LARGEST_BATCH = 32;

/** Share of the budget for images; the rest is for a device's rounding of sizes. */
const IMAGE_SHARE = 0.9;

/** Images per batch in a budget of bytes; `fixedBytes` is the device's (see `MemoryUse`). Throws InputError if not one fits. */
export function imagesPerBatch(vision: VisionConfig, memoryBytes: number, fixedBytes = 0): number {
  const { width, intermediate, heads, imageSize } = vision;
  const rows = visionRows(vision);
  // The widest moment of a block: the perceptron's hidden layer beside queries, keys, values, residual and a few rows more.
  const numbersPerRow = intermediate + 8 * width + heads;
  // Pixels: the images in work and those decoded ahead, each by itself; the batch on the host and on the device; its patches.
  const bytesPerImage = 4 * (rows * numbersPerRow + 5 * 3 * imageSize * imageSize);
  const rest = fixedBytes + largestWeightBytes(vision);
  const images = Math.floor(((memoryBytes - rest) * IMAGE_SHARE) / bytesPerImage);
  if (images < 1)
    throw tooLittleMemory('to encode one image of this model takes', bytesPerImage / IMAGE_SHARE + rest, memoryBytes);
  return Math.min(LARGEST_BATCH, images);
}

/** Rows of pictures, on the host. */
export interface EncodedPixels {
  /** [images, width], not normalised. */
  readonly features: Float32Array;
  /** Of joint features, what they were projected from; where that was asked for. */
  readonly pooled?: Float32Array | undefined;
}

/**
 * Encodes pictures [3, size, size] as `normalizePixels` gives them. With `keepPooled`, joint features come with the pooled ones. The
 * device has its work when this first waits.
 */
export async function encodePixels(
  tower: VisionTower,
  kind: FeatureKind,
  images: readonly Float32Array[],
  keepPooled = false,
): Promise<EncodedPixels> {
  const { engine, config } = tower;
  const { imageSize } = config;
  const numbers = 3 * imageSize * imageSize;
  const pixels = new Float32Array(images.length * numbers);
  images.forEach((image, row) => {
    pixels.set(image, row * numbers);
  });
  const { features, pooled } = engine.scope((): { features: Tensor; pooled?: Tensor } => {
    const input = engine.tensor(pixels, [images.length, 3, imageSize, imageSize]);
    if (kind === 'pooled') return { features: tower.pool(input) };
    const { features, pooled } = tower.encode(input);
    return keepPooled ? { features, pooled } : { features };
  });
  try {
    return { features: await features.read(), pooled: await pooled?.read() };
  } finally {
    features.dispose();
    pooled?.dispose();
  }
}
