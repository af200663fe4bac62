/** Accuracy of all runs in one chart, against no tuning. */
import type { Line } from '../../../src/report/charts/lines.js';
import { Chart } from '../chart.js';
import { counted, percent, shortest } from '../format.js';
import { isWorse, type TitledRun } from './runs.js';
import { MOST_LINES, SeriesKey, seriesAt } from './series-key.js';

export function AccuracyChart({ runs }: { readonly runs: readonly TitledRun[] }) {
  // Runs without validation pictures are drawn by their training pictures, and say so.
  const all = runs.filter(({ epochs }) => epochs.length > 0);
  const shown = all.slice(-MOST_LINES);
  const curves = shown.map((run) => ({ run, points: pointsOf(run) }));
  const levels = [...new Set(shown.flatMap(({ zeroShot }) => zeroShot?.accuracy ?? []))];
  const end = Math.max(1, ...shown.map(({ options }) => options.epochs));
  const last = (points: readonly (readonly [number, number])[]) => percent(points.at(-1)![1]);
  const name = ({ title, data }: TitledRun) => title + (data.counts.val > 0 ? '' : ' (training)');
  return (
    <Chart
      title="Validation accuracy (%)"
      draw={({ lineChart }) =>
        lineChart({
          lines: [
            ...levels.map(
              (level): Line => ({
                ...{ name: 'zero-shot', color: 'muted', plain: true },
                points: [
                  [0, level],
                  [end, level],
                ],
              }),
            ),
            ...curves.map(({ run, points }, i): Line => ({ name: run.title, points, ...seriesAt(i) })),
          ],
          end,
          xName: 'epoch',
          format: (y) => shortest(100 * y, 3),
        })
      }
      summary={
        curves.length === 0
          ? 'No epoch has ended yet.'
          : `Accuracy by epoch of ${counted(curves.length, 'tuning')}. Now: ${curves.map(({ run, points }) => `${name(run)} ${last(points)}`).join('; ')}. Without tuning: ${levels.map(percent).join(', ') || 'unknown'}.`
      }
      legend={
        <>
          {levels.map((level) => (
            <span key={level}>
              <SeriesKey color="muted" plain /> zero-shot {percent(level)}
            </span>
          ))}
          {curves.map(({ run, points }, i) => (
            <span key={run.id}>
              <SeriesKey {...seriesAt(i)} /> {name(run)}: {last(points)}
              {isWorse(run) && <strong class="worse"> worse than zero-shot</strong>}
            </span>
          ))}
        </>
      }
      note={all.length > shown.length ? `The latest ${shown.length} of ${all.length} tunings.` : undefined}
      data={{
        label: 'Accuracy of all tunings by epoch',
        head: ['epoch', ...curves.map(({ run }) => name(run))],
        rows: Array.from({ length: Math.max(0, ...curves.map(({ points }) => points.length)) }, (_, epoch) => [
          epoch + 1,
          ...curves.map(({ points }) => percent(points[epoch]?.[1] ?? null)),
        ]),
      }}
    />
  );
}

function pointsOf({ epochs }: TitledRun): (readonly [number, number])[] {
  return epochs.map(({ epoch, valAccuracy, trainAccuracy }) => [epoch + 1, valAccuracy ?? trainAccuracy] as const);
}
