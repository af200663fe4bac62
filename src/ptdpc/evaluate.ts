/** Metrics of predictions: accuracy, confusion, and the class of each image. */
import {
  type CalibrationBin,
  type ClassMetrics,
  calibration,
  classMetrics,
  expectedCalibrationError,
  macroF1,
} from './metrics.js';

/** Metrics of predictions for labelled images. Shares lie between 0 and 1. */
export interface Evaluation {
  count: number;
  accuracy: number;
  /** Mean cross-entropy of the plain logits. */
  loss: number;
  /** confusion[actual][predicted], counts. */
  confusion: number[][];
  /** Of each class's images, the share that was recognised; null for a class without images. */
  perClass: (number | null)[];
  /** Precision, recall (as `perClass`) and F1 of each class. */
  classes: ClassMetrics[];
  /** Mean F1 of the classes that occur. */
  macroF1: number;
  /** Reliability diagram: the bins of predicted probability that hold images. */
  calibration: CalibrationBin[];
  /** Expected calibration error, 15 bins of equal width (Guo et al., 2017). */
  calibrationError: number;
  /** Predicted class of each image. */
  predicted: Int32Array;
  /** [count, classes], softmax of the logits. */
  probabilities: Float32Array;
}

/** logits [count, classes], labels [count]. */
export function evaluate(logits: Float32Array, labels: Int32Array, classes: number): Evaluation {
  const count = labels.length;
  const probabilities = softmaxRows(logits, classes);
  const predicted = Int32Array.from(labels, (_, i) => argmax(logits.subarray(i * classes, (i + 1) * classes)));
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let loss = 0;
  labels.forEach((label, i) => {
    confusion[label]![predicted[i]!]!++;
    // From the logits, not the rounded probabilities, whose logarithm could be infinite.
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const max = row.reduce((a, b) => Math.max(a, b));
    const sum = row.reduce((total, x) => total + Math.exp(x - max), 0);
    loss += (max + Math.log(sum) - row[label]!) / count;
  });
  const correct = confusion.reduce((sum, row, c) => sum + row[c]!, 0);
  const metrics = classMetrics(confusion);
  const bins = calibration({ predicted, probabilities }, labels);
  return {
    count,
    accuracy: correct / count,
    loss,
    confusion,
    perClass: metrics.map(({ recall }) => recall),
    classes: metrics,
    macroF1: macroF1(confusion),
    calibration: bins,
    calibrationError: expectedCalibrationError(bins),
    predicted,
    probabilities,
  };
}

/** Softmax of each row of [rows, columns]. */
export function softmaxRows(logits: Float32Array, columns: number): Float32Array {
  const out = new Float32Array(logits.length);
  for (let at = 0; at < logits.length; at += columns) {
    const row = logits.subarray(at, at + columns);
    const max = row.reduce((a, b) => Math.max(a, b));
    const exps = Array.from(row, (x) => Math.exp(x - max));
    const sum = exps.reduce((a, b) => a + b, 0);
    out.set(
      exps.map((x) => x / sum),
      at,
    );
  }
  return out;
}

/** Position of the largest value, the first of equals. */
export function argmax(row: Float32Array): number {
  let best = 0;
  for (let c = 1; c < row.length; c++) if (row[c]! > row[best]!) best = c;
  return best;
}
