/**
 * The runs of a task, in the task's folder:
 *
 *     lr-<rate>/    prompts trained at a learning rate
 *     final/        prompts trained at the chosen one, if the choice was made on a part of the training images
 *     probe/        a linear probe
 *     zero-shot/    CLIP without training
 *
 * A task is done as soon as one of them has a result on the test images of its data set, which is the task's.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SPLITS, type Split } from '../../ptdpc/datasets/index.js';
import type { SeedImages, Task, TaskResult } from '../../ptdpc/experiment/index.js';
import type { RateChoice } from '../../ptdpc/index.js';
import { exists } from '../checkpoint-files.js';
import { type ResultFile, readResult, resultPath } from '../results.js';
import { lastEpochOf } from '../run-directory.js';
import { type RunRecord, readRunRecord } from '../run-record.js';

/** A run with its result on the test images. */
interface FinishedRun {
  record: RunRecord;
  /** Path of the result. */
  path: string;
}

/** The run of a task that has its result; undefined if the task is not done. Throws InputError for a damaged run. */
export async function finishedRun(folder: string): Promise<FinishedRun | undefined> {
  for (const run of await runsIn(folder)) {
    const record = await readRunRecord(run);
    const path = resultPath(run, { root: record.data, ...record.dataset }, 'test');
    if (await exists(path)) return { record, path };
  }
  return undefined;
}

/** What a task found; undefined if it is not done. Throws InputError for a damaged run or result. */
export async function readTaskResult(folder: string, { name, setting, seed }: Task): Promise<TaskResult | undefined> {
  const finished = await finishedRun(folder);
  if (!finished) return undefined;
  const { record } = finished;
  const found = await readResult(finished.path);
  const skipped = [...trained(record).skipped, ...found.skipped.map((image) => ({ split: 'test' as const, ...image }))];
  const truncated = [
    ...trained(record).truncatedRead,
    ...found.truncated.map((path) => ({ split: 'test' as const, path })),
  ];
  const { right, wrong } = found.mostConfident;
  const { count, accuracy, loss, macroF1, calibrationError, calibration, perClassAccuracy, confusionPairs } = found;
  return {
    task: name,
    setting: setting.name,
    classes: found.classes,
    result: {
      ...{ seed, task: name, learningRate: learningRateOf(record), choice: await choiceOf(folder, record) },
      ...{ count, accuracy, loss, macroF1, calibrationError, calibration, perClassAccuracy, confusionPairs },
      images: imagesOf(record, found, skipped, truncated),
      device: found.device,
      seconds: found.seconds ?? 0,
    },
    cases: {
      right: right && { setting: setting.name, seed, kind: 'right', ...right },
      wrong: wrong && { setting: setting.name, seed, kind: 'wrong', ...wrong },
    },
    skipped,
    truncated,
  };
}

/** The folders of a task's runs; none before its first has begun. */
async function runsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const runs: string[] = [];
  for (const name of names.sort()) {
    const run = join(folder, name);
    if (await exists(join(run, 'run.json'))) runs.push(run);
  }
  return runs;
}

const NOTHING = { images: { train: null, val: null }, skipped: [], truncatedRead: [] };

const trained = (record: RunRecord) => (record.learner === 'zero-shot' ? NOTHING : record);

function imagesOf(
  record: RunRecord,
  { origin, seen }: ResultFile,
  skipped: TaskResult['skipped'],
  truncated: TaskResult['truncated'],
): SeedImages {
  const { train, val } = trained(record).images;
  return {
    origin: origin ?? record.dataset.origin,
    ...{ train, val },
    skipped: countOf(skipped),
    truncated: countOf(truncated),
    seen: seen?.train ?? 0,
  };
}

function countOf(images: readonly { split: Split }[]): Record<Split, number> {
  const counts = SPLITS.map((split) => [split, images.filter((image) => image.split === split).length]);
  return Object.fromEntries(counts) as Record<Split, number>;
}

const learningRateOf = (record: RunRecord) =>
  record.learner === 'zero-shot' || record.learner === 'features' ? null : record.options.learningRate;

/** The learning rates that validation chose between: those of a probe's record, or of the trainings that came to their end. */
async function choiceOf(folder: string, record: RunRecord): Promise<RateChoice[]> {
  if (record.learner !== 'prompts') return record.learner === 'probe' ? record.choice : [];
  const choice: RateChoice[] = [];
  const trials = (await runsIn(folder)).filter((run) => /[\\/]lr-[^\\/]*$/.test(run));
  for (const run of trials.length < 2 ? [] : trials) {
    const trial = await readRunRecord(run);
    const last = await lastEpochOf(run);
    if (trial.learner !== 'prompts' || last?.epoch !== trial.options.epochs - 1) continue;
    const { valAccuracy, valLoss } = last;
    if (valAccuracy !== null && valLoss !== null)
      choice.push({ learningRate: trial.options.learningRate, valAccuracy, valLoss });
  }
  return choice.sort((a, b) => b.learningRate - a.learningRate);
}
