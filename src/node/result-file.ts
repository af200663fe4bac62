/** The JSON file of a result, as it is read: of this format, and of earlier versions. */
import * as v from 'valibot';
import {
  type CalibrationBin,
  type ConfusionPairs,
  confusionPairs,
  DISTRIBUTION_MEASURE_NAMES,
  type DistributionScores,
  type MeanShares,
  type SplitOrigin,
  splitOriginSchema,
} from '../ptdpc/index.js';
import { finite, fromOne, isSquare, measures, share, text, whole } from '../ptdpc/parse-json.js';
import type { SkippedImage } from './image-files.js';
import type { MostConfident } from './prediction-table.js';
import type { SeenImages } from './run-images.js';

/** The contents of a result's JSON file, see docs/evaluation.md. What earlier versions did not write is null or empty. */
export interface ResultFile {
  dataset: string;
  setting: string | null;
  origin: SplitOrigin | null;
  /** Folder that the paths of the images are relative to. */
  data: string;
  split: string;
  /** `contentHash` of the images. */
  imagesSha256: string;
  /** Of the file of predictions. */
  predictionsSha256: string;
  device: string;
  epochs: number;
  seconds: number | null;
  seen: Pick<SeenImages, 'train' | 'val'> | null;
  classes: string[];
  count: number;
  accuracy: number;
  loss: number;
  macroF1: number;
  calibrationError: number;
  distribution: DistributionScores | null;
  meanShares: MeanShares | null;
  calibration: CalibrationBin[];
  perClassAccuracy: (number | null)[];
  /** Earlier versions wrote the square matrix only. */
  confusionPairs: ConfusionPairs;
  mostConfident: MostConfident;
  skipped: SkippedImage[];
  truncated: string[];
}

const confidentPrediction = v.object({
  path: text,
  actual: text,
  predicted: text,
  probability: share,
  probabilities: v.array(share),
});

const distributionScores: v.GenericSchema<unknown, DistributionScores> = v.object(
  v.entriesFromList(DISTRIBUTION_MEASURE_NAMES, finite),
);

export const resultSchema: v.GenericSchema<unknown, ResultFile> = v.pipe(
  v.object({
    dataset: text,
    setting: v.optional(v.nullable(text), null),
    origin: v.optional(v.nullable(splitOriginSchema), null),
    data: text,
    split: text,
    imagesSha256: text,
    predictionsSha256: text,
    device: text,
    epochs: whole,
    seconds: v.optional(v.nullable(finite), null),
    seen: v.optional(v.nullable(v.object({ train: whole, val: whole })), null),
    classes: v.pipe(v.array(text), v.minLength(1)),
    count: fromOne,
    ...measures,
    // Null without votes, and in files of earlier versions.
    distribution: v.optional(v.nullable(distributionScores), null),
    meanShares: v.optional(v.nullable(v.object({ votes: v.array(share), predicted: v.array(share) })), null),
    confusion: v.optional(v.array(v.array(whole))),
    confusionPairs: v.optional(v.array(v.strictTuple([whole, whole, fromOne]))),
    mostConfident: v.optional(
      v.object({ right: v.nullable(confidentPrediction), wrong: v.nullable(confidentPrediction) }),
      { right: null, wrong: null },
    ),
    skipped: v.optional(v.array(v.object({ path: text, reason: text })), []),
    truncated: v.optional(v.array(text), []),
  }),
  v.check(
    ({ classes: { length }, confusion, confusionPairs: pairs }) =>
      (confusion === undefined ? pairs !== undefined : isSquare(confusion, length)) &&
      (pairs ?? []).every(([actual, predicted]) => actual < length && predicted < length),
  ),
  v.check(({ classes, perClassAccuracy }) => perClassAccuracy.length === classes.length),
  v.check(
    ({ classes: { length }, meanShares }) =>
      meanShares === null || (meanShares.votes.length === length && meanShares.predicted.length === length),
  ),
  v.check(({ classes, mostConfident: { right, wrong } }) =>
    [right, wrong].every((one) => one === null || one.probabilities.length === classes.length),
  ),
  v.transform(({ confusion, confusionPairs: pairs, ...result }) => ({
    ...result,
    confusionPairs: pairs ? { classes: result.classes.length, pairs } : confusionPairs(confusion ?? []),
  })),
);
