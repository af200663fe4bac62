/** Texts to features on a device, and features of images compared with them, in pieces that fit a memory budget. */
import type { TextTower, TokenEmbeddings } from '../clip/towers/index.js';
import { type Engine, matmul } from '../tensor/index.js';
import { ROW_SHARE, tooLittleMemory } from './budget.js';

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
