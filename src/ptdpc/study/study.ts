/**
 * A study's file: which learners are compared on which data sets, with how many images per class, and how often.
 *
 *     {
 *       "title": "CoOp with fewer tokens",
 *       "model": "clip-vit-b32",
 *       "data": [{ "name": "fi", "path": "data/fi" }],
 *       "shots": [1, 4, 16, "all"],
 *       "seeds": 3,
 *       "learners": [{ "learner": "zero-shot" }, { "learner": "coop", "name": "coop4", "options": { "context": 4 } }]
 *     }
 */
import * as v from 'valibot';
import { shortened } from '../../clip/checkpoint/quoted.js';
import { counted, InputError } from '../../errors.js';
import { didYouMean } from '../../suggest.js';
import { NAMED_SETTINGS } from '../datasets/settings.js';
import { PAPER_LEARNING_RATES } from '../experiment/paper-tables.js';
import { DEMO_SETTINGS, demoSettings } from '../experiment/plan.js';
import { TUNING_FIELDS } from '../options.js';
import { type StudyRow, studyRow } from './rows.js';

/** A data set of a study. */
export interface StudyData {
  /** A plain name, unique in the study: a part of the names of tasks. */
  name: string;
  label: string;
  /** Its folder or manifest. */
  path: string;
  /** The named data set that it is read as; null: as its files say. */
  dataset: string | null;
  /** Seed of the split where none is published; null: the seed of each task draws its own. */
  splitSeed: number | null;
}

/** A study as its file says it, checked, with what is left out filled in. */
export interface StudyFile {
  title: string;
  /** Model directory; null: to be given. */
  model: string | null;
  /** Data sets; empty for a demonstration. */
  data: readonly StudyData[];
  /** Names of those that a demonstration draws; null if this is none. */
  demo: readonly string[] | null;
  /** Images per class that are learned from; null: all. */
  shots: readonly (number | null)[];
  /** Seeds 0 to seeds - 1. */
  seeds: number;
  rows: readonly StudyRow[];
}

/** Bounds of a study, so that no file has more tasks than a machine can list. */
export const MOST_ROWS = 64;
export const MOST_DATA = 64;
export const MOST_SHOTS = 32;
export const MOST_STUDY_SEEDS = 100;
const MOST_TASKS = 100_000;

/** Throws InputError beginning with `where` for more tasks than a study may have. */
export function requireFewTasks(
  where: string,
  lists: { data: readonly unknown[]; shots: readonly unknown[]; seeds: number; rows: readonly unknown[] },
): void {
  const { data, shots, seeds, rows } = lists;
  const tasks = data.length * shots.length * seeds * rows.length;
  if (tasks > MOST_TASKS)
    throw new InputError(
      `${where}: ${data.length} data sets x ${shots.length} numbers of images x ${seeds} seeds x ${rows.length} learners: expected at most ` +
        `${counted(MOST_TASKS, 'task')}, found ${counted(tasks, 'task')}; make several studies of it`,
    );
}

/** A part of file and folder names. */
export const PLAIN_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const plainName = v.pipe(v.string('text'), v.regex(PLAIN_NAME, 'lower-case letters, digits and hyphens, at most 64'));
const someText = v.pipe(
  v.string('text'),
  v.nonEmpty('text that is not empty'),
  v.maxLength(500, 'at most 500 characters'),
);
const wholeFrom = (least: number, most: number) => {
  const expected = `a whole number from ${least} to ${most}`;
  return v.pipe(
    v.number(expected),
    v.check((x) => Number.isInteger(x) && x >= least && x <= most, expected),
  );
};
const listOf = <T extends v.GenericSchema>(item: T, what: string, most: number) =>
  v.pipe(
    v.array(item, `a list of ${what}`),
    v.minLength(1, `at least one of ${what}`),
    v.maxLength(most, `at most ${most} of ${what}`),
  );

const RATES = '"auto", a learning rate, or a list of some';
const { learningRate, keep } = TUNING_FIELDS;

const learnerEntry = v.strictObject(
  {
    learner: v.string('the name of a learner'),
    name: v.optional(plainName),
    label: v.optional(someText),
    options: v.optional(v.record(v.string(), v.unknown(), 'an object of options')),
    lr: v.optional(v.union([v.literal('auto'), learningRate, listOf(learningRate, 'learning rates', 20)], RATES)),
    keep: v.optional(keep),
  },
  'an object',
);

const dataEntry = v.strictObject(
  {
    name: plainName,
    path: someText,
    dataset: v.optional(v.string('the name of a data set')),
    label: v.optional(someText),
    splitSeed: v.optional(TUNING_FIELDS.seed),
  },
  'an object',
);

/** Images per class, `"all"` included. */
export const shotsItem = v.custom<number | 'all'>(
  (value) => value === 'all' || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1),
  'a whole number from 1 on, or "all"',
);

const file = v.strictObject({
  title: someText,
  model: v.optional(someText),
  data: v.optional(listOf(dataEntry, 'data sets', MOST_DATA)),
  demo: v.optional(
    v.union(
      [v.boolean(), listOf(v.string('a name'), 'its data sets', DEMO_SETTINGS.length)],
      'true, false, or a list of its data sets',
    ),
  ),
  shots: listOf(shotsItem, 'numbers of images per class', MOST_SHOTS),
  seeds: wholeFrom(1, MOST_STUDY_SEEDS),
  learners: listOf(learnerEntry, 'learners', MOST_ROWS),
});

/** A study's file as it is written. */
export type StudyJson = v.InferInput<typeof file>;

/** Reads a study's file. Throws InputError naming the file `path`, the place in it, what was expected and what was found. */
export function parseStudy(json: string, path: string): StudyFile {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new InputError(`${path}: expected a study as JSON, found no JSON (${shortened((error as Error).message)})`);
  }
  return studyOf(value, path);
}

/** The same of a value. */
export function studyOf(value: unknown, path: string): StudyFile {
  // A list is an object too, without any of the fields.
  const { success, output, issues } = v.safeParse(file, Array.isArray(value) ? 'a list' : value, { abortEarly: true });
  if (!success) throw new InputError(`${path}: ${wordsOf(issues[0])}`);
  const { title, model = null, data = [], seeds } = output;
  const demo = output.demo ? demoNames(output.demo, `${path}: demo`) : null;
  if ((demo !== null) === data.length > 0)
    throw new InputError(
      `${path}: expected either "data", a list of data sets, or "demo": true, found ${demo ? 'both' : 'neither'}`,
    );
  const shots = output.shots.map((one) => (one === 'all' ? null : one));
  requireDistinct(
    shots.map((one) => String(one ?? 'all')),
    `${path}: shots`,
  );
  const rows = output.learners.map(({ lr, keep, options, ...given }, i) => {
    const rates = lr === 'auto' ? PAPER_LEARNING_RATES : Array.isArray(lr) ? lr : undefined;
    const own = { ...options, ...(typeof lr === 'number' && { learningRate: lr }), ...(keep && { keep }) };
    try {
      return studyRow({ ...given, options: own, rates });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(`${path}: learners[${i}] (${shortened(given.learner)}): ${error.message}`);
    }
  });
  requireDistinct(
    rows.map(({ name }) => name),
    `${path}: learners`,
    '; give one of them another "name"',
  );
  requireDistinct(
    data.map(({ name }) => name),
    `${path}: data`,
    '; give one of them another "name"',
  );
  const sets = data.map(({ name, label, path: folder, dataset, splitSeed = null }, i) => {
    if (dataset !== undefined && !(NAMED_SETTINGS as readonly string[]).includes(dataset))
      throw new InputError(
        `${path}: data[${i}].dataset: expected one of ${NAMED_SETTINGS.join(', ')}, found ${JSON.stringify(shortened(dataset))}${didYouMean(dataset, NAMED_SETTINGS)}`,
      );
    return { name, label: label ?? name, path: folder, dataset: dataset ?? null, splitSeed };
  });
  requireFewTasks(path, { data: sets, shots, seeds, rows });
  return { title, model, demo, data: sets, shots, seeds, rows };
}

function demoNames(demo: true | readonly string[], where: string): string[] {
  return demoSettings(demo === true ? undefined : demo, where).map(({ name }) => name);
}

function requireDistinct(names: readonly string[], where: string, wayOut = ''): void {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new InputError(`${where}: ${shortened(twice)} is there twice${wayOut}`);
}

/** `learners[1].lr: expected a number above 0, found "fast"` */
function wordsOf(issue: v.BaseIssue<unknown>): string {
  const { path = [], message, received, type } = issue;
  const place = path
    .map(({ key }, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${shortened(String(key))}`))
    .join('');
  const last = path.at(-1);
  if (type === 'strict_object' && last && issue.expected === 'never') {
    const schema = fieldsAt(path.slice(0, -1).map(({ key }) => key));
    const known = Object.keys(schema);
    const unknown = String(last.key);
    return `${place}: not a field here; expected ${known.join(', ')}${didYouMean(unknown, known)}`;
  }
  if (type === 'strict_object' && last && received === 'undefined') return `${place}: missing`;
  if (path.length === 0)
    return `expected a study (an object with "title", "shots", "seeds" and "learners"), found ${shortened(received)}`;
  return `${place}: expected ${message}, found ${shortened(received)}`;
}

function fieldsAt(keys: readonly unknown[]): object {
  if (keys[0] === 'learners') return learnerEntry.entries;
  return keys[0] === 'data' ? dataEntry.entries : file.entries;
}
