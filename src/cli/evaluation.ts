/** What `eval`, `zeroshot`, `probe` and `demo` share: saying how good predictions are. */
import { counted } from '../errors.js';
import type { ZeroShotResult } from '../node/evaluate-run.js';
import { absentWords, type WrittenResult } from '../node/results.js';
import { type ClassName, type EvaluationMetrics, wilsonInterval } from '../ptdpc/index.js';
import { print, printLines, say } from './output.js';
import { classTable, confusionTable, distributionTable, percent, signedPoints } from './tables.js';

/** Classes without images that are named; more are counted. */
const MOST_NAMED = 20;

/** The result for people. */
export function printEvaluation(title: string, classes: readonly ClassName[], evaluation: EvaluationMetrics): void {
  const words = classes.map(({ word }) => word);
  print(
    `${title}: accuracy ${percent(evaluation.accuracy)} of ${evaluation.count} images, loss ${evaluation.loss.toFixed(4)}`,
  );
  const [low, high] = wilsonInterval(evaluation.accuracy, evaluation.count);
  print(
    `95 % interval ${percent(low)} to ${percent(high)}, balanced accuracy ${percent(evaluation.balancedAccuracy)}, macro-F1 ${percent(evaluation.macroF1)}, expected calibration error ${percent(evaluation.calibrationError)}`,
  );
  const absent = absentWords(classes, evaluation);
  const named = absent.slice(0, MOST_NAMED).join(', ');
  const more =
    absent.length > MOST_NAMED ? ` and ${(absent.length - MOST_NAMED).toLocaleString('en')} more classes` : '';
  if (absent.length > 0)
    print(`no images of ${named}${more}: balanced accuracy and macro-F1 are means over the classes that occur`);
  const { distribution } = evaluation;
  if (distribution) printLines(`\n${distributionTable(distribution)}`);
  print('');
  printLines(classTable(words, evaluation));
  print('');
  printLines(confusionTable(words, evaluation, process.stdout.columns ?? 80));
}

/** How a run differs from CLIP without training on the same images, for people. */
export function printComparison({ evaluation, comparison }: ZeroShotResult): void {
  const { difference, interval, onlyFirst, onlySecond, pValue } = comparison;
  const [low, high] = interval.map(signedPoints);
  print('');
  print(
    `zero-shot on the same images: accuracy ${percent(evaluation.accuracy)}; difference ${signedPoints(difference)} points, 95 % interval ${low} to ${high} (paired bootstrap)`,
  );
  print(
    `only the prompts are right about ${counted(onlySecond, 'image')}, only zero-shot about ${onlyFirst.toLocaleString('en')}: p = ${Number(pValue.toPrecision(2))} (McNemar's exact test)`,
  );
}

/** Says where a result is, and whether that is news. */
export function sayWritten({ path, before }: WrittenResult): void {
  if (before === 'same') say(`${path}: evaluated before, with the same result`);
  else say(before === 'replaced' ? `${path}: replaces the earlier result on the same images` : path);
}
