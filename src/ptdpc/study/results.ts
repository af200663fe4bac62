/**
 * What a study found: learners beside one another, over data sets, numbers of training images per class, and seeds. Means, intervals and
 * tests are computed from this and nothing else. Shares and accuracies lie in [0, 1]; values that do not exist are null, never absent.
 */
import type { DistributionScores } from '../label-distributions.js';

/** Increase it when the meaning of a field changes or a field is removed. */
export const STUDY_RESULTS_FORMAT = 1;

export interface StudyResults {
  format: typeof STUDY_RESULTS_FORMAT;
  title: string;
  /** True for drawn scenes and the demonstration model: no value is comparable with a published one. */
  demonstration: boolean;
  made: {
    /** Version of the program. */
    program: string;
    /** The name of its directory, and its weights. */
    model: { name: string; sha256: string };
    /** Devices that computed a part of it, by description. */
    devices: string[];
    seeds: number[];
  };
  datasets: StudyDatasetResult[];
  /** Images per class that are learned from; null: all. In the order of the file. */
  shots: (number | null)[];
  rows: StudyRowResult[];
  /** One for every data set, number of shots and row, in that order. A row that learns nothing has the same seeds at every number of shots. */
  cells: StudyCell[];
}

export interface StudyDatasetResult {
  /** A plain name, unique in the study. */
  name: string;
  label: string;
  /** Class words; empty before the first task is done. */
  classes: string[];
}

/** A learner with its options. */
export interface StudyRowResult {
  /** A plain name, unique in the study. */
  name: string;
  label: string;
  /** A learner's name, `zero-shot` or `probe`. */
  learner: string;
  /** What it learns, in one sentence. */
  learns: string;
  /** Null for zero-shot and the linear probe. */
  paper: { text: string; url: string } | null;
  /** As the study's file has them: those that differ from the published ones. */
  options: Record<string, unknown>;
}

export interface StudyCell {
  dataset: string;
  row: string;
  shots: number | null;
  /** The finished seeds, in order. */
  seeds: StudySeed[];
  /** Seeds without a result. */
  missing: number[];
}

export interface StudySeed {
  seed: number;
  /** Name of the task: its runs are in `runs/<task>/` of the study. */
  task: string;
  device: string;
  /** Test images. */
  count: number;
  accuracy: number;
  /** Mean accuracy of the classes that have test images. */
  balancedAccuracy: number;
  macroF1: number;
  /** Mean cross-entropy of the plain logits. */
  loss: number;
  /** Expected calibration error, 15 bins of equal width. */
  calibrationError: number;
  /** Where images have votes. */
  distribution: DistributionScores | null;
  /** Images learned from; 0 if nothing is learned. */
  train: number;
  /** Images of the validation split; null if there is none, or nothing is learned. */
  val: number | null;
  /** Of the contents of the test images in their order: results of the same images can be paired. */
  imagesSha256: string;
  /** Per test image, in the order of the result: '1' if it is classified rightly, else '0'. */
  correct: string;
  cost: StudyCost;
  /**
   * What choosing on the test images would have given, over the candidates (epochs, learning rates, constants) that validation or the last
   * epoch chose from. Null if there was nothing to choose, or it was not measured.
   */
  onTest: { candidates: number; accuracy: number } | null;
}

export interface StudyCost {
  /** Of the training itself, without the encoding of images; 0 if nothing is learned. */
  seconds: number;
  /** Arithmetic of the training; null if unknown. */
  flops: number | null;
  /** Learned numbers. */
  parameters: number;
  /** Most bytes allocated on the device beside the weights while training; 0 if nothing is learned. */
  peakBytes: number;
}
