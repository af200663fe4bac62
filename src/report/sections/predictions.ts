/** Single predictions and their calibration: pictures as in the paper's Figure 5, and the reliability diagram. */
import { type ReliabilityGroup, reliabilityDiagram, SPARSE } from '../charts/reliability.js';
import { type Html, html, type Part, percent, points, whole } from '../format.js';
import { figure } from '../page/document.js';
import { MOST_SERIES, SERIES_COLORS, type SeriesColor } from '../series.js';

export interface Picture {
  /** As a `data:` URL; null if the file is no longer there. */
  readonly url: string | null;
  /** What to call the file: the end of its path. */
  readonly name: string;
  /** Where it was found, for whoever computes more of it; not shown. */
  readonly path?: string | undefined;
}

export interface Case extends Picture {
  readonly actual: string;
  readonly predicted: string;
  /** Of the predicted class. */
  readonly probability: number;
  /** Of the ground truth. */
  readonly actualProbability: number;
}

export function caseList(cases: readonly Case[]): Html {
  return html`<ul class="cases">${cases.map(caseItem)}</ul>`;
}

export function pictureOf({ url, name }: Picture): Html {
  return url === null
    ? html`<div class="picture absent">picture not found</div>`
    : html`<img class="picture" src="${url}" alt="${name}">`;
}

function caseItem(one: Case): Html {
  const { actual, predicted, probability, actualProbability, name } = one;
  const right = actual === predicted;
  return html`<li>${pictureOf(one)}
<p class="verdict ${right ? 'right' : 'wrong'}">${right ? '✓' : '✗'} ${predicted} ${percent(probability)}</p>
<p>ground truth: ${actual}${!right && ` ${percent(actualProbability)}`}</p>
<p class="file">${name}</p></li>
`;
}

export interface CalibrationSeries {
  readonly label: string;
  readonly groups: readonly ReliabilityGroup[];
  /** Expected calibration error. */
  readonly error: number | null;
  /** Default: by its place. */
  readonly color?: SeriesColor;
}

/** A reliability diagram of up to `MOST_SERIES` series. */
export function calibrationFigure(title: string, all: readonly CalibrationSeries[], note: Part): Html {
  const series = all.slice(0, MOST_SERIES).map((one, i) => ({ color: SERIES_COLORS[i]!, ...one }));
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
      ...(series.some(({ groups }) => groups.some(({ count }) => count < SPARSE))
        ? [{ mark: 'ring', color: 'muted', text: `fewer than ${SPARSE} images` } as const]
        : []),
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
