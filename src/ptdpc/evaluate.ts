/** Evaluates logits: predicted classes, accuracy, confusion matrix and other metrics. */
import {
  type CalibrationBin,
  type ClassMetrics,
  calibration,
  classMetrics,
  expectedCalibrationError,
  macroF1,
} from './metrics.js';

/** Metrics of predictions for labelled images. Fractions are in [0, 1]. */
export interface Evaluation {
  count: number;
  accuracy: number;
  /** Mean cross-entropy of the plain logits. */
  loss: number;
  /** confusion[actual][predicted], counts. */
  confusion: number[][];
  /** Accuracy on each class's images; null for a class without images. */
  perClass: (number | null)[];
  /** Precision, recall (as `perClass`) and F1 of each class. */
  classes: ClassMetrics[];
  /** Mean F1 of the classes that occur. */
  macroF1: number;
  /** Reliability diagram: the nonempty bins of predicted probability. */
  calibration: CalibrationBin[];
  /** Expected calibration error, 15 bins of equal width (Guo et al., 2017). */
  calibrationError: number;
  /** Predicted class of each image. */
  predicted: Int32Array;
  /** [count, classes], softmax of the logits. */
  probabilities: Float32Array;
}

/** Evaluates logits [count, classes] against labels [count]. */
export function evaluate(logits: Float32Array, labels: Int32Array, classes: number): Evaluation {
  const count = labels.length;
  const probabilities = softmaxRows(logits, classes);
  const predicted = Int32Array.from(labels, (_, i) => argmax(logits.subarray(i * classes, (i + 1) * classes)));
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let loss = 0;
  labels.forEach((label, i) => {
    confusion[label]![predicted[i]!]!++;
    // From the logits, since the logarithm of a rounded probability could be infinite.
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

/** Index of the largest value; of equal ones, the first. */
export function argmax(row: Float32Array): number {
  let best = 0;
  for (let c = 1; c < row.length; c++) if (row[c]! > row[best]!) best = c;
  return best;
}
