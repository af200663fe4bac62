/** Predictions as comma-separated values (RFC 4180): a line for each image, with the probability of every class. */
import type { Evaluation } from './evaluate.js';

/**
 * The lines of the file, which may be many times longer than a string can be. `words` are the class words; `paths` and `labels` [count] belong
 * to the images of the evaluation.
 */
export function predictionLines(
  words: readonly string[],
  { paths, labels }: { paths: readonly string[]; labels: Int32Array },
  { predicted, probabilities }: Pick<Evaluation, 'predicted' | 'probabilities'>,
): Iterable<string> {
  return {
    *[Symbol.iterator]() {
      yield csvLine(['path', 'actual', 'predicted', ...words.map((word) => `p(${word})`)]);
      for (const [i, path] of paths.entries()) {
        const row = probabilities.subarray(i * words.length, (i + 1) * words.length);
        yield csvLine([path, words[labels[i]!]!, words[predicted[i]!]!, ...Array.from(row, String)]);
      }
    },
  };
}

/** The file as one string. */
export function predictionsCsv(...of: Parameters<typeof predictionLines>): string {
  return [...predictionLines(...of)].join('');
}

/** Cells as a line of a file. */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\n`;
}

/** Quotes around what holds a separator, doubled inside. */
function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
