/** What a run's folder holds, as the page of the run needs it. */
import { basename, join, resolve } from 'node:path';
import { InputError } from '../../errors.js';
import { calibration, expectedCalibrationError, macroF1 } from '../../ptdpc/experiment/index.js';
import type { EpochMetrics, StepMetrics } from '../../ptdpc/index.js';
import type { RunEvaluation, RunReport } from '../../report/index.js';
import { exists, readText } from '../checkpoint-files.js';
import { type RunRecord, readRunRecord } from '../run-directory.js';
import { pickCases } from './cases.js';
import { type Predictions, readPredictions } from './predictions-file.js';

/** Reads what there is: a run need not have ended, nor been evaluated. Throws InputError naming the file that is damaged. */
export async function readRunReport(run: string): Promise<RunReport> {
  const record = await readRunRecord(run);
  const { options, program, node, model, data, images, device } = record;
  const { steps, epochs } = await readMetrics(join(run, 'metrics.jsonl'));
  return {
    name: basename(resolve(run)),
    setup: { program, node, device: device.description, model, data, images },
    options,
    classes: record.classes.map(({ word }) => word),
    learning: epochs.length === 0 ? null : { options, steps, epochs },
    evaluation: await readEvaluation(run, record),
  };
}

/** The metrics of the finished epochs. */
async function readMetrics(path: string): Promise<{ steps: StepMetrics[]; epochs: EpochMetrics[] }> {
  const text = (await exists(path)) ? await readText(path) : '';
  const steps: StepMetrics[] = [];
  const epochs: EpochMetrics[] = [];
  // What follows the last line end is an epoch that was being written down when the run was stopped.
  const lines = text.split('\n').slice(0, -1);
  for (const [i, line] of lines.entries()) {
    const metrics = parseMetrics(line);
    if (metrics?.type === 'step') steps.push(metrics);
    else if (metrics?.type === 'epoch') epochs.push(metrics);
    else
      throw new InputError(`${path}: line ${i + 1}: expected the metrics of a step or an epoch, found something else`);
  }
  return { steps: steps.filter(({ epoch }) => epoch < epochs.length), epochs };
}

function parseMetrics(line: string): StepMetrics | EpochMetrics | undefined {
  try {
    const metrics = JSON.parse(line) as StepMetrics | EpochMetrics;
    const names = metrics.type === 'step' ? ['epoch', 'step', 'loss', 'lr'] : ['epoch', 'trainLoss', 'trainAccuracy'];
    return names.every((name) => typeof Reflect.get(metrics, name) === 'number') ? metrics : undefined;
  } catch {
    return undefined;
  }
}

/** Null where the run has not been evaluated. */
async function readEvaluation(run: string, record: RunRecord): Promise<RunEvaluation | null> {
  const [summaryPath, path] = [join(run, 'confusion.json'), join(run, 'predictions.csv')];
  if (!(await exists(summaryPath)) || !(await exists(path))) return null;
  const summary = await readSummary(summaryPath);
  const predictions = await readPredictions(path);
  const { labels, predicted, probabilities, words } = predictions;
  const confusion = confusionOf(predictions);
  if (words.join('\n') !== record.classes.map(({ word }) => word).join('\n'))
    throw new InputError(`${path}: its classes are not those of ${join(run, 'run.json')}`);
  if (JSON.stringify(confusion) !== JSON.stringify(summary.confusion))
    throw new InputError(
      `${path}: its predictions are not those of confusion.json; evaluate the run again (ptdpc eval)`,
    );
  const count = labels.length;
  const bins = calibration({ predicted, probabilities }, labels);
  return {
    split: summary.split,
    count,
    accuracy: confusion.reduce((sum, row, c) => sum + row[c]!, 0) / count,
    loss: summary.loss,
    macroF1: macroF1(confusion),
    calibrationError: expectedCalibrationError(bins),
    calibration: bins,
    confusion,
    ...(await pickCases(predictions, record.data)),
  };
}

interface EvaluationSummary {
  split: string;
  loss: number;
  confusion: unknown;
}

async function readSummary(path: string): Promise<EvaluationSummary> {
  const text = await readText(path);
  try {
    const summary = JSON.parse(text) as EvaluationSummary;
    if (typeof summary.split === 'string' && typeof summary.loss === 'number') return summary;
  } catch {
    // Reported below, like a file that lacks something.
  }
  throw new InputError(`${path}: expected the result of an evaluation, found something else`);
}

function confusionOf({ words, labels, predicted }: Predictions): number[][] {
  const confusion = words.map(() => words.map(() => 0));
  labels.forEach((label, i) => {
    confusion[label]![predicted[i]!]!++;
  });
  return confusion;
}
