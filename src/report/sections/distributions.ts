/** How far predicted distributions are from those of the votes: the eight measures, of one run or of several, and each class's share. */
import {
  DISTRIBUTION_MEASURE_NAMES,
  DISTRIBUTION_MEASURES,
  type DistributionScores,
  type MeanShares,
} from '../../ptdpc/index.js';
import { dumbbellChart } from '../charts/dumbbells.js';
import { type Html, html, points, shortest, signedPoints, whole } from '../format.js';
import { figure, table } from '../page/document.js';

/** A run's, or zero-shot's, means over the same images. */
export interface NamedScores {
  readonly name: string;
  readonly distribution: DistributionScores | null;
}

/** False where none of them has votes. */
export function distributionsPart(runs: readonly NamedScores[]): Html | false {
  const scored = runs.flatMap(({ name, distribution }) => (distribution ? [{ name, distribution }] : []));
  if (scored.length === 0) return false;
  const rows = DISTRIBUTION_MEASURE_NAMES.map((measure) => {
    const { label, formula, better } = DISTRIBUTION_MEASURES[measure];
    return [`${label}, ${formula}`, ...scored.map(({ distribution }) => shortest(distribution[measure], 4)), better];
  });
  return html`<h3>Label distributions</h3><p>Of the votes d and the predicted probabilities p, means over the images.</p>
${table({ label: 'Measures of label distributions', head: ['measure', ...scored.map(({ name }) => name), 'better'], rows })}`;
}

/** Classes that are drawn; of more, those whose shares differ most. */
const MOST_DRAWN = 40;

/** Each class's mean share of the votes, and of the predictions: which classes are predicted too often. */
export function sharesFigure(classes: readonly string[], { votes, predicted }: MeanShares): Html {
  const all = classes.map((label, c) => ({ label, before: votes[c]!, after: predicted[c]! }));
  const change = ({ before, after }: (typeof all)[number]) => after - before;
  const most = [...all].sort((a, b) => Math.abs(change(b)) - Math.abs(change(a))).slice(0, MOST_DRAWN);
  const shown = most.sort((a, b) => change(b) - change(a));
  const [over, under] = [shown[0]!, shown.at(-1)!];
  return figure({
    title: 'Share of each class',
    drawing: dumbbellChart(shown, { name: 'mean share (%)', isFirstApart: false }),
    summary: `Mean share of each class in per cent, of the votes and as predicted. Most above its votes: ${over.label} ${signedPoints(change(over))}; most below: ${under.label} ${signedPoints(change(under))}.`,
    keys: [
      { mark: 'square', color: 'second', text: 'votes' },
      { mark: 'dot', color: 'first', text: 'predicted' },
    ],
    note: `By the difference, in percentage points at the right.${all.length > shown.length ? ` The ${shown.length} classes that differ most, of ${whole(all.length)}.` : ''}`,
    data: {
      label: 'Mean share of each class, of the votes and as predicted',
      head: ['class', 'votes (%)', 'predicted (%)', 'difference'],
      rows: all.map((one) => [one.label, points(one.before, 1), points(one.after, 1), signedPoints(change(one))]),
    },
  });
}
