/** Results as plain text for people. */
import { printable } from '../errors.js';
import type { Evaluation } from '../ptdpc/index.js';

export function percent(share: number | null): string {
  return share === null ? '-' : `${(100 * share).toFixed(1)} %`;
}

/** Rows of cells in columns; the first `left` columns are aligned left, the others right. No cell breaks its line. */
export function table(cells: readonly (readonly string[])[], left = 1): string {
  const rows = cells.map((row) => row.map(printable));
  const widths =
    rows[0]?.map((_, column) => rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0)) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A row of metrics per class, with the number of its images. */
export function classTable(words: readonly string[], { classes, confusion }: Evaluation): string {
  return table([
    ['class', 'images', 'accuracy', 'precision', 'F1'],
    ...classes.map(({ recall, precision, f1 }, c) => [
      words[c] ?? '',
      String(confusion[c]!.reduce((a, b) => a + b, 0)),
      ...[recall, precision, f1].map(percent),
    ]),
  ]);
}

/** Mistakes that are listed if the matrix is wider than the terminal. */
const MOST_CONFUSIONS = 10;

/**
 * Confusion counts in at most `width` columns: a row per true class and a column per predicted class, whose name is cut as short as it must be.
 * Where not even the counts fit, the most frequent mistakes.
 */
export function confusionTable(words: readonly string[], { confusion }: Evaluation, width: number): string {
  const corner = 'true \\ predicted';
  const largest = confusion.reduce((most, row) => row.reduce((a, b) => Math.max(a, b), most), 0);
  const digits = Math.max(3, String(largest).length);
  const names = words.reduce((most, word) => Math.max(most, printable(word).length), corner.length);
  const room = Math.min(9, Math.floor((width - names) / words.length) - 2);
  if (room >= digits) {
    const short = words.map((word) => word.slice(0, room).trim());
    return table([[corner, ...short], ...confusion.map((row, c) => [words[c] ?? '', ...row.map(String)])]);
  }
  const mistakes = confusion
    .flatMap((row, c) => row.flatMap((count, d) => (c !== d && count > 0 ? [{ c, d, count }] : [])))
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_CONFUSIONS);
  return table(
    [
      ['most frequent mistakes', 'predicted as', 'images'],
      ...mistakes.map(({ c, d, count }) => [
        words[c]!,
        words[d]!,
        `${count} of ${confusion[c]!.reduce((a, b) => a + b, 0)}`,
      ]),
    ],
    2,
  );
}
