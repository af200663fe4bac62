/** What a run's folder holds, as the page of the run needs it. */
import { basename, join, resolve } from 'node:path';
import * as v from 'valibot';
import { InputError } from '../../errors.js';
import { calibration, expectedCalibrationError, macroF1 } from '../../ptdpc/experiment/index.js';
import type { EpochMetrics, StepMetrics } from '../../ptdpc/index.js';
import { finite, isSquare, parseJsonAs, text, whole } from '../../ptdpc/parse-json.js';
import type { RunEvaluation, RunReport } from '../../report/index.js';
import { exists, readText } from '../checkpoint-files.js';
import { type RunRecord, readRunRecord } from '../run-directory.js';
import { parseMetrics } from '../run-metrics.js';
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

/** The metrics of the finished epochs, which are in order. */
async function readMetrics(path: string): Promise<{ steps: StepMetrics[]; epochs: EpochMetrics[] }> {
  const text = (await exists(path)) ? await readText(path) : '';
  const steps: StepMetrics[] = [];
  const epochs: EpochMetrics[] = [];
  // What follows the last line end is an epoch that was being written down when the run was stopped.
  for (const [i, line] of text.split('\n').slice(0, -1).entries()) {
    const where = `${path}: line ${i + 1}`;
    const metrics = parseMetrics(line, where);
    if (metrics.epoch !== epochs.length)
      throw new InputError(`${where}: expected epoch ${epochs.length}, found epoch ${metrics.epoch}`);
    if (metrics.type === 'step') steps.push(metrics);
    else epochs.push(metrics);
  }
  return { steps: steps.filter(({ epoch }) => epoch < epochs.length), epochs };
}

/** Null where the run has not been evaluated. */
async function readEvaluation(run: string, record: RunRecord): Promise<RunEvaluation | null> {
  const [summaryPath, path] = [join(run, 'confusion.json'), join(run, 'predictions.csv')];
  if (!(await exists(summaryPath)) || !(await exists(path))) return null;
  const summary = await readSummary(summaryPath);
  const predictions = await readPredictions(path);
  const { labels, predicted, probabilities, words } = predictions;
  if (words.join('\n') !== record.classes.map(({ word }) => word).join('\n'))
    throw new InputError(`${path}: its classes are not those of ${join(run, 'run.json')}`);
  // Its size is looked at first: a matrix of as many classes as a file can name would not fit into memory.
  const confusion = isSquare(summary.confusion, words.length) ? confusionOf(predictions) : undefined;
  if (!confusion || JSON.stringify(confusion) !== JSON.stringify(summary.confusion))
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

const summarySchema = v.object({ split: text, loss: finite, confusion: v.array(v.array(whole)) });

async function readSummary(path: string): Promise<v.InferOutput<typeof summarySchema>> {
  return parseJsonAs(summarySchema, await readText(path), path, 'the result of an evaluation');
}

function confusionOf({ words, labels, predicted }: Predictions): number[][] {
  const confusion = words.map(() => words.map(() => 0));
  labels.forEach((label, i) => {
    confusion[label]![predicted[i]!]!++;
  });
  return confusion;
}
