/** Encodes pixels and texts to features on a device, as many at a time as fit in memory. */
import { type Preprocessing, pixelValues } from '../clip/image/index.js';
import type { TextTower, TokenEmbeddings } from '../clip/towers/index.js';
import type { EncoderMemory, EncoderTower } from '../encoders/encoder.js';
import { type Engine, matmul, type Tensor } from '../tensor/index.js';
import { span } from '../trace.js';
import { ROW_SHARE, tooLittleMemory } from './budget.js';
import { finiteLogits } from './features.js';
import type { FeatureKind } from './options.js';

/** A larger batch is not faster on any device, and updates the progress bar less often. */
const LARGEST_BATCH = 32;

/** Fraction of the budget for images; the rest allows for the device's rounding of sizes. */
const IMAGE_SHARE = 0.9;

/** Images per batch for a budget in bytes; for `fixedBytes` see `MemoryUse`. Throws InputError if not even one fits. */
export function imagesPerBatch(encoder: EncoderMemory, memoryBytes: number, fixedBytes = 0): number {
  const { perImage, largestWeight } = encoder;
  const rest = fixedBytes + largestWeight;
  const images = Math.floor(((memoryBytes - rest) * IMAGE_SHARE) / perImage);
  if (images < 1)
    throw tooLittleMemory('encoding one image with this model needs', perImage / IMAGE_SHARE + rest, memoryBytes);
  return Math.min(LARGEST_BATCH, images);
}

/** Features of images, on the host. */
export interface EncodedPixels {
  /** [images, width], not normalised. */
  readonly features: Float32Array;
  /** The features before projection into the joint space, if requested. */
  readonly pooled?: Float32Array | undefined;
}

/**
 * Encodes images [size, size] from `modelPixels`, prepared as `how` says. With `keepPooled`, also returns the pooled
 * features. All work is submitted to the device before the first await.
 */
export async function encodePixels(
  tower: EncoderTower,
  kind: FeatureKind,
  images: readonly Int32Array[],
  how: Preprocessing,
  keepPooled = false,
): Promise<EncodedPixels> {
  using _ = span('encode', { images: images.length });
  const { engine } = tower;
  const { size } = how;
  const all = new Int32Array(images.length * size * size);
  images.forEach((image, row) => {
    all.set(image, row * size * size);
  });
  const { features, pooled } = engine.scope((): { features: Tensor; pooled?: Tensor } => {
    const pixels = engine.indices(all, [images.length, size, size]);
    const values = engine.tensor(pixelValues(how), [3, 256]);
    if (kind === 'pooled') return { features: tower.pool(pixels, values) };
    if (!tower.encode) throw new Error('this encoder has no joint space');
    const { features, pooled } = tower.encode(pixels, values);
    return keepPooled ? { features, pooled } : { features };
  });
  try {
    const [own, before] = await Promise.all([features.read(), pooled?.read()]);
    return { features: own, pooled: before };
  } finally {
    features.dispose();
    pooled?.dispose();
  }
}

/**
 * Features of token sequences, in order, in chunks [texts, projectionDim], not normalised. `memory` in bytes. Throws InputError if it
 * cannot hold one text's activations.
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
      throw tooLittleMemory('encoding one text with this model needs', need, memory);
    }
    using encoded = await tower.encodeTokens(sequences.slice(start, end), embeddings);
    yield await encoded.read();
    start = end;
  }
}

/**
 * scale * images . texts' for features [images, width] and [texts, width]: [images, texts]. `memory` in bytes. Throws InputError if it
 * cannot hold one image and one text.
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
  // Numbers: for a text, its feature in transit, on the device, and packed for the product; for an image, the first two; for each pair, the
  // logit on the device and in transit. Texts take at most half, so that there is always room for images.
  const room = Math.floor(((memory - rest) * ROW_SHARE) / 4);
  const columns = Math.min(classes, Math.floor(room / 2 / (3 * width)));
  const rows = Math.min(count, Math.floor((room - columns * 3 * width) / (2 * width + 2 * columns)));
  if (columns < 1 || rows < 1)
    throw tooLittleMemory('comparing an image with a text needs', (4 * 6 * width) / ROW_SHARE + rest, memory);
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

/**
 * Gives the logits [images, classes] of normalised image features for any number of calls; see `compareFeatures`, whose texts are normalised
 * too. They throw NonFiniteError if a logit is NaN or infinite.
 */
export function textScorer(
  engine: Engine,
  texts: Float32Array,
  width: number,
  scale: number,
  memory: number,
): (features: Float32Array) => Promise<Float32Array> {
  return async (features) => finiteLogits(await compareFeatures(engine, features, texts, width, scale, memory));
}

/** Copies `part` [rows, columns] into `whole` [..., stride] at [row, column]. */
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
