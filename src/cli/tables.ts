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

/** Confusion counts: a row per true class, a column per predicted class (abbreviated), and each class's measures. */
export function confusionTable(words: readonly string[], { confusion, classes }: Evaluation): string {
  const short = words.map((word) => word.slice(0, 6).trim());
  return table([
    ['true \\ predicted', ...short, 'accuracy', 'precision', 'F1'],
    ...confusion.map((row, c) => {
      const { precision, recall, f1 } = classes[c]!;
      return [words[c] ?? '', ...row.map(String), ...[recall, precision, f1].map(percent)];
    }),
  ]);
}
