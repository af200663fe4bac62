/**
 * Runs side by side by their results: what `ptdpc compare` and `ptdpc metrics` do, for programs. Nothing is computed on a device: the results
 * and predictions in the runs' folders are all there is.
 */
import { basename, join, resolve } from 'node:path';
import { InputError } from '../errors.js';
import { learnerOf } from '../learners/index.js';
import {
  balancedAccuracy,
  type ComparedPair,
  comparePairs,
  correctness,
  DISTRIBUTION_MEASURE_NAMES,
  wilsonInterval,
} from '../ptdpc/index.js';
import { csvLine } from '../ptdpc/predictions-csv.js';
import { predictionsOf } from './read-predictions.js';
import { readMetrics } from './report/read-run.js';
import type { ResultFile } from './result-file.js';
import { listResults, readResult } from './results.js';
import { type RunRecord, readRunRecord } from './run-record.js';

/** A result of a run. */
export interface RunResult {
  /** The name of the run's folder, or its path where several have the same name. */
  readonly run: string;
  /** As `ptdpc train --learner` calls it; `probe`, `zero-shot`. */
  readonly learner: string;
  readonly result: ResultFile;
}

/** Results on the same images, compared image by image. */
export interface ComparedGroup {
  readonly dataset: string;
  readonly split: string;
  readonly count: number;
  /** Of the images' files, labels and votes. */
  readonly imagesSha256: string;
  readonly runs: readonly RunResult[];
  /** Every two of them, by their places in `runs`. */
  readonly pairs: readonly ComparedPair[];
}

/** All results of some runs, in the order of the runs. Throws InputError if a folder is not a run, or one has no results. */
export async function readResults(runs: readonly string[]): Promise<RunResult[]> {
  const all = await readAll(runs);
  return all.map(({ run, record, result }) => ({ run, learner: learnerName(record), result }));
}

/**
 * Groups the results of at least two runs by the images that they are of, with McNemar's exact test, the paired bootstrap and Holm's correction
 * for every two in a group. Throws InputError if no two are of the same images and classes.
 */
export async function compareRuns(runs: readonly string[]): Promise<ComparedGroup[]> {
  const groups = new Map<string, Read[]>();
  for (const read of await readAll(runs)) {
    const { split, imagesSha256, classes } = read.result;
    const key = [split, imagesSha256, ...classes].join('\n');
    groups.set(key, [...(groups.get(key) ?? []), read]);
  }
  const shared = [...groups.values()].filter(({ length }) => length > 1);
  if (shared.length === 0)
    throw new InputError(
      `compare: expected two runs with results on the same images and classes, found none; npx ptdpc eval --run <run> --data <path> adds one`,
    );
  return await Promise.all(
    shared.map(async (members) => {
      const correct: Uint8Array[] = [];
      for (const { path, result } of members) {
        const { predicted, labels } = await predictionsOf(path, result);
        correct.push(correctness(predicted, labels));
      }
      const { dataset, split, count, imagesSha256 } = members[0]!.result;
      return {
        ...{ dataset, split, count, imagesSha256 },
        runs: members.map(({ run, record, result }) => ({ run, learner: learnerName(record), result })),
        pairs: comparePairs(correct),
      };
    }),
  );
}

/** The name of the learner, of those that have one kind of record in common too. */
function learnerName(record: RunRecord): string {
  if (record.learner === 'prompts' || record.learner === 'images') return learnerOf(record.options);
  return 'name' in record && typeof record.name === 'string' ? record.name : record.learner;
}

interface Read {
  readonly run: string;
  readonly record: RunRecord;
  readonly path: string;
  readonly result: ResultFile;
}

async function readAll(runs: readonly string[]): Promise<Read[]> {
  const names = namesOf(runs);
  const all: Read[] = [];
  for (const [i, folder] of runs.entries()) {
    const record = await readRunRecord(folder);
    const paths = await listResults(folder);
    if (paths.length === 0)
      throw new InputError(`${folder}: not evaluated yet; npx ptdpc eval --run ${folder} writes its results`);
    for (const path of paths) all.push({ run: names[i]!, record, path, result: await readResult(path) });
  }
  return all;
}

/** Of their folders; where two are called the same, the paths that they were given by. */
function namesOf(runs: readonly string[]): readonly string[] {
  const names = runs.map((run) => basename(resolve(run)));
  return new Set(names).size === names.length ? names : runs;
}

/** The results of some runs as CSV, a line for each; docs/evaluation.md explains the columns. */
export async function resultsCsv(runs: readonly string[]): Promise<string> {
  const results = await readResults(runs);
  const voted = results.some(({ result }) => result.distribution !== null);
  const head = [
    ...['run', 'learner', 'dataset', 'split', 'count', 'epochs', 'accuracy', 'accuracyLow', 'accuracyHigh'],
    ...['balancedAccuracy', 'macroF1', 'loss', 'calibrationError', ...(voted ? DISTRIBUTION_MEASURE_NAMES : [])],
    'imagesSha256',
  ];
  const lines = results.map(({ run, learner, result }) => {
    const { dataset, split, count, epochs, accuracy, macroF1, loss, calibrationError, distribution } = result;
    const measures = [
      ...[count, epochs, accuracy, ...wilsonInterval(accuracy, count)],
      ...[balancedAccuracy(result.confusionPairs), macroF1, loss, calibrationError],
      ...(voted ? DISTRIBUTION_MEASURE_NAMES.map((name) => distribution?.[name] ?? '') : []),
    ];
    return [run, learner, dataset, split, ...measures.map(String), result.imagesSha256];
  });
  return [head, ...lines].map(csvLine).join('');
}

/** The metrics of trainings as CSV: a line for each finished epoch, or for each step of one. Throws InputError if a run was not trained by epochs. */
export async function trainingCsv(runs: readonly string[], by: 'epochs' | 'steps'): Promise<string> {
  const names = namesOf(runs);
  const lines: string[][] = [];
  for (const [i, run] of runs.entries()) {
    await readRunRecord(run);
    const { steps, epochs } = await readMetrics(join(run, 'metrics.jsonl'));
    if (epochs.length === 0)
      throw new InputError(`${run}: no finished epoch in its metrics.jsonl; only npx ptdpc train writes one`);
    const rateOf = new Map(steps.map(({ epoch, lr }) => [epoch, lr]));
    if (by === 'steps')
      for (const { epoch, step, loss, lr } of steps) lines.push(row(names[i]!, epoch + 1, step + 1, loss, lr));
    else
      for (const { epoch, trainLoss, trainAccuracy, valLoss, valAccuracy } of epochs)
        lines.push(
          row(names[i]!, epoch + 1, trainLoss, trainAccuracy, valLoss, valAccuracy, rateOf.get(epoch) ?? null),
        );
  }
  const head =
    by === 'steps'
      ? ['run', 'epoch', 'step', 'loss', 'lr']
      : ['run', 'epoch', 'trainLoss', 'trainAccuracy', 'valLoss', 'valAccuracy', 'lr'];
  return [head, ...lines].map(csvLine).join('');
}

/** What is not known is an empty cell. */
const row = (run: string, ...values: (number | null)[]): string[] => [
  run,
  ...values.map((value) => (value === null ? '' : String(value))),
];
