/** A confusion matrix, in counts. */
import { Chart } from '../chart.js';
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
  const largest = Math.max(1, ...counts.flat());
  const total = counts.flat().reduce((a, b) => a + b, 0);
  const right = counts.reduce((sum, row, i) => sum + row[i]!, 0);
  return (
    <Chart
      title={`Confusion: ${which}`}
      draw={({ heatMap }) =>
        heatMap({
          rows: classes,
          columns: classes,
          rowName: 'ground truth',
          columnName: 'prediction',
          shades: counts.map((row) => row.map((count) => count / largest)),
          texts: counts.map((row) => row.map((count) => (count === 0 ? '' : whole(count)))),
        })
      }
      summary={`Confusion matrix of ${classes.length} classes: ${whole(right)} of ${counted(total, 'picture')} on the diagonal.`}
      data={{
        label: 'Pictures of each class (rows) by predicted class (columns)',
        head: ['ground truth', ...classes],
        rows: counts.map((row, i) => [classes[i], ...row.map(whole)]),
      }}
    />
  );
}
