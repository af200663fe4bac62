/** Computes what reference numbers are of, with the model at hand, and says how far off it is. */
import type { Engine, Tensor } from '../../tensor/index.js';
import type { CanonicalClip } from '../checkpoint/index.js';
import type { ClipConfig } from '../config.js';
import { TextTower, TokenEmbeddings, VisionTower } from '../towers/index.js';
import type { Block, ReferenceNumbers } from './reference-numbers.js';

export interface LoadedTowers {
  readonly engine: Engine;
  readonly clip: CanonicalClip;
  readonly config: ClipConfig;
}

export interface Deviation {
  readonly name: 'image hidden state' | 'pooled image' | 'text hidden state' | 'pooled text';
  /** The largest |found - expected| in units of max(1, |expected|); NaN where a number is. */
  readonly error: number;
}

/** The deviations of a model from reference numbers, under the activation of `config`. The sizes must be the right ones. */
export async function deviations(model: LoadedTowers, reference: ReferenceNumbers): Promise<Deviation[]> {
  return [...(await imageDeviations(model, reference)), ...(await textDeviations(model, reference))];
}

async function imageDeviations({ engine, clip, config }: LoadedTowers, { image }: ReferenceNumbers) {
  using tower = await VisionTower.load(engine, clip, config);
  const { width, imageSize } = config.vision;
  const data =
    typeof image.pixels === 'number' ? new Float32Array(3 * imageSize ** 2).fill(image.pixels) : image.pixels;
  using pixels = engine.scope(() => engine.tensor(data, [1, 3, imageSize, imageSize]).share());
  const results: Deviation[] = [];
  if (image.hidden) {
    const rows = image.hidden.values.map((_, row) => row + image.hidden!.firstRow);
    const hidden = await readAndFree(engine.scope(() => tower.lastHidden(pixels, rows)));
    results.push({ name: 'image hidden state', error: deviation(hidden, width, image.hidden) });
  }
  const { pooled, features } = engine.scope(() => tower.encode(pixels));
  features.dispose();
  results.push({ name: 'pooled image', error: deviation(await readAndFree(pooled), width, image.pooled) });
  return results;
}

async function textDeviations({ engine, clip, config }: LoadedTowers, { text }: ReferenceNumbers) {
  using tower = await TextTower.load(engine, clip, config);
  const embeddings = new TokenEmbeddings(clip);
  const { width } = config.text;
  const results: Deviation[] = [];
  if (text.hidden) {
    const { firstRow, values } = text.hidden;
    const beginnings = values.map((_, row) => text.ids.slice(0, firstRow + row + 1));
    const hidden = await readAndFree(await tower.lastHidden(beginnings, embeddings));
    results.push({ name: 'text hidden state', error: deviation(hidden, width, text.hidden) });
  }
  const pooled = await readAndFree(await tower.lastHidden([text.ids], embeddings));
  results.push({ name: 'pooled text', error: deviation(pooled, width, text.pooled) });
  return results;
}

/** `rows` holds only the block's rows, whole. */
function deviation(rows: Float32Array, width: number, { firstColumn, values }: Block): number {
  let worst = 0;
  for (const [r, row] of values.entries()) {
    for (const [c, expected] of row.entries()) {
      const error = Math.abs(rows[r * width + firstColumn + c]! - expected) / Math.max(1, Math.abs(expected));
      if (!(error <= worst)) worst = error;
      if (Number.isNaN(worst)) return Number.NaN;
    }
  }
  return worst;
}

async function readAndFree(tensor: Tensor): Promise<Float32Array> {
  try {
    return await tensor.read();
  } finally {
    tensor.dispose();
  }
}
