/** Predictions as CSV (RFC 4180): one line per image, with the probability of every class. */
import type { Evaluation } from './evaluate.js';

/**
 * Yields the lines of the file, which as a whole may exceed the maximum length of a string. `words` are the class words; `paths` and `labels`
 * [count] those of the evaluated images.
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

/** Joins cells to a line. Numbers are written as they are, negative ones too. */
export function csvLine(cells: readonly (string | number)[]): string {
  return `${cells.map(csvCell).join(',')}\n`;
}

/** With these, after any apostrophes, a cell would be a formula to a spreadsheet; the last four are the same in full width. */
const FORMULA = /^'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;

/** An apostrophe in front of what a spreadsheet would compute, and quotes around a cell with a separator, doubling quotes inside. */
function csvCell(text: string | number): string {
  if (typeof text === 'number') return String(text);
  const cell = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** The text that `csvLine` was given for this cell: the apostrophe that it put in front is taken off, and no other. */
export function textOfCell(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}
