/** Pixels and texts to features on a device, as many at a time as the memory holds. */
import { type VisionConfig, visionRows } from '../clip/config.js';
import { largestWeightBytes, type TextTower, type TokenEmbeddings, type VisionTower } from '../clip/towers/index.js';
import { type Engine, matmul, type Tensor } from '../tensor/index.js';
import { ROW_SHARE, tooLittleMemory } from './budget.js';
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

/**
 * Features of token sequences in pieces [texts, projectionDim], in their order, not normalised. `memory` in bytes. Throws InputError if
 * it does not hold one text's activations.
 */
export async function* encodeTexts(
  tower: TextTower,
  embeddings: TokenEmbeddings,
  sequences: readonly (readonly number[])[],
  memory: number,
): AsyncGenerator<Float32Array> {
  const { engine, inferenceBytesPerRow } = tower;
  const rest = engine.backend.memory.fixedBytes + tower.largestWeightBytes;
  const most = Math.floor(((memory - rest) * ROW_SHARE) / inferenceBytesPerRow);
  using _limit = engine.workWithin(memory);
  for (let start = 0; start < sequences.length; ) {
    let end = start;
    for (let rows = 0; end < sequences.length; end++) {
      rows += sequences[end]!.length;
      if (rows > most) break;
    }
    if (end === start) {
      const need = (sequences[start]!.length * inferenceBytesPerRow) / ROW_SHARE + rest;
      throw tooLittleMemory('to encode one text with this model takes', need, memory);
    }
    using encoded = await tower.encodeTokens(sequences.slice(start, end), embeddings);
    yield await encoded.read();
    start = end;
  }
}

/**
 * scale * images . texts' of features [images, width] and [texts, width]: [images, texts]. `memory` in bytes. Throws InputError if it
 * does not hold an image and a text.
 */
export async function compareFeatures(
  engine: Engine,
  images: Float32Array,
  texts: Float32Array,
  width: number,
  scale: number,
  memory: number,
): Promise<Float32Array> {
  const [count, classes] = [images.length / width, texts.length / width];
  const rest = engine.backend.memory.fixedBytes;
  // Numbers: of each text its feature on its way, on the device, and as the product packs it; of an image the first two, and of each pair
  // the logit there and on its way back. Texts take at most half, so that the other half always holds images.
  const room = Math.floor(((memory - rest) * ROW_SHARE) / 4);
  const columns = Math.min(classes, Math.floor(room / 2 / (3 * width)));
  const rows = Math.min(count, Math.floor((room - columns * 3 * width) / (2 * width + 2 * columns)));
  if (columns < 1 || rows < 1)
    throw tooLittleMemory('to compare an image with a text takes', (4 * 6 * width) / ROW_SHARE + rest, memory);
  using _limit = engine.workWithin(memory);
  const logits = new Float32Array(count * classes);
  for (let c = 0; c < classes; c += columns) {
    const some = texts.subarray(c * width, (c + columns) * width);
    using device = engine.scope(() => engine.tensor(some, [some.length / width, width]));
    for (let i = 0; i < count; i += rows) {
      const data = images.subarray(i * width, (i + rows) * width);
      using part = engine.scope(() =>
        matmul(engine.tensor(data, [data.length / width, width]), device, { transposeB: true, alpha: scale }),
      );
      setColumns(logits, classes, i, c, await part.read(), part.columns);
    }
  }
  return logits;
}

/** Puts `part` [rows, columns] into `whole` [..., stride], its first number at [row, column]. */
export function setColumns(
  whole: Float32Array,
  stride: number,
  row: number,
  column: number,
  part: Float32Array,
  columns: number,
): void {
  for (let i = 0; i * columns < part.length; i++)
    whole.set(part.subarray(i * columns, (i + 1) * columns), (row + i) * stride + column);
}
