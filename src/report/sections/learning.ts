/** How a run learnt: loss, accuracy and learning rate over its epochs. */

import { type ImageOptions, type PromptOptions, trainingOf } from '../../learners/index.js';
import type { EpochMetrics, StepMetrics, TrainingOptions } from '../../ptdpc/index.js';
import { type Line, lineChart } from '../charts/lines.js';
import { counted, type Html, html, figure as loss, type Part, percent, points, shortest } from '../format.js';
import { figure, type Key } from '../page/document.js';
import { MOST_SERIES, SERIES_COLORS } from '../series.js';

export interface Learning {
  readonly options: PromptOptions | ImageOptions;
  readonly steps: readonly StepMetrics[];
  /** The finished epochs, at least one. */
  readonly epochs: readonly EpochMetrics[];
}

export function learningSection(learning: Learning): Html {
  const { options, epochs } = learning;
  const unfinished = epochs.length < options.epochs;
  return html`<p>${options.epochs === epochs.length ? `All ${epochs.length} epochs` : `${epochs.length} of ${options.epochs} epochs`}. Training metrics are means over the images of an
epoch, each measured when its batch was processed${epochs.at(-1)?.valLoss != null && '; validation metrics are measured after the epoch'}.${unfinished && ' The run is not finished.'}</p>
<div class="charts">${lossFigure(learning)}${accuracyFigure(learning)}${rateFigure(learning)}</div>`;
}

/** A run that learned, by its name. */
export interface NamedLearning {
  readonly name: string;
  readonly learning: Learning;
}

/** Loss and accuracy of several runs, one over the other; of many, of as many as can be told apart. */
export function learningFigures(all: readonly NamedLearning[]): Html {
  const runs = all.slice(0, MOST_SERIES).map((one, i) => ({ ...one, color: SERIES_COLORS[i]! }));
  const validated = all.every(({ learning }) => learning.epochs.at(-1)?.valAccuracy != null);
  const of = validated ? 'Validation' : 'Training';
  const left = all.length - runs.length;
  const note = left > 0 && `The first ${runs.length} runs; the other ${left} are in the table.`;
  const losses = new Set(all.map(({ learning }) => trainingOf(learning.options).loss));
  const lossNote =
    !validated && losses.size > 1 && ' The runs were trained with different losses, which are not comparable.';
  const chart = (
    title: string,
    value: (one: EpochMetrics) => number | null,
    format: (y: number) => string,
    more: Part,
  ) =>
    figure({
      title,
      drawing: lineChart({
        lines: runs.map(({ name, learning, color }) => ({
          name,
          color,
          points: withValidation(learning.epochs, value),
        })),
        end: Math.max(...runs.map(({ learning }) => learning.epochs.length)),
        xName: 'epoch',
        format,
      }),
      summary: `${title} of ${all.length} runs. ${all
        .map(({ name, learning: { epochs } }) => {
          const [first, last] = [value(epochs[0]!), value(epochs.at(-1)!)];
          return `${name}: ${epochs.length} epochs, from ${first === null ? '–' : format(first)} to ${last === null ? '–' : format(last)}.`;
        })
        .join(' ')}`,
      keys: runs.map(({ name, color }) => ({ mark: 'line', color, text: name })),
      note: html`${note}${more}`,
      data: {
        label: `${title} by epoch`,
        head: ['epoch', ...all.map(({ name }) => name)],
        rows: Array.from({ length: Math.max(...all.map(({ learning }) => learning.epochs.length)) }, (_, epoch) => [
          epoch + 1,
          ...all.map(({ learning }) => {
            const at = learning.epochs[epoch];
            const y = at && value(at);
            return y == null ? '–' : format(y);
          }),
        ]),
      },
    });
  return html`<div class="charts">${chart(
    `${of} accuracy (%)`,
    ({ valAccuracy, trainAccuracy }) => (validated ? valAccuracy : trainAccuracy),
    (y) => shortest(100 * y, 4),
    false,
  )}${chart(
    `${of} loss`,
    ({ valLoss, trainLoss }) => (validated ? valLoss : trainLoss),
    (y) => shortest(y, 4),
    lossNote,
  )}</div>`;
}

function lossFigure({ options, steps, epochs }: Learning): Html {
  const perEpoch = steps.filter(({ epoch }) => epoch === 0).length;
  const validated = withValidation(epochs, ({ valLoss }) => valLoss);
  const lines: Line[] = [
    { name: 'step', color: 'first', faint: true, points: steps.map(({ step, loss }) => [(step + 1) / perEpoch, loss]) },
    { name: 'training', color: 'first', points: epochs.map(({ epoch, trainLoss }) => [epoch + 1, trainLoss]) },
    ...(validated.length > 0 ? [{ name: 'validation', color: 'second' as const, points: validated }] : []),
  ];
  const [first, last] = [epochs[0]!, epochs.at(-1)!];
  const { loss: measure } = trainingOf(options);
  const note =
    measure === 'double-softmax'
      ? `Training: cross-entropy of softmax(logits), as the preset official has it.${validated.length > 0 ? ' Validation: of plain logits; the two are not comparable.' : ''}`
      : measure === 'kl'
        ? 'The Kullback–Leibler divergence of the predicted distributions from those of the votes.'
        : undefined;
  return figure({
    title: 'Loss',
    drawing: lineChart({ lines, end: epochs.length, xName: 'epoch', format: (y) => shortest(y, 4) }),
    summary:
      `Training loss over ${epochs.length} epochs: from ${loss(first.trainLoss)} to ${loss(last.trainLoss)}.` +
      `${last.valLoss === null ? '' : ` Validation loss: from ${loss(first.valLoss)} to ${loss(last.valLoss)}.`}`,
    keys: [{ mark: 'faint', color: 'first', text: 'one step' }, ...keysOf(validated.length > 0)],
    note,
    data: {
      label: 'Loss by epoch',
      head: ['epoch', 'training', 'validation'],
      rows: epochs.map(({ epoch, trainLoss, valLoss }) => [epoch + 1, loss(trainLoss), loss(valLoss)]),
    },
  });
}

function accuracyFigure({ epochs }: Learning): Html {
  const validated = withValidation(epochs, ({ valAccuracy }) => valAccuracy);
  const lines: Line[] = [
    { name: 'training', color: 'first', points: epochs.map(({ epoch, trainAccuracy }) => [epoch + 1, trainAccuracy]) },
    ...(validated.length > 0 ? [{ name: 'validation', color: 'second' as const, points: validated }] : []),
  ];
  const [first, last] = [epochs[0]!, epochs.at(-1)!];
  return figure({
    title: 'Accuracy (%)',
    drawing: lineChart({ lines, end: epochs.length, xName: 'epoch', format: (y) => shortest(100 * y, 4) }),
    summary:
      `Training accuracy over ${epochs.length} epochs: from ${percent(first.trainAccuracy)} to ${percent(last.trainAccuracy)}.` +
      `${last.valAccuracy === null ? ' There are no validation images.' : ` Validation accuracy: from ${percent(first.valAccuracy)} to ${percent(last.valAccuracy)}.`}`,
    keys: keysOf(validated.length > 0),
    note: validated.length > 0 ? undefined : 'No validation images.',
    data: {
      label: 'Accuracy by epoch, in per cent',
      head: ['epoch', 'training', 'validation'],
      rows: epochs.map(({ epoch, trainAccuracy, valAccuracy }) => [
        epoch + 1,
        points(trainAccuracy),
        points(valAccuracy),
      ]),
    },
  });
}

function rateFigure({ options, steps, epochs }: Learning): Html {
  // Of an epoch's steps, the first one counts.
  const rateOf = new Map<number, number>();
  for (const { epoch, lr } of steps) if (!rateOf.has(epoch)) rateOf.set(epoch, lr);
  const rates = epochs.map(({ epoch }) => rateOf.get(epoch) ?? options.learningRate);
  const { training } = trainingOf(options);
  const [first, last] = [rates[0]!, rates.at(-1)!];
  const [lowest, highest] = [rates.reduce((a, b) => Math.min(a, b)), rates.reduce((a, b) => Math.max(a, b))];
  // An epoch's rate holds from its beginning to its end.
  const line = [...rates.map((rate, epoch) => [epoch, rate] as const), [rates.length, last] as const];
  return figure({
    title: 'Learning rate',
    drawing: lineChart({
      lines: [{ name: 'learning rate', color: 'first', stepped: true, points: line }],
      end: epochs.length,
      xName: 'epoch',
      logarithmic: highest >= 10 * lowest,
      format: power,
    }),
    summary: `Learning rate: ${shortest(first, 3)} in the first epoch, ${shortest(last, 3)} in the last.`,
    keys: [{ mark: 'line', color: 'first', text: training.optimizer === 'sgd' ? 'SGD' : 'AdamW' }],
    note: scheduleNote(training),
    data: {
      label: 'Learning rate by epoch',
      head: ['epoch', 'learning rate'],
      rows: rates.map((rate, epoch) => [epoch + 1, shortest(rate, 6)]),
    },
  });
}

function scheduleNote(training: TrainingOptions): string {
  if (!('warmup' in training)) return `Times ${training.gamma} every ${training.stepSize} epochs.`;
  return `A cosine${training.warmup > 0 ? ` after ${counted(training.warmup, 'epoch')} of warm-up at a small rate` : ''}.`;
}

/** `0.01`, and `1e-5` from the fourth zero on. */
function power(y: number): string {
  return y < 1e-3 ? Number(y.toPrecision(3)).toExponential().replace('-', '−') : shortest(y, 3);
}

function withValidation(
  epochs: readonly EpochMetrics[],
  value: (metrics: EpochMetrics) => number | null,
): [number, number][] {
  return epochs.flatMap((metrics): [number, number][] => {
    const y = value(metrics);
    return y === null ? [] : [[metrics.epoch + 1, y]];
  });
}

function keysOf(validated: boolean): Key[] {
  return [
    { mark: 'line', color: 'first', text: 'training' },
    ...(validated ? [{ mark: 'line', color: 'second', text: 'validation' } as const] : []),
  ];
}
