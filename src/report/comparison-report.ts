/** The page that compares runs: those that were evaluated on the same images stand side by side. */
import { MOST_IN_MATRIX } from '../ptdpc/confusion.js';
import { balancedAccuracy, classMetrics, comparePairs, wilsonInterval } from '../ptdpc/index.js';
import { seedChart } from './charts/seeds.js';
import {
  counted,
  type Html,
  html,
  ofP,
  percent,
  points,
  signedPoints,
  figure as significant,
  whole,
} from './format.js';
import { figure, type Made, page, table } from './page/document.js';
import { leadOf, type RunEvaluation, type RunReport } from './run-report.js';
import { shortened } from './sections/confusion.js';
import { distributionsPart } from './sections/distributions.js';
import { learningFigures } from './sections/learning.js';
import { calibrationFigure } from './sections/predictions.js';
import { dumbbellFigure } from './sections/worth.js';
import { MOST_SERIES } from './series.js';

/** A run that was evaluated on the images of a group. */
interface Compared {
  readonly name: string;
  readonly classes: readonly string[];
  readonly evaluation: RunEvaluation;
}

/** Evaluations of the same images. */
interface Group {
  readonly title: string;
  readonly runs: Compared[];
}

/** `runs` in the order in which they are shown; their names differ. */
export function comparisonReport(runs: readonly RunReport[], program: string, made?: Made): string {
  const groups = groupsOf(runs);
  const learned = runs.flatMap(({ name, learning }) => (learning === null ? [] : [{ name, learning }]));
  const sections = groups.map((group, i) => ({ id: `images-${i + 1}`, title: group.title, body: groupSection(group) }));
  return page({
    kind: 'PT-DPC runs',
    title: `${runs.length} runs compared`,
    made,
    opening: html`${table({
      label: 'The runs',
      head: ['run', 'what it is'],
      rows: runs.map((run) => [run.name, leadOf(run)]),
      kind: 'words',
    })}
${groups.length === 0 && html`<p class="notice">None of them is evaluated yet: <code>npx ptdpc eval --run …</code> adds results.</p>`}`,
    sections:
      learned.length > 0
        ? [...sections, { id: 'learning', title: 'Learning', body: learningFigures(learned) }]
        : sections,
    footer: `Written by ptdpc ${program}. This page loads nothing and runs no script.`,
  });
}

/** Larger groups first; otherwise in the order of the runs. */
function groupsOf(runs: readonly RunReport[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { name, evaluations } of runs) {
    for (const evaluation of evaluations) {
      const { classes, dataset, split, count, imagesSha256 } = evaluation;
      const key = `${split} ${imagesSha256} ${count} ${classes.join('\n')}`;
      const title = `${dataset}, ${counted(count, `${split} image`)}`;
      const group = groups.get(key) ?? { title, runs: [] };
      group.runs.push({ name, classes, evaluation });
      groups.set(key, group);
    }
  }
  return [...groups.values()].sort((a, b) => b.runs.length - a.runs.length);
}

function groupSection({ title, runs }: Group): Html {
  const rows = runs.map(({ name, evaluation: { accuracy, count } }) => ({
    ...{ label: name, values: [accuracy], mean: accuracy, paper: null },
    interval: wilsonInterval(accuracy, count),
  }));
  const drawing = seedChart(rows);
  const [first, second] = runs;
  return html`${
    drawing &&
    figure({
      title: 'Accuracy',
      drawing,
      summary: `Accuracy on ${title}. ${rows.map(({ label, mean, interval: [low, high] }) => `${label}: ${percent(mean)}, 95 % interval ${percent(low)} to ${percent(high)}`).join('. ')}.`,
      keys: [
        { mark: 'dot', color: 'first', text: 'accuracy' },
        { mark: 'band', color: 'first', text: '95 % interval over the images' },
      ],
      note: 'All runs are evaluated on the same images, so overlapping intervals do not mean that two runs are equal: the pairs below tell.',
      data: metricsTable(runs),
    })
  }<h3>Metrics</h3>${table(metricsTable(runs))}
${runs.length > 1 && pairsPart(runs)}
${distributionsPart(runs.map(({ name, evaluation: { distribution } }) => ({ name, distribution })))}
${first && html`<h3>Accuracy per class (%)</h3>${accuracyPerClass(first.classes, runs)}`}
<div class="charts pair">${first && second && runs.length === 2 && dumbbellFigure({ classes: first.classes, before: first.evaluation, after: second.evaluation, names: [first.name, second.name] })}${calibrations(runs)}</div>`;
}

/** Every two runs, image by image. */
function pairsPart(runs: readonly Compared[]): Html {
  const pairs = comparePairs(runs.map(({ evaluation }) => evaluation.correct));
  return html`<h3>Pairs of runs</h3><p>The difference is the accuracy of the second run minus that of the first, in percentage points, with the 95 % interval of the paired bootstrap. Images that only one of
the two classifies correctly decide McNemar's exact test${pairs.length > 1 && html`; p by Holm is corrected for ${pairs.length} tests: below 0.05, the two runs differ`}. What another seed would change is not in these numbers.</p>
${table({
  label: 'Pairs of runs compared image by image',
  head: [
    ...['first → second', 'difference', '95 % interval', 'only first right', 'only second right', 'p'],
    ...(pairs.length > 1 ? ['p by Holm'] : []),
  ],
  rows: pairs.map(({ first, second, difference, interval, onlyFirst, onlySecond, pValue, adjustedPValue }) => [
    ...[`${runs[first]!.name} → ${runs[second]!.name}`, signedPoints(difference)],
    interval.map((share) => signedPoints(share)).join(' to '),
    ...[whole(onlyFirst), whole(onlySecond), smallP(pValue)],
    ...(pairs.length > 1 ? [smallP(adjustedPValue)] : []),
  ]),
})}`;
}

const smallP = (value: number): string => ofP(value).replace(/^=\u00a0/, '');

function calibrations(runs: readonly Compared[]): Html {
  const left = runs.length - MOST_SERIES;
  return calibrationFigure(
    'Calibration',
    runs.map(({ name, evaluation }) => ({
      ...{ label: name, groups: evaluation.calibration, error: evaluation.calibrationError },
    })),
    `Area of a mark: number of images; 15 bins of equal width.${left > 0 ? ` The first ${MOST_SERIES} runs of ${runs.length}.` : ''}`,
  );
}

/** Of very many classes, those first of which the runs differ most. */
function accuracyPerClass(classes: readonly string[], runs: readonly Compared[]): Html {
  const label = 'Accuracy per class';
  const recalls = runs.map(({ evaluation }) => classMetrics(evaluation.confusionPairs).map(({ recall }) => recall));
  if (classes.length <= MOST_IN_MATRIX) {
    const rows = runs.map(({ name }, r) => [name, ...recalls[r]!.map((recall) => points(recall, 1))]);
    return table({ label, head: ['run', ...classes], rows });
  }
  const spread = classes.map((_, c) => {
    const known = recalls.map((recall) => recall[c] ?? 0);
    return Math.max(...known) - Math.min(...known);
  });
  const order = [...classes.keys()].sort((a, b) => spread[b]! - spread[a]! || a - b);
  const rows = order.map((c) => [classes[c]!, ...recalls.map((recall) => points(recall[c]!, 1))]);
  return html`<p>The classes first of which the runs differ most.</p>${shortened(rows, { label, head: ['class', ...runs.map(({ name }) => name)] }, `All ${whole(classes.length)} classes`)}`;
}

function metricsTable(runs: readonly Compared[]) {
  return {
    label: 'Metrics of each run',
    head: [
      'run',
      'accuracy (%)',
      '95 % interval (%)',
      'balanced accuracy (%)',
      'macro-F1 (%)',
      'calibration error (%)',
      'cross-entropy',
    ],
    rows: runs.map(({ name, evaluation: { accuracy, count, macroF1, calibrationError, loss, confusionPairs } }) => [
      ...[
        name,
        points(accuracy, 1),
        wilsonInterval(accuracy, count)
          .map((share) => points(share, 1))
          .join('–'),
      ],
      ...[
        points(balancedAccuracy(confusionPairs), 1),
        points(macroF1, 1),
        points(calibrationError, 1),
        significant(loss),
      ],
    ]),
  };
}
