/**
 * Reading back what experiments write: plan.json and results.json. They pass between machines, so nothing in them is
 * trusted: names that become file names must be plain, numbers in range, and matrices as large as the lists of classes.
 */
import * as v from 'valibot';
import { TRUNCATED_CHOICES } from '../../clip/image/decoded-image.js';
import { type ConfusionPairs, confusionPairs } from '../confusion.js';
import { NAMED_SETTINGS, namedSetting, splitOriginSchema } from '../datasets/index.js';
import { PREPROCESS_CHOICES, TUNING_FIELDS } from '../options.js';
import { finite, fromOne, isSquare, measures, parseJsonAs, positive, share, text, whole } from '../parse-json.js';
import { PLAN_FORMAT, type Plan, type PlanSetting } from './plan.js';
import {
  type CaseResult,
  EXPERIMENTS,
  type ExperimentResults,
  RESULTS_FORMAT,
  SEED_EFFECTS,
  type SeedResult,
} from './results.js';

/** Seeds of a plan; with `MOST_SETTINGS` it bounds how many tasks a plan may have. */
export const MOST_SEEDS = 1000;
/** There are eleven named settings. */
const MOST_SETTINGS = 32;
/** More than anybody compares in one table. */
const MOST_ENCODERS = 32;

const experiment = v.picklist(EXPERIMENTS);
const { preset, epochs, batchSize, initNoise, learningRate } = TUNING_FIELDS;
/** A part of file and folder names. */
const plainName = v.pipe(text, v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/));

const planSetting: v.GenericSchema<unknown, PlanSetting> = v.pipe(
  v.object({
    name: plainName,
    label: text,
    dataset: text,
    root: text,
    folds: v.optional(v.nullable(fromOne)),
  }),
  // Older plans did not record the folds, and seeds cycled through them.
  v.transform(({ folds, ...setting }) => ({
    ...setting,
    folds: folds === undefined ? foldsOf(setting.dataset) : folds,
  })),
);

function foldsOf(dataset: string): number | null {
  const name = NAMED_SETTINGS.find((known) => known === dataset);
  const split = name && namedSetting(name)?.split;
  return split && 'folds' in split ? split.folds : null;
}

const checkpoint = { path: text, sha256: text };
const planEncoder = v.object({ name: plainName, architecture: text, ...checkpoint, random: v.boolean() });

const planFields = v.object({
  program: text,
  configuration: v.object({
    format: v.literal(PLAN_FORMAT),
    demonstration: v.boolean(),
    preset,
    epochs: v.nullable(epochs),
    batchSize: v.nullable(batchSize),
    // Plans of earlier versions lack it.
    initNoise: v.optional(initNoise, 0),
    learningRates: v.pipe(v.array(learningRate), v.minLength(1)),
    model: v.object({ directory: text, sha256: text }),
    strict: v.boolean(),
    // Older plans skipped them.
    truncated: v.optional(v.picklist(TRUNCATED_CHOICES), 'skip'),
    // Older plans had no choice.
    preprocess: v.optional(v.picklist(PREPROCESS_CHOICES), 'own'),
  }),
  encoders: v.optional(
    v.pipe(
      v.array(planEncoder),
      v.maxLength(MOST_ENCODERS),
      v.check((encoders) => new Set(encoders.map(({ name }) => name)).size === encoders.length),
    ),
  ),
  // The only one that plans of earlier versions may have.
  deit: v.optional(v.nullable(v.object(checkpoint)), null),
  experiments: v.pipe(v.array(experiment), v.maxLength(EXPERIMENTS.length)),
  settings: v.pipe(
    v.array(planSetting),
    v.maxLength(MOST_SETTINGS),
    v.check((settings) => new Set(settings.map(({ name }) => name)).size === settings.length),
  ),
  seeds: v.pipe(fromOne, v.maxValue(MOST_SEEDS)),
});

const plan: v.GenericSchema<unknown, Plan> = v.pipe(
  planFields,
  v.transform(({ deit, encoders, ...rest }) => ({
    ...rest,
    encoders: encoders ?? (deit ? [{ name: 'deit', architecture: 'DeiT', ...deit, random: false }] : []),
  })),
);

const pairs = v.object({ classes: whole, pairs: v.array(v.strictTuple([whole, whole, fromOne])) });

/** Results of format 1 had the square matrix, or an empty one, instead of the pairs. */
const confusion = {
  confusion: v.optional(v.array(v.array(whole))),
  confusionPairs: v.optional(pairs),
};

interface AnyConfusion {
  readonly confusion?: number[][] | undefined;
  readonly confusionPairs?: ConfusionPairs | undefined;
}

const isConfusion = ({ confusion, confusionPairs: found }: AnyConfusion): boolean =>
  found
    ? found.pairs.every(([actual, predicted]) => actual < found.classes && predicted < found.classes)
    : confusion !== undefined && isSquare(confusion, confusion.length);

function asPairs<Result extends AnyConfusion>({ confusion, confusionPairs: found, ...rest }: Result) {
  return { ...rest, confusionPairs: found ?? confusionPairs(confusion ?? []) };
}

const seedResult: v.GenericSchema<unknown, SeedResult> = v.pipe(
  v.object({
    seed: whole,
    task: text,
    learningRate: v.nullable(positive),
    choice: v.array(v.object({ learningRate: positive, valAccuracy: share, valLoss: finite })),
    count: whole,
    // Older results lack it.
    images: v.optional(
      v.nullable(
        v.object({
          origin: splitOriginSchema,
          train: v.nullable(whole),
          val: v.nullable(whole),
          skipped: v.object({ train: whole, val: whole, test: whole }),
          truncated: v.optional(v.object({ train: whole, val: whole, test: whole }), { train: 0, val: 0, test: 0 }),
          // Earlier versions did not compare them.
          seen: v.optional(whole, 0),
        }),
      ),
      null,
    ),
    ...measures,
    ...confusion,
    device: text,
    seconds: finite,
  }),
  v.check((one) => isConfusion(one)),
  v.transform((one) => asPairs(one)),
);

const caseResult: v.GenericSchema<unknown, CaseResult> = v.object({
  setting: text,
  seed: whole,
  kind: v.picklist(['right', 'wrong']),
  path: text,
  actual: text,
  predicted: text,
  probability: share,
  probabilities: v.array(share),
});

const summary = v.object({
  count: fromOne,
  mean: finite,
  std: v.nullable(finite),
  interval: v.nullable(v.tuple([finite, finite])),
});

const results: v.GenericSchema<unknown, ExperimentResults> = v.pipe(
  v.object({
    format: v.pipe(
      v.picklist([1, RESULTS_FORMAT]),
      v.transform((): typeof RESULTS_FORMAT => RESULTS_FORMAT),
    ),
    experiment,
    title: text,
    source: v.nullable(text),
    demonstration: v.boolean(),
    made: v.object({
      program: text,
      preset,
      // Older results lack this key.
      changes: v.optional(v.object({ epochs: v.nullable(epochs), batchSize: v.nullable(batchSize), initNoise }), {
        epochs: null,
        batchSize: null,
        initNoise: 0,
      }),
      model: v.object({ name: text, sha256: text }),
      seeds: v.array(whole),
      devices: v.array(text),
    }),
    settings: v.array(
      v.object({
        name: text,
        label: text,
        root: text,
        classes: v.array(text),
        skipped: v.optional(v.array(v.object({ path: text, reason: text })), []),
        truncated: v.optional(v.array(text), []),
      }),
    ),
    // Earlier results had no notes.
    variants: v.array(
      v.object({ name: text, label: text, description: text, note: v.optional(v.nullable(text), null) }),
    ),
    cells: v.array(
      v.pipe(
        v.object({
          setting: text,
          variant: text,
          seeds: v.array(seedResult),
          missing: v.array(whole),
          varies: v.optional(v.nullable(v.array(v.picklist(SEED_EFFECTS))), null),
          accuracy: v.nullable(summary),
          accuracyInterval: v.optional(v.nullable(v.tuple([share, share])), null),
          macroF1: v.nullable(summary),
          calibrationError: v.nullable(summary),
          perClassAccuracy: v.array(v.nullable(share)),
          ...confusion,
          paper: v.nullable(finite),
          difference: v.nullable(finite),
        }),
        v.check((one) => isConfusion(one)),
        v.transform((one) => asPairs(one)),
      ),
    ),
    quoted: v.array(v.object({ label: text, accuracies: v.array(v.nullable(finite)) })),
    spread: v.array(
      v.object({
        setting: text,
        std: v.nullable(finite),
        paper: v.nullable(finite),
        paperComputed: v.optional(v.nullable(finite), null),
      }),
    ),
    cases: v.array(caseResult),
  }),
  // A cell without a finished seed has a confusion of no classes.
  v.check(({ settings, cells }) => {
    const sizes = new Map(settings.map(({ name, classes }) => [name, classes.length]));
    return cells.every(({ setting, confusionPairs: { classes } }) => classes === 0 || classes === sizes.get(setting));
  }),
);

/** Reads plan.json. Throws InputError naming `path` for anything else. */
export function parsePlan(json: string, path: string): Plan {
  return parseJsonAs(plan, json, path, `a plan of format ${PLAN_FORMAT} (ptdpc experiment plan)`);
}

/** Reads results.json. Throws InputError naming `path` for anything else. */
export function parseResults(json: string, path: string): ExperimentResults {
  return parseJsonAs(results, json, path, `the results of an experiment in format ${RESULTS_FORMAT}`);
}
