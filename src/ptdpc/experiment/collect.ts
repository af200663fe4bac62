/** The results of an experiment from those of its tasks. */
import { ConfusionCounter, type ConfusionPairs } from '../confusion.js';
import { type Experiment, quotedRows } from './experiments.js';
import { PAPER_SETTINGS, PAPER_SOURCE, paperFigure } from './paper-tables.js';
import { experimentSettings, type Plan, type PlanSetting, settingSeeds, taskName } from './plan.js';
import {
  type CaseResult,
  type CellResult,
  type ExperimentResults,
  RESULTS_FORMAT,
  SEED_EFFECTS,
  type SeedEffect,
  type SeedResult,
  type SettingResult,
  type SkippedFile,
  type SpreadResult,
  type TaskResult,
} from './results.js';
import { accuracyInterval, sampleStd, summarize } from './statistics.js';
import { baseName, type VariantWork } from './variants.js';

/** Merges the results so far; seeds without a result are listed as missing. `results` is keyed by task name. */
export function collectExperiment(
  plan: Plan,
  planned: Experiment,
  results: ReadonlyMap<string, TaskResult>,
): ExperimentResults {
  const { configuration } = plan;
  const settings = experimentSettings(plan, planned);
  const cells = planned.rows.flatMap((row) => settings.map((setting) => collectCell(plan, row, setting, results)));
  const names = settings.map(({ name }) => name);
  const { epochs, batchSize, initNoise } = configuration;
  const comparable = names.some((name) => (PAPER_SETTINGS as readonly string[]).includes(name));
  const used = cells.flatMap(({ seeds }) => seeds);
  return {
    format: RESULTS_FORMAT,
    experiment: planned.name,
    title: planned.title,
    source: comparable ? PAPER_SOURCE : null,
    demonstration: configuration.demonstration,
    made: {
      program: plan.program,
      preset: configuration.preset,
      changes: { epochs, batchSize, initNoise },
      model: { name: baseName(configuration.model.directory), sha256: configuration.model.sha256 },
      seeds: Array.from({ length: plan.seeds }, (_, seed) => seed),
      devices: [...new Set(used.map(({ device }) => device))].sort(),
    },
    settings: settings.map((setting) => settingResult(setting, results)),
    variants: planned.rows.map(({ variant: { work: _, ...facts } }) => facts),
    cells,
    quoted: comparable ? quotedRows(planned, names) : [],
    spread: planned.name === 'table3' ? settings.map((setting) => spreadOf(planned, setting, cells)) : [],
    cases: planned.name === 'figure5' ? settings.flatMap((setting) => casesOf(plan, planned, setting, results)) : [],
  };
}

function collectCell(
  plan: Plan,
  { variant, paper }: Experiment['rows'][number],
  setting: PlanSetting,
  results: ReadonlyMap<string, TaskResult>,
): CellResult {
  const seeds: SeedResult[] = [];
  const missing: number[] = [];
  for (let seed = 0; seed < settingSeeds(plan, setting); seed++) {
    const found = results.get(taskName(setting.name, variant.name, seed));
    if (found) seeds.push(found.result);
    else missing.push(seed);
  }
  const summary = (value: (seed: SeedResult) => number) => (seeds.length === 0 ? null : summarize(seeds.map(value)));
  const accuracy = summary((seed) => seed.accuracy);
  const figure = (paper && paperFigure(paper, setting.name)) ?? null;
  return {
    setting: setting.name,
    variant: variant.name,
    seeds,
    missing,
    varies: seedEffects(variant.work, plan.configuration.initNoise, seeds),
    accuracy,
    accuracyInterval:
      seeds.length === 0
        ? null
        : accuracyInterval(
            seeds.map((seed) => seed.accuracy),
            testImages(seeds),
          ),
    macroF1: summary((seed) => seed.macroF1),
    calibrationError: summary((seed) => seed.calibrationError),
    perClassAccuracy: meanOfEach(seeds.map((seed) => seed.perClassAccuracy)),
    confusionPairs: addConfusions(seeds.map((seed) => seed.confusionPairs)),
    paper: figure,
    difference: accuracy === null || figure === null ? null : accuracy.mean - figure,
  };
}

/** What varies with the seeds of a cell; null if none is finished, or one does not record its split. */
function seedEffects(work: VariantWork, initNoise: number, seeds: readonly SeedResult[]): SeedEffect[] | null {
  const origins = seeds.flatMap(({ images }) => images?.origin ?? []);
  if (origins.length === 0 || origins.length < seeds.length) return null;
  const decided: Readonly<Record<SeedEffect, boolean>> = {
    order: work.kind !== 'zero-shot',
    start: work.kind === 'probe' || (work.kind === 'prompts' && initNoise > 0),
    'held-out': seeds.some(({ choice, images }) => choice.length > 0 && images?.val === null),
    split: origins.some(({ kind }) => kind === 'seeded'),
    fold: origins.some((origin) => 'fold' in origin),
  };
  return SEED_EFFECTS.filter((effect) => decided[effect]);
}

/** Distinct test images of all seeds. Drawn splits overlap by chance: they count as one split, so that no image counts twice. */
function testImages(seeds: readonly SeedResult[]): number {
  const counts = seeds.map(({ count }) => count);
  const folds = seeds.every(({ images }) => images !== null && 'fold' in images.origin);
  return folds ? counts.reduce((a, b) => a + b, 0) : Math.min(...counts);
}

/** Class words as its tasks used them; none before the first is done. */
function settingResult({ name, label, root }: PlanSetting, results: ReadonlyMap<string, TaskResult>): SettingResult {
  const done = [...results.values()].filter(({ setting }) => setting === name);
  const skipped = new Map<string, SkippedFile>();
  for (const { path, reason } of done.flatMap((task) => task.skipped)) skipped.set(path, { path, reason });
  const sorted = [...skipped.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const truncated = [...new Set(done.flatMap((task) => task.truncated.map(({ path }) => path)))].sort();
  return { name, label, root, classes: done[0]?.classes ?? [], skipped: sorted, truncated };
}

function spreadOf({ rows, spread }: Experiment, { name }: PlanSetting, cells: readonly CellResult[]): SpreadResult {
  const means = cells.filter(({ setting }) => setting === name).map(({ accuracy }) => accuracy?.mean);
  const known = means.filter((mean) => mean !== undefined);
  return {
    setting: name,
    std: known.length === rows.length ? sampleStd(known) : null,
    paper: (spread && paperFigure(spread, name)) ?? null,
    paperComputed: sampleStd(rows.flatMap(({ paper }) => (paper && paperFigure(paper, name)) ?? [])),
  };
}

/** The cases of the first finished seed. */
function casesOf(
  plan: Plan,
  { rows }: Experiment,
  { name }: PlanSetting,
  results: ReadonlyMap<string, TaskResult>,
): CaseResult[] {
  for (let seed = 0; seed < plan.seeds; seed++) {
    const found = results.get(taskName(name, rows[0]!.variant.name, seed));
    if (found) return [found.cases.right, found.cases.wrong].filter((one) => one !== null);
  }
  return [];
}

/** Of no classes if there are none. */
function addConfusions(confusions: readonly ConfusionPairs[]): ConfusionPairs {
  const counter = new ConfusionCounter(confusions[0]?.classes ?? 0);
  for (const [actual, predicted, images] of confusions.flatMap(({ pairs }) => pairs))
    counter.add(actual, predicted, images);
  return counter.pairs();
}

/** The mean at each index, over the lists that have a value there. */
function meanOfEach(lists: readonly (number | null)[][]): (number | null)[] {
  const [first = []] = lists;
  return first.map((_, i) => {
    const values = lists.map((list) => list[i] ?? null).filter((value) => value !== null);
    return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
  });
}
