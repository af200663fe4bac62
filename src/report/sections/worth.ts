/** What training was worth: zero-shot and tuned on the same images, with the difference and how sure it is. */
import {
  balancedAccuracy,
  classCounts,
  classesWithoutImages,
  classMetrics,
  comparePaired,
  type PairedComparison,
  wilsonInterval,
} from '../../ptdpc/index.js';
import { type Dumbbell, dumbbellChart } from '../charts/dumbbells.js';
import { counted, type Html, html, ofP, percent, points, shortest, signedPoints, whole } from '../format.js';
import { figure, table } from '../page/document.js';
import type { MeasuredEvaluation, RunEvaluation, ZeroShotEvaluation } from '../run-report.js';

/** Two classifiers of the same images, by what they are called. */
export interface Pair {
  readonly classes: readonly string[];
  readonly before: MeasuredEvaluation;
  readonly after: MeasuredEvaluation;
  readonly names: readonly [before: string, after: string];
}

const NAMES = ['zero-shot', 'tuned prompts'] as const;

export function worthPart(classes: readonly string[], evaluation: RunEvaluation, baseline: ZeroShotEvaluation): Html {
  const { dataset, split, count } = evaluation;
  const compared = comparePaired(baseline.correct, evaluation.correct);
  const pair = { classes, before: baseline, after: evaluation, names: NAMES };
  const interval = ({ accuracy }: MeasuredEvaluation) => wilsonInterval(accuracy, count).map(percent).join(' to ');
  const [low, high] = compared.interval.map((share) => signedPoints(share));
  const texts = baseline.templates.map((template) => `“${template} …”`).join(', ');
  return html`<p class="verdict-line">${verdict(compared)}</p>
<dl class="headline">
<div><dt>zero-shot, ${texts}: accuracy, 95 % interval ${interval(baseline)}</dt><dd>${percent(baseline.accuracy)}</dd></div>
<div><dt>tuned prompts: accuracy, 95 % interval ${interval(evaluation)}</dt><dd>${percent(evaluation.accuracy)}</dd></div>
<div><dt>difference in percentage points, 95 % interval ${low} to ${high}</dt><dd>${signedPoints(compared.difference)}</dd></div>
</dl>
<p class="note wide">${counted(count, `${split} image`)} of ${dataset}. Only the tuned prompts are right about ${whole(compared.onlySecond)}, only zero-shot about ${whole(compared.onlyFirst)};
p ${ofP(compared.pValue)} by McNemar's exact test. The interval of the difference is that of the paired bootstrap over images: the intervals of the two accuracies may overlap although
the difference is clear. What another seed of the training would change is in neither.</p>
<div class="charts pair">${dumbbellFigure(pair)}<div><h3>Measures</h3>${measuresTable(pair)}${absentNote(pair)}</div></div>`;
}

/** In the place of the comparison. */
export function absentWorth(): Html {
  return html`<p class="notice">Not compared with CLIP without training: <code>npx ptdpc eval --run …</code> evaluates both on the same images.</p>`;
}

function verdict({ difference, interval, pValue }: PairedComparison): string {
  const [low, high] = interval.map((share) => signedPoints(share));
  const sure = `(95 % interval ${low} to ${high}, p ${ofP(pValue)})`;
  if (pValue >= 0.05)
    return `Not shown: on these images, tuned prompts and zero-shot differ no more than chance may have it: ${signedPoints(difference)} points ${sure}.`;
  const by = `the accuracy by ${signedPoints(Math.abs(difference)).slice(1)} points ${sure}.`;
  return difference > 0 ? `Yes: on these images, tuning raises ${by}` : `No: on these images, tuning lowers ${by}`;
}

/** Classes that are drawn; of more, those that changed most. */
const MOST_DRAWN = 40;

/** Accuracies of all images and of each class that has any, by what changed. */
export function dumbbellFigure({ classes, before, after, names }: Pair): Html {
  const { actual } = classCounts(after.confusionPairs);
  const [first, second] = [before, after].map(({ confusionPairs }) => classMetrics(confusionPairs));
  const each = classes.flatMap((label, c): (Dumbbell & { images: number })[] => {
    const [from, to] = [first![c]!.recall, second![c]!.recall];
    return from === null || to === null ? [] : [{ label, before: from, after: to, images: actual[c]! }];
  });
  const change = (one: Dumbbell) => one.after - one.before;
  const most = [...each].sort((a, b) => Math.abs(change(b)) - Math.abs(change(a))).slice(0, MOST_DRAWN);
  const shown = most.sort((a, b) => change(b) - change(a));
  const all = { label: 'all images', before: before.accuracy, after: after.accuracy, images: after.correct.length };
  const left = each.length - shown.length;
  const [best, worst] = [shown[0], shown.at(-1)];
  const [old, now] = names;
  const ends =
    best &&
    worst &&
    `Largest gain: ${best.label} ${signedPoints(change(best))}; last: ${worst.label} ${signedPoints(change(worst))}.`;
  return figure({
    title: 'Accuracy of each class',
    drawing: dumbbellChart([all, ...shown]),
    summary: `Accuracy in per cent, ${old} and ${now}: of all images ${points(all.before, 1)} and ${points(all.after, 1)}. ${ends ?? ''}`,
    keys: [
      { mark: 'square', color: 'second', text: old },
      { mark: 'dot', color: 'first', text: now },
    ],
    note: `By the difference, in percentage points at the right.${left > 0 ? ` The ${shown.length} classes that changed most, of ${whole(each.length)}.` : ''}`,
    data: {
      label: `Accuracy of each class, ${old} and ${now}`,
      head: ['class', 'images', `${old} (%)`, `${now} (%)`, 'difference'],
      rows: [all, ...each].map((one) => [
        ...[one.label, whole(one.images), points(one.before, 1), points(one.after, 1)],
        signedPoints(change(one)),
      ]),
    },
  });
}

export function measuresTable({ before, after, names }: Pair): Html {
  const row = (name: string, of: (one: MeasuredEvaluation) => number) => [
    ...[name, points(of(before), 1), points(of(after), 1), signedPoints(of(after) - of(before))],
  ];
  const loss = after.loss - before.loss;
  return table({
    label: `Measures, ${names.join(' and ')}`,
    head: ['', ...names, 'difference'],
    rows: [
      row('accuracy (%)', ({ accuracy }) => accuracy),
      row('balanced accuracy (%)', ({ confusionPairs }) => balancedAccuracy(confusionPairs)),
      row('macro-F1 (%)', ({ macroF1 }) => macroF1),
      row('expected calibration error (%), lower is better', ({ calibrationError }) => calibrationError),
      [
        ...['cross-entropy, lower is better', shortest(before.loss, 4), shortest(after.loss, 4)],
        `${loss > 0 ? '+' : ''}${shortest(loss, 3)}`,
      ],
    ],
  });
}

/** Classes without images that are named; more are counted. */
const MOST_NAMED = 20;

/** `; no images of awe, fear`, or nothing. */
export function withoutImages(classes: readonly string[], { confusionPairs }: MeasuredEvaluation): string {
  const absent = classesWithoutImages(confusionPairs).map((c) => classes[c]);
  if (absent.length === 0) return '';
  const more = absent.length > MOST_NAMED ? ` and ${whole(absent.length - MOST_NAMED)} more classes` : '';
  return `; no images of ${absent.slice(0, MOST_NAMED).join(', ')}${more}`;
}

function absentNote({ classes, after }: Pair): Html | false {
  const without = withoutImages(classes, after);
  return without !== '' && html`<p class="note">Macro-F1 and calibration say nothing of some classes${without}.</p>`;
}
