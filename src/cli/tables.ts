/** Results as plain text for people. */
import { printable } from '../errors.js';
// By its file: what prints tables is loaded for a command's help, and must not load the engine.
import { classCounts, confusionMatrix, mistakes } from '../ptdpc/confusion.js';
import type { Evaluation } from '../ptdpc/index.js';
import {
  DISTRIBUTION_MEASURE_NAMES,
  DISTRIBUTION_MEASURES,
  type DistributionScores,
} from '../ptdpc/label-distributions.js';

export function percent(share: number | null): string {
  return share === null ? '-' : `${(100 * share).toFixed(1)} %`;
}

/** A difference of shares in percentage points, with its sign. */
export function signedPoints(share: number): string {
  const text = (100 * share).toFixed(1);
  return share > 0 && Number(text) !== 0 ? `+${text}` : text.replace(/^-(0\.0)$/, '$1');
}

/**
 * Rows of cells in columns; the first `left` columns are aligned left, the others right. No cell breaks its line. `given`: the columns'
 * widths, for a part of a table; by default those of the widest cells.
 */
export function table(cells: readonly (readonly string[])[], left = 1, given?: readonly number[]): string {
  const rows = cells.map((row) => row.map(printable));
  const widths =
    given ?? rows[0]?.map((_, column) => rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0)) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column < left ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The measures of label distributions, means over the images. */
export function distributionTable(scores: DistributionScores): string {
  return table([
    ['label distributions', 'mean', 'better'],
    ...DISTRIBUTION_MEASURE_NAMES.map((name) => {
      const { label, better } = DISTRIBUTION_MEASURES[name];
      return [label, scores[name].toFixed(4), better];
    }),
  ]);
}

/** So many classes have a row each; of more, those that are recognised worst. */
const MOST_CLASSES = 200;
const WORST_CLASSES = 20;

/** A row of metrics per class, with the number of its images. */
export function classTable(
  words: readonly string[],
  { classes, confusionPairs }: Pick<Evaluation, 'classes' | 'confusionPairs'>,
): string {
  const { actual } = classCounts(confusionPairs);
  const places = classes.map((_, c) => c);
  const shown =
    classes.length <= MOST_CLASSES
      ? places
      : places
          .filter((c) => actual[c]! > 0)
          .sort((a, b) => classes[a]!.recall! - classes[b]!.recall! || actual[b]! - actual[a]! || a - b)
          .slice(0, WORST_CLASSES);
  const title = shown.length < classes.length ? `worst ${shown.length} of ${classes.length} classes` : 'class';
  return table([
    [title, 'images', 'accuracy', 'precision', 'F1'],
    ...shown.map((c) => {
      const { recall, precision, f1 } = classes[c]!;
      return [words[c] ?? '', String(actual[c]), ...[recall, precision, f1].map(percent)];
    }),
  ]);
}

/** Mistakes that are listed if the matrix is wider than the terminal. */
const MOST_CONFUSIONS = 10;

/**
 * Confusion counts in at most `width` columns: a row per true class and a column per predicted class, whose name is cut as short as it must be.
 * Where not even the counts fit, the most frequent mistakes.
 */
export function confusionTable(
  words: readonly string[],
  { confusionPairs }: Pick<Evaluation, 'confusionPairs'>,
  width: number,
): string {
  const corner = 'true \\ predicted';
  const largest = confusionPairs.pairs.reduce((most, [, , images]) => Math.max(most, images), 0);
  const digits = Math.max(3, String(largest).length);
  const names = words.reduce((most, word) => Math.max(most, printable(word).length), corner.length);
  const room = Math.min(9, Math.floor((width - names) / words.length) - 2);
  if (room >= digits) {
    const short = words.map((word) => word.slice(0, room).trim());
    const rows = confusionMatrix(confusionPairs).map((row, c) => [words[c] ?? '', ...row.map(String)]);
    return table([[corner, ...short], ...rows]);
  }
  const { actual } = classCounts(confusionPairs);
  return table(
    [
      ['most frequent mistakes', 'predicted as', 'images'],
      ...mistakes(confusionPairs)
        .slice(0, MOST_CONFUSIONS)
        .map(([c, d, images]) => [words[c]!, words[d]!, `${images} of ${actual[c]}`]),
    ],
    2,
  );
}
