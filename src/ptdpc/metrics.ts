/** Measures of predictions beside accuracy. */

/** Images whose predicted probability falls into one bin: how many, their mean probability, and the share that is right. */
export interface CalibrationBin {
  count: number;
  confidence: number;
  accuracy: number;
}

const CALIBRATION_BINS = 15;

/** Of one class: in [0, 1]; null if undefined. */
export interface ClassMetrics {
  /** Of the images predicted as the class, the share that is. */
  precision: number | null;
  /** Of the images of the class, the share that was recognised: the class's accuracy. */
  recall: number | null;
  /** Harmonic mean of both; null for a class that occurs neither as truth nor as prediction. */
  f1: number | null;
}

/** Precision, recall and F1 of each class, from confusion[actual][predicted]. */
export function classMetrics(confusion: readonly (readonly number[])[]): ClassMetrics[] {
  return confusion.map((row, c) => {
    const right = row[c]!;
    const actual = row.reduce((a, b) => a + b, 0);
    const predicted = confusion.reduce((sum, other) => sum + other[c]!, 0);
    const share = (part: number, whole: number) => (whole === 0 ? null : part / whole);
    return {
      precision: share(right, predicted),
      recall: share(right, actual),
      f1: share(2 * right, actual + predicted),
    };
  });
}

/** The classes that no image is of, by their place: nothing was measured on them. */
export function classesWithoutImages(confusion: readonly (readonly number[])[]): number[] {
  return confusion.flatMap((row, c) => (row.every((count) => count === 0) ? [c] : []));
}

/** Each row divided by its sum; a row of zeros stays so. */
export function rowShares(confusion: readonly (readonly number[])[]): number[][] {
  return confusion.map((row) => {
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((count) => (sum === 0 ? 0 : count / sum));
  });
}

/** Mean F1 of the classes that occur as truth or as prediction; a class that is only predicted has an F1 of 0. */
export function macroF1(confusion: readonly (readonly number[])[]): number {
  const scores = classMetrics(confusion).flatMap(({ f1 }) => (f1 === null ? [] : [f1]));
  return scores.reduce((a, b) => a + b, 0) / scores.length;
}

/** The bins that hold images, in order: 15 of equal width. labels [count]. */
export function calibration(
  { predicted, probabilities }: { predicted: Int32Array; probabilities: Float32Array },
  labels: Int32Array,
): CalibrationBin[] {
  const classes = probabilities.length / labels.length;
  const bins = Array.from({ length: CALIBRATION_BINS }, () => ({ count: 0, confidence: 0, accuracy: 0 }));
  labels.forEach((label, i) => {
    const confidence = probabilities[i * classes + predicted[i]!]!;
    const bin = bins[binOf(confidence)]!;
    bin.count++;
    bin.confidence += confidence;
    bin.accuracy += Number(predicted[i] === label);
  });
  return bins
    .filter(({ count }) => count > 0)
    .map(({ count, confidence, accuracy }) => ({
      count,
      confidence: confidence / count,
      accuracy: accuracy / count,
    }));
}

/** The bins of several sets of predictions in one: the bins of all predictions together. */
export function pooledCalibration(sets: readonly (readonly CalibrationBin[])[]): CalibrationBin[] {
  const pooled = new Map<number, CalibrationBin>();
  for (const { count, confidence, accuracy } of sets.flat()) {
    // A bin's mean probability lies in it.
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

/** Expected calibration error (Guo et al., 2017): the bins' distance of probability and accuracy, weighted by their images. */
export function expectedCalibrationError(bins: readonly CalibrationBin[]): number {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  return bins.reduce(
    (sum, { count, confidence, accuracy }) => sum + (count / total) * Math.abs(accuracy - confidence),
    0,
  );
}

/** The 97.5 % point of the normal distribution: what 95 % intervals take. */
export const Z_95 = 1.959963984540054;

/**
 * The 95 % score interval of a share that was found in `count` images: Wilson, *Probable inference, the law of succession, and
 * statistical inference*, JASA 22 (1927), which Brown, Cai and DasGupta recommend (*Interval estimation for a binomial proportion*,
 * Statistical Science 16, 2001). It lies within [0, 1] and is of use for shares of 0 and 1 too. `count` need not be whole.
 */
export function wilsonInterval(share: number, count: number): [low: number, high: number] {
  const shrink = 1 + Z_95 ** 2 / count;
  const middle = (share + Z_95 ** 2 / (2 * count)) / shrink;
  const half = (Z_95 / shrink) * Math.sqrt((share * (1 - share)) / count + Z_95 ** 2 / (4 * count ** 2));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}
