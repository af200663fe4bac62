/**
 * A plan: everything that some experiments need, as independent tasks (one variant on one setting with one seed). Experiments share
 * tasks: PT-DPC's row of Tables 1 to 4 is computed once.
 */
import { shortened } from '../../clip/checkpoint/quoted.js';
import type { TruncatedImages } from '../../clip/image/index.js';
import { InputError } from '../../errors.js';
import { didYouMean } from '../../suggest.js';
import { type PreprocessChoice, type Preset, type TuningOptions, tuningOptions } from '../options.js';
import { type Experiment, experiment } from './experiments.js';
import { EXPERIMENTS, type ExperimentName, type PresetChanges } from './results.js';
import { inTableOrder, type PlanEncoder, type Variant } from './variants.js';

/** Increase it when results of an older plan must not be mixed with new ones. */
export const PLAN_FORMAT = 1;

export interface PlanSetting {
  /** Its name in task names: a data set's (`fi8`), or a demonstration's (`scenes8`). */
  name: string;
  label: string;
  /** The named data set that it is read as. */
  dataset: string;
  /** Folder of the data set. */
  root: string;
  /** The number of folds if the data set has them, as Twitter I does: each seed is then a fold. */
  folds: number | null;
}

/** The settings of a demonstration, which differ in their classes, as FI's do. */
export const DEMO_SETTINGS = [
  { name: 'scenes8', label: 'Scenes 8', dataset: 'fi8' },
  { name: 'scenes2', label: 'Scenes 2', dataset: 'fi2' },
] as const satisfies readonly Partial<PlanSetting>[];

/** Some of `DEMO_SETTINGS`, by name; all without names. Throws InputError, beginning with `where`, for another name. */
export function demoSettings(names: readonly string[] | undefined, where: string): (typeof DEMO_SETTINGS)[number][] {
  const known = DEMO_SETTINGS.map(({ name }) => name as string);
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new InputError(
      `${where}: expected some of ${known.join(', ')}, found ${shortened(unknown)}${didYouMean(unknown, known)}`,
    );
  return DEMO_SETTINGS.filter(({ name }) => names === undefined || names.includes(name));
}

/** What a result depends on besides its task: a folder of results contains those of one configuration only. */
export interface PlanConfiguration extends PresetChanges {
  format: typeof PLAN_FORMAT;
  demonstration: boolean;
  preset: Preset;
  /** One, or several for validation to choose from. */
  learningRates: readonly number[];
  model: { directory: string; sha256: string };
  strict: boolean;
  /** How truncated image files are treated. */
  truncated: TruncatedImages;
  /** How images are prepared for the encoders beside the model. */
  preprocess: PreprocessChoice;
}

export interface Plan {
  program: string;
  configuration: PlanConfiguration;
  /** The encoders beside the model in Table 4, in its order; the paper's others are quoted. Only their own rows depend on them. */
  encoders: readonly PlanEncoder[];
  experiments: readonly ExperimentName[];
  settings: readonly PlanSetting[];
  /** Seeds 0 to seeds - 1. */
  seeds: number;
}

export interface Task {
  /** `<setting>.<variant>.seed<n>`: a file name. */
  name: string;
  setting: PlanSetting;
  variant: Variant;
  seed: number;
}

/** The plan's experiments; a demonstration has each of its settings in all of them. */
export function plannedExperiments({ configuration, experiments, encoders }: Plan): Experiment[] {
  const { preset, preprocess } = configuration;
  return experiments.map((name) => experiment(name, preset, { encoders, preprocess }));
}

/** The plan's settings that an experiment has columns for: the paper's in its order; tables have every other one too. */
export function experimentSettings(plan: Plan, { name, settings }: Experiment): PlanSetting[] {
  if (plan.configuration.demonstration) return [...plan.settings];
  const columns = settings.flatMap((column) => plan.settings.filter((setting) => setting.name === column));
  return name.startsWith('table') ? [...new Set([...columns, ...plan.settings])] : columns;
}

/**
 * How many of the plan's seeds a setting uses, from 0 on. With folds, one for each: a second partition under one interval
 * would count every image twice, and folds counted twice would weigh more.
 */
export function settingSeeds({ seeds }: Pick<Plan, 'seeds'>, { folds }: PlanSetting): number {
  return Math.min(seeds, folds ?? seeds);
}

/** All tasks, each once; those of a setting together, so that a process loads its features once. */
export function planTasks(plan: Plan): Task[] {
  const tasks = new Map<string, Task>();
  for (const setting of plan.settings) {
    for (const planned of plannedExperiments(plan)) {
      if (!experimentSettings(plan, planned).includes(setting)) continue;
      for (const { variant } of planned.rows) {
        for (let seed = 0; seed < settingSeeds(plan, setting); seed++) {
          const name = taskName(setting.name, variant.name, seed);
          if (!tasks.has(name)) tasks.set(name, { name, setting, variant, seed });
        }
      }
    }
  }
  return [...tasks.values()];
}

export function taskName(setting: string, variant: string, seed: number): string {
  return `${setting}.${variant}.seed${seed}`;
}

/** The options of a task's trainings: the preset's with those of the plan and `own`. */
export function taskOptions({ configuration }: Plan, { seed }: Task, own: Partial<TuningOptions>): TuningOptions {
  const { preset, epochs, batchSize, initNoise } = configuration;
  return tuningOptions(preset, {
    ...(epochs !== null && { epochs }),
    ...(batchSize !== null && { batchSize }),
    initNoise,
    ...own,
    seed,
  });
}

/**
 * A plan that combines both: the experiments and settings of either, and the larger number of seeds. Throws InputError, naming `path`,
 * if their results cannot share a folder.
 */
export function joinPlans(before: Plan, now: Plan, path: string): Plan {
  for (const [key, value] of Object.entries(now.configuration)) {
    const found: unknown = Reflect.get(before.configuration, key);
    if (identity(found) === identity(value)) continue;
    throw new InputError(
      `${path}: a plan with another ${key} (${JSON.stringify(found)}, now ${JSON.stringify(value)}); choose another folder`,
    );
  }
  const encoders = [...before.encoders];
  for (const encoder of now.encoders) {
    const place = encoders.findIndex(({ name }) => name === encoder.name);
    const known = encoders[place];
    if (!known) encoders.push(encoder);
    else if (known.sha256 === encoder.sha256) encoders[place] = encoder;
    else {
      throw new InputError(
        `${path}: a plan with another ${encoder.architecture} (${known.path}, now ${encoder.path}); choose another folder`,
      );
    }
  }
  const settings = [...before.settings];
  for (const setting of now.settings) {
    const known = settings.find(({ name }) => name === setting.name);
    if (!known) settings.push(setting);
    else if (known.root !== setting.root) {
      throw new InputError(
        `${path}: a plan with ${known.label} at ${known.root}, now ${setting.root}; choose another folder`,
      );
    }
  }
  return {
    ...now,
    encoders: inTableOrder(encoders),
    experiments: EXPERIMENTS.filter((name) => before.experiments.includes(name) || now.experiments.includes(name)),
    settings,
    seeds: Math.max(before.seeds, now.seeds),
  };
}

/** Weights are the same wherever they are stored. */
function identity(value: unknown): string {
  const hash = typeof value === 'object' && value !== null ? (Reflect.get(value, 'sha256') as unknown) : undefined;
  return JSON.stringify(hash ?? value);
}
