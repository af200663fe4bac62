/** Measures of predictions beside accuracy. */
import type { Evaluation } from '../evaluate.js';

/** Images whose predicted probability falls into one bin: how many, their mean probability, and the share that is right. */
export interface CalibrationBin {
  count: number;
  confidence: number;
  accuracy: number;
}

const CALIBRATION_BINS = 15;

/** Mean F1 of the classes that occur as truth or as prediction. */
export function macroF1(confusion: readonly (readonly number[])[]): number {
  const scores = confusion.flatMap((row, c) => {
    const actual = row.reduce((a, b) => a + b, 0);
    const predicted = confusion.reduce((sum, other) => sum + other[c]!, 0);
    return actual + predicted === 0 ? [] : [(2 * row[c]!) / (actual + predicted)];
  });
  return scores.reduce((a, b) => a + b, 0) / scores.length;
}

/** The bins that hold images, in order: 15 of equal width. labels [count]. */
export function calibration(
  { predicted, probabilities }: Pick<Evaluation, 'predicted' | 'probabilities'>,
  labels: Int32Array,
): CalibrationBin[] {
  const classes = probabilities.length / labels.length;
  const bins = Array.from({ length: CALIBRATION_BINS }, () => ({ count: 0, confidence: 0, accuracy: 0 }));
  labels.forEach((label, i) => {
    const confidence = probabilities[i * classes + predicted[i]!]!;
    // (0, 1/15], (1/15, 2/15], ...
    const bin = bins[Math.max(0, Math.ceil(confidence * CALIBRATION_BINS) - 1)]!;
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

/** Expected calibration error (Guo et al., 2017): the bins' distance of probability and accuracy, weighted by their images. */
export function expectedCalibrationError(bins: readonly CalibrationBin[]): number {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  return bins.reduce(
    (sum, { count, confidence, accuracy }) => sum + (count / total) * Math.abs(accuracy - confidence),
    0,
  );
}
