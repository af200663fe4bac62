/** A study's results.json: what was found and its leaderboard. It passes between machines, so nothing in it is trusted when it is read. */
import * as v from 'valibot';
import { DISTRIBUTION_MEASURE_NAMES, type DistributionScores } from '../label-distributions.js';
import { finite, fromOne, parseJsonAs, share, text, whole } from '../parse-json.js';
import type { Leaderboard } from './leaderboard.js';
import { STUDY_RESULTS_FORMAT, type StudyResults, type StudySeed } from './results.js';

const amount = v.pipe(finite, v.minValue(0));
const shots = v.nullable(fromOne);

const distribution = v.object(
  Object.fromEntries(DISTRIBUTION_MEASURE_NAMES.map((name) => [name, finite])),
) as unknown as v.GenericSchema<unknown, DistributionScores>;

const seedResult: v.GenericSchema<unknown, StudySeed> = v.pipe(
  v.object({
    ...{ seed: whole, task: text, device: text, count: fromOne, accuracy: share, balancedAccuracy: share },
    ...{ macroF1: share, loss: finite, calibrationError: share, distribution: v.nullable(distribution) },
    ...{ train: whole, val: v.nullable(whole), imagesSha256: text, correct: v.pipe(v.string(), v.regex(/^[01]+$/)) },
    cost: v.object({ seconds: amount, flops: v.nullable(amount), parameters: amount, peakBytes: amount }),
    onTest: v.nullable(v.object({ candidates: fromOne, accuracy: share })),
  }),
  v.check(({ count, correct }) => correct.length === count),
);

const results: v.GenericSchema<unknown, StudyResults> = v.pipe(
  v.object({
    ...{ format: v.literal(STUDY_RESULTS_FORMAT), title: text, demonstration: v.boolean() },
    made: v.object({
      ...{ program: text, model: v.object({ name: text, sha256: text }) },
      ...{ devices: v.array(text), seeds: v.array(whole) },
    }),
    datasets: v.pipe(v.array(v.object({ name: text, label: text, classes: v.array(text) })), v.minLength(1)),
    shots: v.pipe(v.array(shots), v.minLength(1)),
    rows: v.array(
      v.object({
        ...{ name: text, label: text, learner: text, learns: text },
        paper: v.nullable(v.object({ text, url: text })),
        options: v.record(v.string(), v.unknown()),
      }),
    ),
    cells: v.array(v.object({ dataset: text, row: text, shots, seeds: v.array(seedResult), missing: v.array(whole) })),
  }),
  // One for every data set, number of shots and row, as the tables expect.
  v.check(({ datasets, shots, rows, cells }) => {
    const found = cells.map((cell) => JSON.stringify([cell.dataset, cell.shots, cell.row]));
    const expected = datasets.flatMap(({ name }) =>
      shots.flatMap((k) => rows.map((row) => JSON.stringify([name, k, row.name]))),
    );
    return new Set(expected).size === expected.length && found.join() === expected.join();
  }),
);

/** Whether this is the text of a study's results, and not of an experiment's. */
export function isStudyResults(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && 'rows' in value && 'shots' in value;
  } catch {
    return false;
  }
}

/** Reads what was found; the leaderboard is computed from it. Throws InputError naming `path` for anything else. */
export function parseStudyResults(json: string, path: string): StudyResults {
  return parseJsonAs(results, json, path, `the results of a study in format ${STUDY_RESULTS_FORMAT}`);
}

/** The text of results.json. */
export function studyResultsJson(found: StudyResults, leaderboard: Leaderboard): string {
  return `${JSON.stringify({ ...found, leaderboard }, null, 1)}\n`;
}
