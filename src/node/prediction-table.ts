/** The table of predictions of a result, written row by row, and what is noted of the rows on the way. */
import { createHash } from 'node:crypto';
import type { ByteSink } from '../clip/checkpoint/index.js';
import { type PredictedRows, predictionLines } from '../ptdpc/index.js';

/** A prediction with all probabilities. */
export interface ConfidentPrediction {
  /** Relative to the folder of the data set. */
  path: string;
  actual: string;
  predicted: string;
  /** Of the predicted class. */
  probability: number;
  /** In the order of the classes. */
  probabilities: number[];
}

/** The right and the wrong prediction with the highest probability; null if there is none. */
export interface MostConfident {
  right: ConfidentPrediction | null;
  wrong: ConfidentPrediction | null;
}

/** Some of the images, in order: their paths relative to the data set's folder, labels, and what was predicted. */
export interface PredictedImages extends PredictedRows {
  readonly paths: readonly string[];
  readonly labels: Int32Array;
}

/** Characters that are passed on at once. */
const BLOCK = 2 ** 20;

export class PredictionTable {
  readonly #hash = createHash('sha256');
  readonly mostConfident: MostConfident = { right: null, wrong: null };
  #begun = false;

  constructor(
    private readonly words: readonly string[],
    private readonly sink: ByteSink,
  ) {}

  async add(images: PredictedImages): Promise<void> {
    this.#noteConfident(images);
    let block = '';
    let isHead = true;
    for (const line of predictionLines(this.words, images, images)) {
      if (isHead && this.#begun) {
        isHead = false;
        continue;
      }
      isHead = false;
      block += line;
      if (block.length < BLOCK) continue;
      await this.#write(block);
      block = '';
    }
    this.#begun = true;
    await this.#write(block);
  }

  /** SHA-256 of the file, of which no more comes. */
  hash(): string {
    return this.#hash.digest('hex');
  }

  async #write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    this.#hash.update(bytes);
    await this.sink(bytes);
  }

  /** Of predictions of equal probability, the first. */
  #noteConfident({ paths, labels, predicted, probabilities }: PredictedImages): void {
    const { words, mostConfident } = this;
    for (const [i, path] of paths.entries()) {
      const [label, guess] = [labels[i]!, predicted[i]!];
      const kind = guess === label ? 'right' : 'wrong';
      const probability = probabilities[i * words.length + guess]!;
      if (probability <= (mostConfident[kind]?.probability ?? 0)) continue;
      const row = Array.from(probabilities.subarray(i * words.length, (i + 1) * words.length));
      mostConfident[kind] = { path, actual: words[label]!, predicted: words[guess]!, probability, probabilities: row };
    }
  }
}
