/** The page that compares runs: those that were evaluated on the same images stand side by side. */
import { MOST_IN_MATRIX } from '../ptdpc/confusion.js';
import { classMetrics, wilsonInterval } from '../ptdpc/index.js';
import { seedChart } from './charts/seeds.js';
import { counted, type Html, html, percent, points, figure as significant, whole } from './format.js';
import { figure, page, table } from './page/document.js';
import { leadOf, type RunEvaluation, type RunReport } from './run-report.js';
import { shortened } from './sections/confusion.js';

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
export function comparisonReport(runs: readonly RunReport[], program: string): string {
  const groups = groupsOf(runs);
  return page({
    kind: 'PT-DPC runs',
    title: `${runs.length} runs compared`,
    opening: html`${table({
      label: 'The runs',
      head: ['run', 'what it is'],
      rows: runs.map((run) => [run.name, leadOf(run)]),
      kind: 'words',
    })}
${groups.length === 0 && html`<p class="notice">None of them is evaluated yet: <code>npx ptdpc eval --run …</code> adds results.</p>`}`,
    sections: groups.map((group, i) => ({ id: `images-${i + 1}`, title: group.title, body: groupSection(group) })),
    footer: `Written by ptdpc ${program}. This page loads nothing and runs no script.`,
  });
}

/** Larger groups first; otherwise in the order of the runs. */
function groupsOf(runs: readonly RunReport[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { name, classes, evaluations } of runs) {
    for (const evaluation of evaluations) {
      const { dataset, split, count, imagesSha256 } = evaluation;
      const key = `${split} ${imagesSha256} ${classes.join('\n')}`;
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
  const [first] = runs;
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
      note: 'All runs are evaluated on the same images, so overlapping intervals do not mean that two runs are equal.',
      data: metricsTable(runs),
    })
  }<h3>Metrics</h3>${table(metricsTable(runs))}
${first && html`<h3>Accuracy per class (%)</h3>${accuracyPerClass(first.classes, runs)}`}`;
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
    head: ['run', 'accuracy (%)', '95 % interval (%)', 'macro-F1 (%)', 'calibration error (%)', 'cross-entropy'],
    rows: runs.map(({ name, evaluation: { accuracy, count, macroF1, calibrationError, loss } }) => [
      ...[
        name,
        points(accuracy, 1),
        wilsonInterval(accuracy, count)
          .map((share) => points(share, 1))
          .join('–'),
      ],
      ...[points(macroF1, 1), points(calibrationError, 1), significant(loss)],
    ]),
  };
}
