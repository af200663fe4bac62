/** Whether probabilities mean what they say. */
import { type ReliabilityGroup, reliabilityDiagram } from '../charts/reliability.js';
import { percent, points, whole } from '../format.js';
import type { Html, Part } from '../html.js';
import { figure } from '../page/figure.js';

export interface CalibrationSeries {
  readonly label: string;
  readonly groups: readonly ReliabilityGroup[];
  /** Expected calibration error. */
  readonly error: number | null;
}

const COLORS = ['first', 'second', 'third', 'muted'] as const;

/** Lines that a diagram can tell apart. */
export const MOST_SERIES = COLORS.length;

/** A reliability diagram of up to `MOST_SERIES` series. */
export function calibrationFigure(title: string, all: readonly CalibrationSeries[], note: Part): Html {
  const series = all.slice(0, COLORS.length).map((one, i) => ({ ...one, color: COLORS[i]! }));
  return figure({
    title,
    drawing: reliabilityDiagram(series),
    summary: series
      .map(({ label, groups, error }) => {
        const [low, high] = [groups[0], groups.at(-1)];
        const ends =
          low &&
          high &&
          `Of the least confident predictions (probability ${percent(low.confidence)}), ${percent(low.accuracy)} are correct; of the most confident (${percent(high.confidence)}), ${percent(high.accuracy)}.`;
        return `${label}: expected calibration error ${percent(error)}. ${ends ?? ''}`;
      })
      .join(' '),
    keys: [
      ...series.map(({ label, color }) => ({ mark: 'line', color, text: label }) as const),
      { mark: 'dashed', color: 'muted', text: 'calibrated' },
    ],
    note,
    data: {
      label: `${title}: groups of predictions by probability`,
      head: ['', 'images', 'mean probability (%)', 'right (%)'],
      rows: series.flatMap(({ label, groups }) =>
        groups.map(({ count, confidence, accuracy }) => [label, whole(count), points(confidence), points(accuracy)]),
      ),
    },
  });
}
