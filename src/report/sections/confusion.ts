/** Confusion matrices, as counts and as shares of each class (the paper's Figure 4), and what follows for each class. */
import { MOST_IN_MATRIX, mistakes } from '../../ptdpc/confusion.js';
import { type ConfusionPairs, classCounts, classMetrics, confusionMatrix } from '../../ptdpc/index.js';
import { heatMap } from '../charts/heat-map.js';
import { counted, type Html, html, type Part, percent, points, whole } from '../format.js';
import { figure, type Table, table } from '../page/document.js';

export interface Confusion {
  /** Class words. */
  readonly classes: readonly string[];
  readonly pairs: ConfusionPairs;
}

/** Mistakes, and classes, that are listed first if there are too many for a matrix or to read. */
const LISTED = 20;
/** Mistakes in the list to search in; there may be one for each image. */
const MOST_SEARCHED = 2000;

export function confusionFigures(confusion: Confusion): Html {
  const { classes, pairs } = confusion;
  const listed = mostFrequent(confusion);
  if (classes.length > MOST_IN_MATRIX) {
    return html`<h3>Most frequent confusions</h3>${shortened(
      listed.map(({ actual, predicted, count, share }) => [actual, predicted, whole(count), points(share, 1)]),
      {
        label: 'The most frequent confusions',
        head: ['ground truth', 'prediction', 'images', 'share of the class (%)'],
      },
      `${listed.length < MOST_SEARCHED ? 'All' : 'The first'} ${counted(listed.length, 'confusion')}`,
    )}`;
  }
  const counts = confusionMatrix(pairs);
  const sums = counts.map(sum);
  const largest = Math.max(1, ...counts.flat());
  const shares = counts.map((row, i) => row.map((count) => (sums[i] === 0 ? 0 : count / sums[i]!)));
  const names = { rows: classes, columns: classes, rowName: 'ground truth', columnName: 'prediction' };
  const correct = counts.reduce((total, row, i) => total + row[i]!, 0);
  const head = ['ground truth \\ prediction', ...classes];
  const most = listed[0];
  const often = most
    ? ` Most often confused: ${most.actual} predicted as ${most.predicted}, ${counted(most.count, 'image')}.`
    : '';
  return html`<div class="charts pair">${figure({
    title: 'Confusion: images',
    drawing: heatMap({
      ...names,
      shades: counts.map((row) => row.map((count) => count / largest)),
      texts: counts.map((row) => row.map((count) => (count === 0 ? '' : whole(count)))),
    }),
    summary: `Confusion matrix of ${classes.length} classes: ${whole(correct)} of ${counted(sum(sums), 'image')} on the diagonal.${often}`,
    data: {
      label: 'Images of each class (rows) by predicted class (columns)',
      head,
      rows: counts.map((row, i) => [classes[i], ...row.map(whole)]),
    },
  })}${figure({
    title: 'Confusion: share of each class (%)',
    drawing: heatMap({
      ...names,
      shades: shares,
      texts: shares.map((row) => row.map((share) => (share === 0 ? '' : points(share, 0)))),
    }),
    summary: `Confusion matrix with each row divided by its sum. On the diagonal: ${classes
      .map((word, i) => `${word} ${sums[i] === 0 ? 'no images' : percent(shares[i]![i]!)}`)
      .join(', ')}.`,
    data: {
      label: 'Share of each class (rows) by predicted class (columns), in percent',
      head,
      rows: shares.map((row, i) => [classes[i], ...row.map((share) => points(share))]),
    },
  })}</div>`;
}

/** Recall, precision and F1 of each class; of very many, of the worst first. */
export function classTable({ classes, pairs }: Confusion): Html {
  const { actual } = classCounts(pairs);
  const metrics = classMetrics(pairs);
  const share = (of: number | null) => (of === null ? '–' : points(of, 1));
  const row = (word: string, c: number) => {
    const { recall, precision, f1 } = metrics[c]!;
    return [word, whole(actual[c]!), share(recall), share(precision), share(f1)];
  };
  const names = { label: 'Metrics per class', head: ['class', 'images', 'accuracy (%)', 'precision (%)', 'F1 (%)'] };
  if (classes.length <= MOST_IN_MATRIX) return table({ ...names, rows: classes.map(row) });
  const measured = (c: number) => metrics[c]!.recall ?? Number.POSITIVE_INFINITY;
  const worst = [...classes.keys()].sort((a, b) => measured(a) - measured(b) || a - b);
  return html`<p>The classes with the lowest accuracy first.</p>${shortened(
    worst.map((c) => row(classes[c]!, c)),
    names,
    `All ${whole(classes.length)} classes`,
  )}`;
}

/** The first rows of a table, and all of them in a part that is closed at first: a browser's search opens it. */
export function shortened(rows: readonly Part[][], names: Pick<Table, 'label' | 'head'>, summary: string): Html {
  const first = table({ ...names, rows: rows.slice(0, LISTED) });
  if (rows.length <= LISTED) return first;
  const label = `${names.label}, to search in`;
  return html`${first}<details><summary>${summary}, to search in</summary>${table({ ...names, label, rows })}</details>`;
}

interface Mistake {
  actual: string;
  predicted: string;
  count: number;
  share: number;
}

/** The most frequent mistakes. */
function mostFrequent({ classes, pairs }: Confusion): Mistake[] {
  const { actual } = classCounts(pairs);
  return mistakes(pairs)
    .slice(0, MOST_SEARCHED)
    .map(([c, d, count]) => ({
      ...{ actual: classes[c]!, predicted: classes[d]!, count },
      share: count / actual[c]!,
    }));
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
