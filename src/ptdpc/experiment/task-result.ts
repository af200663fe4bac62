/** The result of one task, as its file in the plan's folder has it. */

import type { Split } from '../datasets/index.js';
import type { Evaluation } from '../evaluate.js';
import { calibration, expectedCalibrationError } from '../measures.js';
import type { CaseResult, SeedResult, SkippedFile } from './results.js';

export const TASK_FORMAT = 1;

export interface TaskResult {
  format: typeof TASK_FORMAT;
  program: string;
  task: string;
  setting: string;
  variant: string;
  /** Class words. */
  classes: string[];
  result: SeedResult;
  /** The surest right prediction and the surest wrong one; null where there is none. */
  cases: { right: CaseResult | null; wrong: CaseResult | null };
  /** The images that could not be read and were left out. */
  skipped: (SkippedFile & { split: Split })[];
  /** The images that were read though their files are cut short; paths as in `skipped`. */
  truncated: { split: Split; path: string }[];
}

/** What the task's training has to say. */
export type TrainingPart = Pick<
  SeedResult,
  'seed' | 'task' | 'learningRate' | 'choice' | 'images' | 'device' | 'seconds'
>;

/** The task's result from its predictions: labels [count] beside `evaluation`. */
export function seedResult(training: TrainingPart, evaluation: Evaluation, labels: Int32Array): SeedResult {
  const { count, accuracy, loss, perClass, confusion } = evaluation;
  const bins = calibration(evaluation, labels);
  return {
    ...training,
    count,
    accuracy,
    loss,
    macroF1: evaluation.macroF1,
    calibrationError: expectedCalibrationError(bins),
    calibration: bins,
    perClassAccuracy: perClass,
    confusion,
  };
}

/** Figure 5's candidates: of the right and of the wrong predictions the one with the highest probability, the first of equals. */
export function surestCases(
  place: Pick<CaseResult, 'setting' | 'seed'>,
  classes: readonly string[],
  { predicted, probabilities }: Evaluation,
  images: { paths: readonly string[]; labels: Int32Array },
): TaskResult['cases'] {
  const cases: TaskResult['cases'] = { right: null, wrong: null };
  images.paths.forEach((path, i) => {
    const label = images.labels[i]!;
    const guess = predicted[i]!;
    const kind = guess === label ? 'right' : 'wrong';
    const row = Array.from(probabilities.subarray(i * classes.length, (i + 1) * classes.length));
    const probability = row[guess]!;
    if (probability <= (cases[kind]?.probability ?? 0)) return;
    const words = { actual: classes[label]!, predicted: classes[guess]! };
    cases[kind] = { ...place, kind, path, ...words, probability, probabilities: row };
  });
  return cases;
}
