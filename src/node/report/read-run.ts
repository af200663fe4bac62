/** What a run's folder holds, as the page of the run needs it. */
import { basename, join, resolve } from 'node:path';
import * as v from 'valibot';
import { InputError } from '../../errors.js';
import { calibration, expectedCalibrationError, macroF1 } from '../../ptdpc/experiment/index.js';
import type { EpochMetrics, StepMetrics } from '../../ptdpc/index.js';
import { finite, isSquare, parseJsonAs, text, whole } from '../../ptdpc/parse-json.js';
import type { Picture, RunEvaluation, RunReport } from '../../report/index.js';
import { exists, MAX_DATA_BYTES, readText } from '../checkpoint-files.js';
import { listResults, predictionsPath, readResult } from '../results.js';
import { dataFolder } from '../run-images.js';
import { parseMetrics } from '../run-metrics.js';
import { type RunRecord, readRunRecord } from '../run-record.js';
import { textLines } from '../text-lines.js';
import { pickCases, pictureAt, pictureIn } from './cases.js';
import { type Predictions, readPredictions } from './predictions-file.js';

/** Reads what there is: a run need not have ended, nor been evaluated. Throws InputError naming the file that is damaged. */
export async function readRunReport(run: string): Promise<RunReport> {
  const record = await readRunRecord(run);
  const { program, node, model, data, device } = record;
  const { steps, epochs } = await readMetrics(join(run, 'metrics.jsonl'));
  return {
    name: basename(resolve(run)),
    setup: { program, node, device: device.description, model, data },
    method: record,
    classes: record.classes.map(({ word }) => word),
    learning: record.learner !== 'prompts' || epochs.length === 0 ? null : { options: record.options, steps, epochs },
    evaluations: await readEvaluations(run, record),
  };
}

/** The metrics of the finished epochs, which are in order. */
async function readMetrics(path: string): Promise<{ steps: StepMetrics[]; epochs: EpochMetrics[] }> {
  const steps: StepMetrics[] = [];
  const epochs: EpochMetrics[] = [];
  if (!(await exists(path))) return { steps, epochs };
  let number = 0;
  for await (const line of textLines(path)) {
    // A last line without a line feed is an epoch that was being written when the run was stopped.
    if (!line.endsWith('\n')) break;
    const where = `${path}: line ${++number}`;
    const metrics = parseMetrics(line, where);
    if (metrics.epoch !== epochs.length)
      throw new InputError(`${where}: expected epoch ${epochs.length}, found epoch ${metrics.epoch}`);
    if (metrics.type === 'step') steps.push(metrics);
    else epochs.push(metrics);
  }
  return { steps: steps.filter(({ epoch }) => epoch < epochs.length), epochs };
}

/** One for each data set and split that the run was evaluated on: its own data set first, and the test images before others. */
async function readEvaluations(run: string, record: RunRecord): Promise<RunEvaluation[]> {
  const paths = await listResults(run);
  if (paths.length === 0) return await readEarlierEvaluation(run, record);
  const own = dataFolder(record.data);
  const found = await Promise.all(paths.map(async (path) => ({ path, result: await readResult(path) })));
  const rank = ({ result: { data, split } }: (typeof found)[number]) =>
    (data === own ? 0 : 10) + ['test', 'val', 'train'].indexOf(split);
  const evaluations: RunEvaluation[] = [];
  for (const { path, result } of found.sort((a, b) => rank(a) - rank(b))) {
    const pictures = (image: string) => pictureIn(result.data, image);
    const { dataset, epochs, seen, imagesSha256 } = result;
    evaluations.push({
      ...{ dataset, epochs, seen, imagesSha256 },
      ...(await evaluationOf(run, record, path, predictionsPath(path), result, pictures)),
    });
  }
  return evaluations;
}

/** What versions before results/ wrote: one evaluation, of whatever was evaluated last. */
async function readEarlierEvaluation(run: string, record: RunRecord): Promise<RunEvaluation[]> {
  const [path, predictions] = [join(run, 'confusion.json'), join(run, 'predictions.csv')];
  if (!(await exists(path)) || !(await exists(predictions))) return [];
  const summary = parseJsonAs(summarySchema, await readText(path, MAX_DATA_BYTES), path, 'the result of an evaluation');
  const pictures = (image: string) => pictureAt(image, dataFolder(record.data));
  const evaluation = await evaluationOf(run, record, path, predictions, summary, pictures);
  return [{ dataset: null, epochs: null, seen: null, imagesSha256: null, ...evaluation }];
}

const summarySchema = v.object({ split: text, loss: finite, confusion: v.array(v.array(whole)) });

/** The measures, computed anew from the predictions, which must be those of the summary in the file `path`. */
async function evaluationOf(
  run: string,
  record: RunRecord,
  path: string,
  predictionsFile: string,
  summary: v.InferOutput<typeof summarySchema>,
  pictures: (image: string) => Promise<Picture>,
): Promise<Omit<RunEvaluation, 'dataset' | 'epochs' | 'seen' | 'imagesSha256'>> {
  const predictions = await readPredictions(predictionsFile);
  const { labels, predicted, probabilities, words } = predictions;
  if (words.join('\n') !== record.classes.map(({ word }) => word).join('\n'))
    throw new InputError(`${predictionsFile}: its classes are not those of ${join(run, 'run.json')}`);
  // Its size is looked at first: a matrix of as many classes as a file can name would not fit into memory.
  const confusion = isSquare(summary.confusion, words.length) ? confusionOf(predictions) : undefined;
  if (!confusion || JSON.stringify(confusion) !== JSON.stringify(summary.confusion))
    throw new InputError(
      `${predictionsFile}: its predictions are not those of ${basename(path)}; evaluate the run again (ptdpc eval)`,
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
    ...(await pickCases(predictions, pictures)),
  };
}

function confusionOf({ words, labels, predicted }: Predictions): number[][] {
  const confusion = words.map(() => words.map(() => 0));
  labels.forEach((label, i) => {
    confusion[label]![predicted[i]!]!++;
  });
  return confusion;
}
