/** How one tuning learnt, by epoch: accuracy, and losses that share an axis only if they are the same figure. */
import { isPtDpc } from '../../../src/learners/prompts/index.js';
import type { EpochMetrics } from '../../../src/ptdpc/index.js';
import { Chart } from '../chart.js';
import { percent, shortest } from '../format.js';
import type { Run } from './runs.js';

const ACCURACY = { format: (y: number) => shortest(100 * y, 3), words: percent };
const LOSS = { format: (y: number) => shortest(y, 3), words: (y: number) => shortest(y, 4) };

/** Whether training and validation loss are one figure. */
const comparable = ({ options }: Run) => isPtDpc(options) && options.loss === 'ce';

export const AccuracyCurve = ({ run }: { readonly run: Run }) => (
  <Curve
    run={run}
    title="Accuracy (%)"
    {...ACCURACY}
    train={({ trainAccuracy }) => trainAccuracy}
    val={({ valAccuracy }) => valAccuracy}
  />
);

export const TrainingLoss = ({ run }: { readonly run: Run }) => (
  <Curve
    run={run}
    title="Training loss"
    note={comparable(run) ? undefined : 'Cross-entropy of softmax(logits), as in the authors’ code.'}
    {...LOSS}
    train={({ trainLoss }) => trainLoss}
  />
);

/** Both losses in one chart if they are comparable, else in two. */
export const Losses = ({ run }: { readonly run: Run }) =>
  comparable(run) ? (
    <Curve run={run} title="Loss" {...LOSS} train={({ trainLoss }) => trainLoss} val={({ valLoss }) => valLoss} />
  ) : (
    <>
      <TrainingLoss run={run} />
      <Curve run={run} title="Validation loss, of plain logits" {...LOSS} val={({ valLoss }) => valLoss} />
    </>
  );

interface CurveProps {
  readonly run: Run;
  readonly title: string;
  readonly note?: string | undefined;
  readonly format: (y: number) => string;
  readonly words: (y: number) => string;
  readonly train?: (epoch: EpochMetrics) => number;
  readonly val?: (epoch: EpochMetrics) => number | null;
}

function Curve({ run, title, note, format, words, train, val }: CurveProps) {
  const { epochs, options } = run;
  const pointsBy = (figure: ((epoch: EpochMetrics) => number | null) | undefined) =>
    epochs.flatMap((epoch) => {
      const y = figure?.(epoch) ?? null;
      return y === null ? [] : [[epoch.epoch + 1, y] as const];
    });
  const lines = [
    { name: 'training', color: 'first', points: pointsBy(train) } as const,
    { name: 'validation', color: 'second', points: pointsBy(val) } as const,
  ].filter(({ points }) => points.length > 0);
  const fromTo = lines.map(
    ({ name, points }) => `${name}: from ${words(points[0]![1])} to ${words(points.at(-1)![1])}`,
  );
  return (
    <Chart
      title={title}
      draw={({ lineChart }) => lineChart({ lines, end: options.epochs, xName: 'epoch', format })}
      summary={`${title} over ${epochs.length} epochs. ${fromTo.join('; ')}.`}
      note={note}
      legend={lines.length > 1 && lines.map(({ name, color }) => <span class={`key ${color}`}>{name}</span>)}
      data={{
        label: `${title} by epoch`,
        head: ['epoch', ...lines.map(({ name }) => name)],
        rows: epochs.map(({ epoch }, i) => [
          epoch + 1,
          ...lines.map(({ points }) => (points[i] ? words(points[i][1]) : '–')),
        ]),
      }}
    />
  );
}
