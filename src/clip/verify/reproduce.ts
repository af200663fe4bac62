/** Recomputes published outputs of a model and reports the differences. */
import type { Engine, Tensor } from '../../tensor/index.js';
import type { CanonicalClip } from '../checkpoint/index.js';
import type { ClipConfig } from '../config.js';
import { TextTower, TokenEmbeddings, VisionTower } from '../towers/index.js';

export interface LoadedTowers {
  readonly engine: Engine;
  readonly clip: CanonicalClip;
  readonly config: ClipConfig;
}

export interface Deviation {
  readonly name: 'image hidden state' | 'pooled image' | 'text hidden state' | 'pooled text';
  /** The largest |found - expected| / max(1, |expected|); NaN if any number is NaN. */
  readonly error: number;
}

/** Deviations of a model from reference numbers, with the activation of `config`. The sizes must match. */
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

/** `rows` holds the block's rows at full width. */
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

/** A check of a model, and its outcome. */
export interface Check {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'not run';
  /** The finding, or why the check could not run. */
  readonly detail: string;
}

export const passed = (name: string, detail: string): Check => ({ name, outcome: 'passed', detail });
export const failed = (name: string, detail: string): Check => ({ name, outcome: 'failed', detail });
export const notRun = (name: string, detail: string): Check => ({ name, outcome: 'not run', detail });

/**
 * Published outputs of a published checkpoint. `hidden` is a block of the last hidden state as transformers defines it: for
 * the image tower before the final layer norm, for the text tower after it. `pooled` is the row at CLS or at EOT after the
 * final layer norm.
 */
export interface ReferenceNumbers {
  /** Name of the checkpoint. */
  readonly model: string;
  readonly source: string;
  readonly image: {
    /** Normalised pixels [1, 3, size, size]; a number sets all of them. */
    readonly pixels: number | Float32Array;
    readonly hidden?: Block;
    readonly pooled: Block;
  };
  readonly text: {
    readonly ids: readonly number[];
    readonly hidden?: Block;
    readonly pooled: Block;
  };
}

/** A block of a matrix: `values[r][c]` is at row `firstRow + r` and column `firstColumn + c`. */
export interface Block {
  readonly firstRow: number;
  readonly firstColumn: number;
  readonly values: readonly (readonly number[])[];
}

const at1 = (values: readonly (readonly number[])[]): Block => ({ firstRow: 1, firstColumn: 1, values });

/** OpenAI's ViT-B/32 (`openai/clip-vit-base-patch32`), to four decimals. */
export const OPENAI_VIT_B32: ReferenceNumbers = {
  model: "OpenAI's ViT-B/32",
  source: 'the test suite of elixir-nx/bumblebee, computed with transformers',
  image: {
    pixels: 0.5,
    hidden: at1([
      [0.3465, -0.3939, -0.5297],
      [0.3588, -0.2529, -0.5606],
      [0.3958, -0.2688, -0.5367],
    ]),
    pooled: at1([[0.3602, 0.3658, -0.2337]]),
  },
  text: {
    // "a photo of a cat"
    ids: [49406, 320, 1125, 539, 320, 2368, 49407],
    hidden: at1([
      [-0.5844, 0.3685, -2.0744],
      [-0.96, 1.0018, -0.2415],
      [-0.5957, -0.1719, 0.4689],
    ]),
    pooled: at1([[0.1658, 0.8876, 10.6313]]),
  },
};
