/** Metrics other than accuracy. */
import { type Confusion, type ConfusionMatrix, classCounts } from './confusion.js';

/** A bin of predicted probabilities: number of images, mean probability, and accuracy. */
export interface CalibrationBin {
  count: number;
  confidence: number;
  accuracy: number;
}

const CALIBRATION_BINS = 15;

/** Metrics of one class, in [0, 1]; null if undefined. */
export interface ClassMetrics {
  /** Fraction of the images predicted as the class that belong to it. */
  precision: number | null;
  /** Fraction of the class's images that are predicted as such: the class's accuracy. */
  recall: number | null;
  /** Harmonic mean of both; null for a class that is neither a label nor a prediction. */
  f1: number | null;
}

/** Precision, recall and F1 of each class. Of pairs, the time is linear in their number and that of the classes. */
export function classMetrics(confusion: Confusion): ClassMetrics[] {
  const { actual, predicted, right } = classCounts(confusion);
  const share = (part: number, whole: number) => (whole === 0 ? null : part / whole);
  return Array.from(right, (both, c) => ({
    precision: share(both, predicted[c]!),
    recall: share(both, actual[c]!),
    f1: share(2 * both, actual[c]! + predicted[c]!),
  }));
}

/** Indices of the classes without images, for which nothing was measured. */
export function classesWithoutImages(confusion: Confusion): number[] {
  return [...classCounts(confusion).actual].flatMap((images, c) => (images === 0 ? [c] : []));
}

/** Each row divided by its sum; rows of zeros are unchanged. */
export function rowShares(confusion: ConfusionMatrix): number[][] {
  return confusion.map((row) => {
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((count) => (sum === 0 ? 0 : count / sum));
  });
}

/**
 * Mean recall of the classes that have images, so that each class counts the same however many images it has (Brodersen et al., *The balanced
 * accuracy and its posterior distribution*, ICPR 2010).
 */
export function balancedAccuracy(confusion: Confusion): number {
  return meanOf(classMetrics(confusion).map(({ recall }) => recall));
}

/** Mean F1 of the classes that occur as label or prediction; a class that is only predicted has an F1 of 0. */
export function macroF1(confusion: Confusion): number {
  return meanOf(classMetrics(confusion).map(({ f1 }) => f1));
}

/** Mean of the values that are not null. */
export function meanOf(values: readonly (number | null)[]): number {
  const known = values.filter((value) => value !== null);
  return known.reduce((a, b) => a + b, 0) / known.length;
}

/** The nonempty bins, in order, of 15 bins of equal width. labels [count]. */
export function calibration(
  { predicted, probabilities }: { predicted: Int32Array; probabilities: Float32Array },
  labels: Int32Array,
): CalibrationBin[] {
  const classes = probabilities.length / labels.length;
  const bins = new CalibrationCounter();
  labels.forEach((label, i) => {
    bins.add(probabilities[i * classes + predicted[i]!]!, predicted[i] === label);
  });
  return bins.bins();
}

/** Fills the bins one prediction after the other. */
export class CalibrationCounter {
  readonly #bins = Array.from({ length: CALIBRATION_BINS }, () => ({ count: 0, confidence: 0, accuracy: 0 }));

  add(confidence: number, isRight: boolean): void {
    const bin = this.#bins[binOf(confidence)]!;
    bin.count++;
    bin.confidence += confidence;
    bin.accuracy += Number(isRight);
  }

  /** The nonempty ones, in order. */
  bins(): CalibrationBin[] {
    return this.#bins
      .filter(({ count }) => count > 0)
      .map(({ count, confidence, accuracy }) => ({
        count,
        confidence: confidence / count,
        accuracy: accuracy / count,
      }));
  }
}

/** Pools the bins of several sets of predictions. */
export function pooledCalibration(sets: readonly (readonly CalibrationBin[])[]): CalibrationBin[] {
  const pooled = new Map<number, CalibrationBin>();
  for (const { count, confidence, accuracy } of sets.flat()) {
    // A bin contains its mean probability.
    const at = binOf(confidence);
    const before = pooled.get(at) ?? { count: 0, confidence: 0, accuracy: 0 };
    const total = before.count + count;
    const mean = (a: number, b: number) => (a * before.count + b * count) / total;
    const merged = { confidence: mean(before.confidence, confidence), accuracy: mean(before.accuracy, accuracy) };
    pooled.set(at, { count: total, ...merged });
  }
  return [...pooled].sort(([a], [b]) => a - b).map(([, bin]) => bin);
}

/** (0, 1/15], (1/15, 2/15], ... */
function binOf(confidence: number): number {
  return Math.max(0, Math.ceil(confidence * CALIBRATION_BINS) - 1);
}

/** Expected calibration error (Guo et al., 2017): mean over images of their bin's |probability - accuracy|. */
export function expectedCalibrationError(bins: readonly CalibrationBin[]): number {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  return bins.reduce(
    (sum, { count, confidence, accuracy }) => sum + (count / total) * Math.abs(accuracy - confidence),
    0,
  );
}

/** The 97.5 % quantile of the normal distribution, for 95 % intervals. */
export const Z_95 = 1.959963984540054;

/**
 * The 95 % score interval of a proportion measured on `count` images: Wilson, *Probable inference, the law of succession, and
 * statistical inference*, JASA 22 (1927), recommended by Brown, Cai and DasGupta (*Interval estimation for a binomial proportion*,
 * Statistical Science 16, 2001). It lies within [0, 1] and is also valid for proportions of 0 and 1. `count` need not be an integer.
 */
export function wilsonInterval(share: number, count: number): [low: number, high: number] {
  const shrink = 1 + Z_95 ** 2 / count;
  const middle = (share + Z_95 ** 2 / (2 * count)) / shrink;
  const half = (Z_95 / shrink) * Math.sqrt((share * (1 - share)) / count + Z_95 ** 2 / (4 * count ** 2));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
