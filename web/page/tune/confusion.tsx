/** A confusion matrix, in counts. */

import { useCallback } from 'preact/hooks';
import { MOST_DRAWN, MOST_SHOWN } from '../../most-shown.js';
import { Chart } from '../chart.js';
import { DataTable } from '../data-table.js';
import { counted, whole } from '../format.js';

export interface ConfusionProps {
  /** Class words. */
  readonly classes: readonly string[];
  /** counts[actual][predicted]. */
  readonly counts: readonly (readonly number[])[];
  /** Which pictures, for people. */
  readonly which: string;
}

export function Confusion({ classes, counts, which }: ConfusionProps) {
  const largest = counts.reduce((most, row) => row.reduce((a, b) => Math.max(a, b), most), 1);
  const total = counts.reduce((sum, row) => row.reduce((a, b) => a + b, sum), 0);
  const right = counts.reduce((sum, row, i) => sum + row[i]!, 0);
  const summary = `Confusion matrix of ${classes.length} classes: ${whole(right)} of ${counted(total, 'picture')} on the diagonal.`;
  const draw = useCallback(
    ({ heatMap }: typeof import('../drawings.js')) =>
      heatMap({
        rows: classes,
        columns: classes,
        rowName: 'ground truth',
        columnName: 'prediction',
        shades: counts.map((row) => row.map((count) => count / largest)),
        texts: counts.map((row) => row.map((count) => (count === 0 ? '' : whole(count)))),
      }),
    [classes, counts],
  );
  const tooLarge = <p class="note">{summary} It is too large to be drawn.</p>;
  if (classes.length > MOST_SHOWN) return tooLarge;
  const data = {
    label: 'Pictures of each class (rows) by predicted class (columns)',
    head: ['ground truth', ...classes],
    rows: counts.map((row, i) => [classes[i], ...row.map(whole)]),
  };
  if (classes.length > MOST_DRAWN) {
    return (
      <>
        {tooLarge}
        <DataTable {...data} />
      </>
    );
  }
  return <Chart title={`Confusion: ${which}`} draw={draw} summary={summary} data={data} />;
}
