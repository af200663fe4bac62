/** What a run's folder holds, as the page of the run needs it. */
import { basename, join, resolve } from 'node:path';
import { InputError } from '../../errors.js';
import type { EpochMetrics, StepMetrics } from '../../ptdpc/index.js';
import type { RunEvaluation, RunReport } from '../../report/index.js';
import { exists } from '../checkpoint-files.js';
import { listResults, predictionsPath, type ResultFile, readResult } from '../results.js';
import { dataFolder } from '../run-images.js';
import { parseMetrics } from '../run-metrics.js';
import { type RunRecord, readRunRecord } from '../run-record.js';
import { textLines } from '../text-lines.js';
import { pickCases, pictureIn } from './cases.js';
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
  if (paths.length === 0 && (await exists(join(run, 'confusion.json'))))
    throw new InputError(`${run}: evaluated by an earlier version, in another format; evaluate it again (ptdpc eval)`);
  const own = dataFolder(record.data);
  const found = await Promise.all(paths.map(async (path) => ({ path, result: await readResult(path) })));
  const rank = ({ result: { data, split } }: (typeof found)[number]) =>
    (data === own ? 0 : 10) + ['test', 'val', 'train'].indexOf(split);
  const evaluations: RunEvaluation[] = [];
  for (const { path, result } of found.sort((a, b) => rank(a) - rank(b)))
    evaluations.push({ ...result, ...(await casesOf(run, record, path, result)) });
  return evaluations;
}

/** The images of a result that a page shows. Its predictions must be those that the result in the file `path` was computed from. */
async function casesOf(run: string, record: RunRecord, path: string, { data, confusion }: ResultFile) {
  const file = predictionsPath(path);
  const predictions = await readPredictions(file);
  const { words } = predictions;
  if (words.join('\n') !== record.classes.map(({ word }) => word).join('\n'))
    throw new InputError(`${file}: its classes are not those of ${join(run, 'run.json')}`);
  // The size is checked first: a matrix of as many classes as a file can name would not fit into memory.
  const same =
    confusion.length === words.length && JSON.stringify(confusionOf(predictions)) === JSON.stringify(confusion);
  if (!same)
    throw new InputError(
      `${file}: its predictions are not those of ${basename(path)}; evaluate the run again (ptdpc eval)`,
    );
  return await pickCases(predictions, (image) => pictureIn(data, image));
}

function confusionOf({ words, labels, predicted }: Predictions): number[][] {
  const confusion = words.map(() => words.map(() => 0));
  labels.forEach((label, i) => {
    confusion[label]![predicted[i]!]!++;
  });
  return confusion;
}
