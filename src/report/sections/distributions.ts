/** How far predicted distributions are from those of the votes: a table of the eight measures, of one run or of several. */
import { DISTRIBUTION_MEASURE_NAMES, DISTRIBUTION_MEASURES, type DistributionScores } from '../../ptdpc/index.js';
import { type Html, html, shortest } from '../format.js';
import { table } from '../page/document.js';

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
