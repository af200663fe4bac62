/**
 * The results of an experiment, as `<out>/<experiment>/results.json` has them: what the tables, the LaTeX and the report are made
 * from. Accuracies and other shares lie between 0 and 1. Values that do not exist are null, never absent.
 */
import type { ConfusionPairs } from '../confusion.js';
import type { Split, SplitOrigin } from '../datasets/index.js';
import type { RateChoice } from '../learning-rate.js';
import { PRESETS, type Preset } from '../options.js';
import type { Summary } from './statistics.js';

export const EXPERIMENTS = ['table1', 'table2', 'table3', 'table4', 'figure4', 'figure5'] as const;
export type ExperimentName = (typeof EXPERIMENTS)[number];

/** Increase it when the meaning of a field changes or a field is removed. */
export const RESULTS_FORMAT = 2;

export interface ExperimentResults {
  format: typeof RESULTS_FORMAT;
  experiment: ExperimentName;
  title: string;
  /** Source of the paper's values; null if there are none to compare with. */
  source: string | null;
  /** True for synthetic scenes and the demonstration model: no value is comparable with the paper's. */
  demonstration: boolean;
  made: ExperimentOrigin;
  /** The columns. */
  settings: SettingResult[];
  /** The rows that were computed, in order; `cells` has every pair of a variant and a setting. */
  variants: VariantResult[];
  cells: CellResult[];
  /** Rows that only the paper has, for comparison. */
  quoted: QuotedRow[];
  /** Table 3's last row: how far the templates differ; one for each setting, empty in other experiments. */
  spread: SpreadResult[];
  /** Figure 5's images; empty in other experiments. */
  cases: CaseResult[];
}

export interface ExperimentOrigin {
  program: string;
  preset: Preset;
  changes: PresetChanges;
  /** The name of its directory, and its weights. */
  model: { name: string; sha256: string };
  seeds: number[];
  /** Devices that computed a part of it, by description. */
  devices: string[];
}

/** What a plan replaces in a preset. */
export interface PresetChanges {
  /** Null keeps the preset's. */
  epochs: number | null;
  batchSize: number | null;
  /** Noise on the initial prompts, see `TuningOptions`. */
  initNoise: number;
}

/** `paper, 5 epochs (its own: 10), batches of 64`: the preset and the options that trainings differ in most. */
export function presetWords({ preset, changes }: Pick<ExperimentOrigin, 'preset' | 'changes'>): string {
  const own = PRESETS[preset];
  const epochs = changes.epochs ?? own.epochs;
  const changed = (value: number | null, usual: number) =>
    value === null || value === usual ? '' : ` (its own: ${usual})`;
  return [
    preset,
    `${epochs} epoch${epochs === 1 ? '' : 's'}${changed(changes.epochs, own.epochs)}`,
    `batches of ${changes.batchSize ?? own.batchSize}${changed(changes.batchSize, own.batchSize)}`,
    ...(changes.initNoise === 0 ? [] : [`noise of ${changes.initNoise} on the start`]),
  ].join(', ');
}

export interface SettingResult {
  /** `fi8`, or a demonstration's `scenes8`. */
  name: string;
  label: string;
  /** Folder of the data set. */
  root: string;
  /** Class words in the order of confusion matrices. */
  classes: string[];
  /** The images that could not be read and were left out by any task, sorted by path. */
  skipped: SkippedFile[];
  /** Paths of the images that were read from truncated files, relative to `root`, sorted. */
  truncated: string[];
}

/** An image that could not be read. */
export interface SkippedFile {
  /** Relative to the setting's `root`. */
  path: string;
  reason: string;
}

/**
 * What varies with the seed, so that results of several seeds differ: the order of the training images, the initial parameters (noise
 * on the prompts, a probe's weights), the tenth held out to choose the learning rate, which images are trained and tested on (a
 * drawn split), or which fold.
 */
export type SeedEffect = (typeof SEED_EFFECTS)[number];
export const SEED_EFFECTS = ['order', 'start', 'held-out', 'split', 'fold'] as const;

export interface VariantResult {
  name: string;
  label: string;
  /** What it is, in a sentence. */
  description: string;
  /** What must be said beside its figures, in sentences; null if nothing. */
  note: string | null;
}

export interface CellResult {
  setting: string;
  variant: string;
  /** The finished seeds, in order. */
  seeds: SeedResult[];
  /** Seeds without a result. */
  missing: number[];
  /** What varies with its seeds; empty if all give the same result, null if unknown. */
  varies: SeedEffect[] | null;
  /** Over the finished seeds; null if there is none. */
  accuracy: Summary | null;
  /**
   * 95 % interval of the accuracy on new images: it includes the sampling of the test images (Wilson's score interval) and the spread
   * between seeds, see `accuracyInterval`. Null if no seed is finished.
   */
  accuracyInterval: [number, number] | null;
  macroF1: Summary | null;
  calibrationError: Summary | null;
  /** Mean accuracy of each class over the seeds; null for a class without images. */
  perClassAccuracy: (number | null)[];
  /** Summed over the seeds; of no classes if none is finished. */
  confusionPairs: ConfusionPairs;
  /** The accuracy that the paper prints; null if it prints none. */
  paper: number | null;
  /** Mean accuracy minus the paper's; null where either is missing. */
  difference: number | null;
}

/** The result of one task: one variant, setting and seed. */
export interface SeedResult {
  seed: number;
  /** Name of the task: its runs are in `runs/<task>/` of the plan. */
  task: string;
  /** The rate that was used; null if nothing is trained. */
  learningRate: number | null;
  /** The rates that validation chose between, with their accuracies; empty if there was no choice. */
  choice: RateChoice[];
  /** Images evaluated. */
  count: number;
  /** Which images were used; null in older results, which do not record them. */
  images: SeedImages | null;
  accuracy: number;
  /** Mean cross-entropy of the plain logits. */
  loss: number;
  macroF1: number;
  /** Expected calibration error, 15 bins of equal width. */
  calibrationError: number;
  /** Reliability diagram: the non-empty bins. */
  calibration: { count: number; confidence: number; accuracy: number }[];
  perClassAccuracy: (number | null)[];
  confusionPairs: ConfusionPairs;
  device: string;
  seconds: number;
}

/** The images of one task. */
export interface SeedImages {
  origin: SplitOrigin;
  /** Images trained on; null if nothing is trained. */
  train: number | null;
  /** Images of the data set's own validation split; null if it has none, or nothing is trained. */
  val: number | null;
  /** Of each split, images that could not be read and were left out; they are not in the counts. */
  skipped: Record<Split, number>;
  /** Of each split, images that were read from truncated files; they are in the counts. */
  truncated: Record<Split, number>;
  /** Test images that are training images too, by the content of their files. */
  seen: number;
}

export interface QuotedRow {
  label: string;
  /** One for each setting; null if the paper has no value. */
  accuracies: (number | null)[];
}

export interface SpreadResult {
  setting: string;
  /** Sample standard deviation of the templates' mean accuracies; null for fewer than two. */
  std: number | null;
  /** As the paper prints it. */
  paper: number | null;
  /** The sample standard deviation of the values that the paper prints for the templates: what `paper` should be. */
  paperComputed: number | null;
}

/** One image of Figure 5. */
export interface CaseResult {
  setting: string;
  seed: number;
  /** `right`: the most confident correct prediction; `wrong`: the most confident mistake. */
  kind: 'right' | 'wrong';
  /** The image file, relative to the setting's `root`. */
  path: string;
  actual: string;
  predicted: string;
  /** Of the predicted class. */
  probability: number;
  /** In the order of the setting's classes. */
  probabilities: number[];
}

export interface TaskResult {
  task: string;
  setting: string;
  /** Class words. */
  classes: string[];
  result: SeedResult;
  /** The most confident right prediction and the most confident wrong one; null if there is none. */
  cases: { right: CaseResult | null; wrong: CaseResult | null };
  /** The images that could not be read and were left out. */
  skipped: (SkippedFile & { split: Split })[];
  /** The images that were read from truncated files; paths as in `skipped`. */
  truncated: { split: Split; path: string }[];
}
