/** Reads the table of predictions of a result, and checks that it is the one that the result was computed from. */
import { basename } from 'node:path';
import { quoted } from '../clip/checkpoint/quoted.js';
import { InputError } from '../errors.js';
import { ConfusionCounter, type ConfusionPairs, samePairs } from '../ptdpc/confusion.js';
import { textOfCell } from '../ptdpc/predictions-csv.js';
import { csvRecords } from './csv-file.js';
import type { ResultFile } from './result-file.js';
import { predictionsPath } from './results.js';

/** The predictions that the result in the file `path` was computed from. Throws InputError if they are others. */
export async function predictionsOf(
  path: string,
  { classes, count, confusionPairs }: ResultFile,
): Promise<Predictions> {
  const file = predictionsPath(path);
  const predictions = await readPredictions(file);
  if (predictions.words.join('\n') !== classes.join('\n'))
    throw new InputError(`${file}: its classes are not those of ${basename(path)}`);
  if (predictions.labels.length !== count || !samePairs(confusionOf(predictions), confusionPairs))
    throw new InputError(
      `${file}: its predictions are not those of ${basename(path)}; evaluate the run again (npx ptdpc eval)`,
    );
  return predictions;
}

function confusionOf({ words, labels, predicted }: Predictions): ConfusionPairs {
  const counter = new ConfusionCounter(words.length);
  labels.forEach((label, i) => {
    counter.add(label, predicted[i]!);
  });
  return counter.pairs();
}

export interface Predictions {
  /** Class words, in order. */
  readonly words: readonly string[];
  readonly paths: readonly string[];
  /** Class of each image, and the one that was predicted. */
  readonly labels: Int32Array;
  readonly predicted: Int32Array;
  /** Of each image, the probabilities of the class that was predicted and of its own. */
  readonly probabilities: Float32Array;
  readonly ownProbabilities: Float32Array;
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
  const probabilities: number[] = [];
  const ownProbabilities: number[] = [];
  for await (const record of records) {
    if (!words) {
      words = classWords(record, path);
      for (const [c, word] of words.entries()) place.set(word, c);
      continue;
    }
    const [image = '', actual = '', guess = ''] = record.slice(0, 3).map(textOfCell);
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
    // All are checked, and two are kept: of 10,000 classes, the table has more than fits into memory.
    const row = record.slice(3).map((cell) => probability(cell, where));
    probabilities.push(row[predicted.at(-1)!] ?? 0);
    ownProbabilities.push(row[labels.at(-1)!] ?? 0);
  }
  words ??= classWords([], path);
  return {
    words,
    paths,
    labels: Int32Array.from(labels),
    predicted: Int32Array.from(predicted),
    probabilities: Float32Array.from(probabilities),
    ownProbabilities: Float32Array.from(ownProbabilities),
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
