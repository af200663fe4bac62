/** Reads a file of predictions (RFC 4180), as `ptdpc eval` writes it. */
import { quoted } from '../../clip/checkpoint/quoted.js';
import { InputError } from '../../errors.js';
import { csvRecords } from '../csv-file.js';

export interface Predictions {
  /** Class words, in order. */
  readonly words: readonly string[];
  readonly paths: readonly string[];
  /** Class of each image, and the one that was predicted. */
  readonly labels: Int32Array;
  readonly predicted: Int32Array;
  /** [images, classes]. */
  readonly probabilities: Float32Array;
}

/** Throws InputError naming the file and the image where it is not as expected. */
export async function readPredictions(path: string): Promise<Predictions> {
  // The last probability of a file that was cut would be another one.
  const records = csvRecords(path, { complete: true });
  let words: string[] | undefined;
  const place = new Map<string, number>();
  const paths: string[] = [];
  const labels: number[] = [];
  const predicted: number[] = [];
  const rows: Float32Array[] = [];
  for await (const record of records) {
    if (!words) {
      words = classWords(record, path);
      for (const [c, word] of words.entries()) place.set(word, c);
      continue;
    }
    const [image = '', actual = '', guess = '', ...cells] = record;
    paths.push(image);
    const where = `${path}: image ${paths.length}`;
    for (const [name, classes] of [
      [actual, labels],
      [guess, predicted],
    ] as const) {
      const c = place.get(name);
      if (c === undefined) throw new InputError(`${where} has the class ${quoted(name)}, which has no column`);
      classes.push(c);
    }
    rows.push(Float32Array.from(cells, (cell) => probability(cell, where)));
  }
  words ??= classWords([], path);
  const probabilities = new Float32Array(rows.length * words.length);
  for (const [i, row] of rows.entries()) probabilities.set(row, i * words.length);
  return {
    words,
    paths,
    labels: Int32Array.from(labels),
    predicted: Int32Array.from(predicted),
    probabilities,
  };
}

function classWords(head: readonly string[], path: string): string[] {
  const words = head.slice(3).flatMap((name) => /^p\((.*)\)$/s.exec(name)?.[1] ?? []);
  const known = head.slice(0, 3).join() === 'path,actual,predicted' && words.length > 0;
  if (!known || words.length < head.length - 3 || new Set(words).size < words.length)
    throw new InputError(`${path}: expected the columns path, actual, predicted and p(<class>) for each class`);
  return words;
}

function probability(cell: string, where: string): number {
  const value = cell.trim() === '' ? Number.NaN : Number(cell);
  if (!(value >= 0 && value <= 1)) throw new InputError(`${where}: expected probabilities, found ${quoted(cell)}`);
  return value;
}
