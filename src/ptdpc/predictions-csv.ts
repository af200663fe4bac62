/** Predictions as comma-separated values (RFC 4180): a line for each image, with the probability of every class. */
import type { Evaluation } from './evaluate.js';

/** `words` are the class words; `paths` and `labels` [count] belong to the images of the evaluation. */
export function predictionsCsv(
  words: readonly string[],
  { paths, labels }: { paths: readonly string[]; labels: Int32Array },
  { predicted, probabilities }: Pick<Evaluation, 'predicted' | 'probabilities'>,
): string {
  const header = ['path', 'actual', 'predicted', ...words.map((word) => `p(${word})`)];
  const lines = paths.map((path, i) => {
    const row = probabilities.subarray(i * words.length, (i + 1) * words.length);
    return [path, words[labels[i]!]!, words[predicted[i]!]!, ...Array.from(row, String)];
  });
  return csvText([header, ...lines]);
}

/** Rows of cells as the text of a file. */
export function csvText(rows: readonly (readonly string[])[]): string {
  return `${rows.map((cells) => cells.map(csvCell).join(',')).join('\n')}\n`;
}

/** Quotes around what holds a separator, doubled inside. */
function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
