/** Reads `predictions.csv` (RFC 4180), as `ptdpc eval` writes it. */
import { quoted } from '../../clip/checkpoint/quoted.js';
import { InputError } from '../../errors.js';
import { readText } from '../checkpoint-files.js';
import { parseCsv } from '../csv-file.js';

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

/** Throws InputError naming the file and the line where it is not as expected. */
export async function readPredictions(path: string): Promise<Predictions> {
  const text = await readText(path);
  // The last probability of a file that was cut would be another one.
  if (!text.endsWith('\n')) throw new InputError(`${path}: cut short: expected a line end after the last image`);
  const [head = [], ...rows] = parseCsv(text, path);
  const words = head.slice(3).map((name) => /^p\((.*)\)$/s.exec(name)?.[1]);
  const known = head.slice(0, 3).join() === 'path,actual,predicted' && words.length > 0;
  if (!known || !words.every((word) => word !== undefined) || new Set(words).size < words.length) {
    throw new InputError(`${path}: expected the columns path, actual, predicted and p(<class>) for each class`);
  }
  const place = new Map(words.map((word, c) => [word, c]));
  const probabilities = new Float32Array(rows.length * words.length);
  const classOf = (row: number, column: 1 | 2) => {
    const found = place.get(rows[row]![column]!);
    if (found === undefined)
      throw new InputError(
        `${path}: image ${row + 1} has the class ${quoted(rows[row]![column])}, which has no column`,
      );
    return found;
  };
  rows.forEach((row, i) => {
    words.forEach((_, c) => {
      const text = row[3 + c]!;
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (!(value >= 0 && value <= 1))
        throw new InputError(`${path}: image ${i + 1}: expected probabilities, found ${quoted(text)}`);
      probabilities[i * words.length + c] = value;
    });
  });
  return {
    words,
    paths: rows.map(([image = '']) => image),
    labels: Int32Array.from(rows, (_, i) => classOf(i, 1)),
    predicted: Int32Array.from(rows, (_, i) => classOf(i, 2)),
    probabilities,
  };
}
