/** A study as independent tasks: one row on one data set, with so many images per class and one seed. */
import * as v from 'valibot';
import { TRUNCATED_CHOICES, type TruncatedImages } from '../../clip/image/decoded-image.js';
import { InputError } from '../../errors.js';
import { NAMED_SETTINGS } from '../datasets/settings.js';
import { TUNING_FIELDS } from '../options.js';
import { fromOne, parseJsonAs, text } from '../parse-json.js';
import { learnsNothing, type StudyRow, studyRow } from './rows.js';
import { MOST_DATA, MOST_ROWS, MOST_SHOTS, MOST_STUDY_SEEDS, PLAIN_NAME, requireFewTasks } from './study.js';

/** Increase it when results of an older plan must not be mixed with new ones. */
export const STUDY_PLAN_FORMAT = 1;

/** A data set of a study, found. */
export interface StudyDataset {
  name: string;
  label: string;
  /** The named data set that it is read as; null: as its files say. */
  dataset: string | null;
  /** Its folder or manifest. */
  root: string;
  /** The number of folds if it has them: each seed is then a fold. */
  folds: number | null;
  /** Seed of the split where none is published; null: each seed draws its own. */
  splitSeed: number | null;
  /** Whether all seeds have the same test images. */
  sameTest: boolean;
}

/** What a result depends on besides its task: a folder has results of one configuration only. */
export interface StudyConfiguration {
  format: typeof STUDY_PLAN_FORMAT;
  demonstration: boolean;
  model: { directory: string; sha256: string };
  strict: boolean;
  truncated: TruncatedImages;
  /** Whether tasks also find what choosing on the test images would have given. */
  testSelection: boolean;
}

export interface StudyPlan {
  program: string;
  configuration: StudyConfiguration;
  title: string;
  datasets: readonly StudyDataset[];
  /** Images per class; null: all. */
  shots: readonly (number | null)[];
  /** Seeds 0 to seeds - 1. */
  seeds: number;
  rows: readonly StudyRow[];
}

export interface StudyTask {
  /** `<data set>.<row>.shots<k>.seed<n>`: a file name. */
  name: string;
  dataset: StudyDataset;
  row: StudyRow;
  /** Null: all, or of a row that learns nothing. */
  shots: number | null;
  seed: number;
}

/** How many of a study's seeds a data set uses: with folds, at most one for each. */
export function seedsOf({ seeds }: Pick<StudyPlan, 'seeds'>, { folds }: Pick<StudyDataset, 'folds'>): number {
  return Math.min(seeds, folds ?? seeds);
}

/** The task that has the result of a cell's seed. A row that learns nothing has one for each split. */
export function studyTask(dataset: StudyDataset, row: StudyRow, shots: number | null, seed: number): StudyTask {
  if (!learnsNothing(row)) {
    const name = `${dataset.name}.${row.name}.shots${shots ?? 'all'}.seed${seed}`;
    return { name, dataset, row, shots, seed };
  }
  const own = dataset.sameTest ? 0 : seed;
  return { name: `${dataset.name}.${row.name}.seed${own}`, dataset, row, shots: null, seed: own };
}

/** All tasks, each once; those of a data set together, so that a process loads its features once. */
export function studyTasks(plan: Pick<StudyPlan, 'datasets' | 'shots' | 'seeds' | 'rows'>): StudyTask[] {
  const tasks = new Map<string, StudyTask>();
  for (const dataset of plan.datasets)
    for (const shots of plan.shots)
      for (let seed = 0; seed < seedsOf(plan, dataset); seed++)
        for (const row of plan.rows) {
          const task = studyTask(dataset, row, shots, seed);
          if (!tasks.has(task.name)) tasks.set(task.name, task);
        }
  return [...tasks.values()];
}

/**
 * A plan that combines both: the data sets, numbers of images and rows of either, and the larger number of seeds. Throws InputError, naming
 * `path`, if their results cannot share a folder.
 */
export function joinStudies(before: StudyPlan, now: StudyPlan, path: string): StudyPlan {
  const { model: old, ...rest } = before.configuration;
  const { model, ...others } = now.configuration;
  if (old.sha256 !== model.sha256)
    throw new InputError(
      `${path}: a study of another model (${old.directory}, now ${model.directory}); choose another --out`,
    );
  for (const [key, value] of Object.entries(others)) {
    const found: unknown = Reflect.get(rest, key);
    if (found !== value)
      throw new InputError(
        `${path}: a study with another ${key} (${JSON.stringify(found)}, now ${JSON.stringify(value)}); choose another --out`,
      );
  }
  const datasets = [...before.datasets];
  for (const one of now.datasets) {
    const known = datasets.find(({ name }) => name === one.name);
    if (!known) datasets.push(one);
    else if (identity(known) !== identity(one))
      throw new InputError(
        `${path}: a study with other images as ${one.name} (${known.root}, now ${one.root}); choose another --out or another "name"`,
      );
  }
  const rows = [...before.rows];
  for (const row of now.rows) {
    const place = rows.findIndex(({ name }) => name === row.name);
    const known = rows[place];
    if (!known) rows.push(row);
    else if (workOf(known) === workOf(row)) rows[place] = row;
    else
      throw new InputError(
        `${path}: a study with another ${row.name} (${workOf(known)}, now ${workOf(row)}); choose another --out or another "name"`,
      );
  }
  if (datasets.length > MOST_DATA || rows.length > MOST_ROWS)
    throw new InputError(
      `${path}: together ${datasets.length} data sets and ${rows.length} learners, at most ${MOST_DATA} and ${MOST_ROWS}; choose another --out`,
    );
  const shots = inOrder([...new Set([...before.shots, ...now.shots])]);
  const seeds = Math.max(before.seeds, now.seeds);
  requireFewTasks(`${path}: together`, { data: datasets, shots, seeds, rows });
  return { ...now, datasets, rows, shots, seeds };
}

const inOrder = (shots: (number | null)[]): (number | null)[] =>
  shots.sort((a, b) => (a ?? Number.POSITIVE_INFINITY) - (b ?? Number.POSITIVE_INFINITY));

const identity = ({ dataset, root, folds, splitSeed, sameTest }: StudyDataset): string =>
  JSON.stringify([dataset, root, folds, splitSeed, sameTest]);

const workOf = ({ learner, options, rates }: StudyRow): string => {
  const sorted = Object.fromEntries(Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify({ learner, options: sorted, rates });
};

const plainName = v.pipe(text, v.regex(PLAIN_NAME));
const distinct = (items: readonly { name: string }[]) => new Set(items.map(({ name }) => name)).size === items.length;

const row: v.GenericSchema<unknown, StudyRow> = v.pipe(
  v.object({
    name: plainName,
    label: text,
    learner: text,
    options: v.record(v.string(), v.unknown()),
    rates: v.optional(v.pipe(v.array(TUNING_FIELDS.learningRate), v.minLength(1))),
  }),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return studyRow(dataset.value);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      addIssue({ message: error.message });
      return NEVER;
    }
  }),
);

const plan: v.GenericSchema<unknown, StudyPlan> = v.object({
  program: text,
  configuration: v.object({
    format: v.literal(STUDY_PLAN_FORMAT),
    demonstration: v.boolean(),
    model: v.object({ directory: text, sha256: text }),
    strict: v.boolean(),
    truncated: v.picklist(TRUNCATED_CHOICES),
    testSelection: v.boolean(),
  }),
  title: text,
  datasets: v.pipe(
    v.array(
      v.object({
        name: plainName,
        label: text,
        dataset: v.nullable(v.picklist(NAMED_SETTINGS)),
        root: text,
        folds: v.nullable(fromOne),
        splitSeed: v.nullable(TUNING_FIELDS.seed),
        sameTest: v.boolean(),
      }),
    ),
    v.minLength(1),
    v.maxLength(MOST_DATA),
    v.check((items) => distinct(items)),
  ),
  shots: v.pipe(v.array(v.nullable(fromOne)), v.minLength(1), v.maxLength(MOST_SHOTS)),
  seeds: v.pipe(fromOne, v.maxValue(MOST_STUDY_SEEDS)),
  rows: v.pipe(
    v.array(row),
    v.minLength(1),
    v.maxLength(MOST_ROWS),
    v.check((items) => distinct(items)),
  ),
});

/** Reads study.json of a folder. Throws InputError naming `path` for anything else. */
export function parseStudyPlan(json: string, path: string): StudyPlan {
  const found = parseJsonAs(plan, json, path, `a study of format ${STUDY_PLAN_FORMAT} (ptdpc experiment run-grid)`);
  requireFewTasks(path, { ...found, data: found.datasets });
  return found;
}
