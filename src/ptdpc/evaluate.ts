/** Evaluates logits: predicted classes, accuracy, confusion and other metrics. */
import { ConfusionCounter, type ConfusionPairs, confusionMatrix } from './confusion.js';
import { type DistributionScores, DistributionTally, type MeanShares } from './label-distributions.js';
import {
  type CalibrationBin,
  CalibrationCounter,
  type ClassMetrics,
  classMetrics,
  expectedCalibrationError,
  meanOf,
} from './metrics.js';

/** Metrics of predictions for labelled images. Fractions are in [0, 1]. */
export interface Evaluation {
  count: number;
  accuracy: number;
  /** Mean cross-entropy of the plain logits. */
  loss: number;
  /** The pairs of actual and predicted class that occur. */
  confusionPairs: ConfusionPairs;
  /** confusion[actual][predicted], counts: made of the pairs when it is asked for, since it has as many cells as the square of the classes. */
  readonly confusion: number[][];
  /** Accuracy on each class's images; null for a class without images. */
  perClass: (number | null)[];
  /** Precision, recall (as `perClass`) and F1 of each class. */
  classes: ClassMetrics[];
  /** Mean of `perClass` over the classes that have images. */
  balancedAccuracy: number;
  /** Mean F1 of the classes that occur. */
  macroF1: number;
  /** Reliability diagram: the nonempty bins of predicted probability. */
  calibration: CalibrationBin[];
  /** Expected calibration error, 15 bins of equal width (Guo et al., 2017). */
  calibrationError: number;
  /** How far the probabilities are from the votes, means over the images; null for images without votes. */
  distribution: DistributionScores | null;
  /** The mean of the votes' distributions, and of the probabilities; null for images without votes. */
  meanShares: MeanShares | null;
  /** Predicted class of each image. */
  predicted: Int32Array;
  /** [count, classes], softmax of the logits. */
  probabilities: Float32Array;
}

/** All but what grows with images times classes. */
export type EvaluationMetrics = Omit<Evaluation, 'probabilities'>;

/** Evaluates logits [count, classes] against labels [count], and against the distributions of votes [count, classes] if there are any. */
export function evaluate(
  logits: Float32Array,
  labels: Int32Array,
  classes: number,
  votes?: Float32Array | undefined,
): Evaluation {
  const tally = new EvaluationTally(classes);
  const { probabilities } = tally.add(logits, labels, votes);
  // Not by spreading, which would ask for the matrix.
  return Object.assign(tally.metrics(), { probabilities });
}

/** What was predicted for some images. */
export interface PredictedRows {
  /** [images] */
  readonly predicted: Int32Array;
  /** [images, classes], softmax of the logits. */
  readonly probabilities: Float32Array;
}

/** Evaluates images block by block; between blocks it holds a number for each image. */
export class EvaluationTally {
  readonly #confusion: ConfusionCounter;
  readonly #calibration = new CalibrationCounter();
  readonly #distribution = new DistributionTally();
  readonly #predicted: Int32Array[] = [];
  #count = 0;
  #right = 0;
  #loss = 0;

  constructor(private readonly classes: number) {
    this.#confusion = new ConfusionCounter(classes);
  }

  /** Logits [images, classes] of the next images, their labels [images], and their distributions [images, classes] if they have any. */
  add(logits: Float32Array, labels: Int32Array, votes?: Float32Array | undefined): PredictedRows {
    const { classes } = this;
    const probabilities = new Float32Array(logits.length);
    const predicted = new Int32Array(labels.length);
    const exps = new Float64Array(classes);
    labels.forEach((label, i) => {
      const row = logits.subarray(i * classes, (i + 1) * classes);
      const guess = argmax(row);
      predicted[i] = guess;
      // From the logits, since the logarithm of a rounded probability could be infinite.
      const { max, sum } = softmaxInto(row, exps, probabilities.subarray(i * classes, (i + 1) * classes));
      const logSum = max + Math.log(sum);
      this.#loss += logSum - row[label]!;
      if (votes) {
        // In float64, where `probabilities` are rounded.
        const own = votes.subarray(i * classes, (i + 1) * classes);
        const logs = Float64Array.from(row, (x) => x - logSum);
        this.#distribution.add(own, logs.map(Math.exp), logs);
      }
      this.#right += Number(guess === label);
      this.#confusion.add(label, guess);
      this.#calibration.add(probabilities[i * classes + guess]!, guess === label);
    });
    this.#count += labels.length;
    this.#predicted.push(predicted);
    return { predicted, probabilities };
  }

  /** Of all images so far. */
  metrics(): EvaluationMetrics {
    const count = this.#count;
    const pairs = this.#confusion.pairs();
    const classes = classMetrics(pairs);
    const bins = this.#calibration.bins();
    let matrix: number[][] | undefined;
    return {
      count,
      accuracy: this.#right / count,
      loss: this.#loss / count,
      confusionPairs: pairs,
      get confusion() {
        matrix ??= confusionMatrix(pairs);
        return matrix;
      },
      perClass: classes.map(({ recall }) => recall),
      classes,
      balancedAccuracy: meanOf(classes.map(({ recall }) => recall)),
      macroF1: meanOf(classes.map(({ f1 }) => f1)),
      calibration: bins,
      calibrationError: expectedCalibrationError(bins),
      distribution: this.#distribution.means(),
      meanShares: this.#distribution.shares(),
      predicted: joined(this.#predicted, count),
    };
  }
}

function joined(parts: readonly Int32Array[], length: number): Int32Array {
  const whole = new Int32Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Softmax of each row of [rows, columns]. */
export function softmaxRows(logits: Float32Array, columns: number): Float32Array {
  const out = new Float32Array(logits.length);
  const exps = new Float64Array(columns);
  for (let at = 0; at < logits.length; at += columns)
    softmaxInto(logits.subarray(at, at + columns), exps, out.subarray(at, at + columns));
  return out;
}

/** Writes the softmax of a row into `out`; `exps` is room for as many numbers. `sum`: of exp(x - max). */
function softmaxInto(row: Float32Array, exps: Float64Array, out: Float32Array): { max: number; sum: number } {
  let max = Number.NEGATIVE_INFINITY;
  for (const x of row) max = Math.max(max, x);
  let sum = 0;
  for (let c = 0; c < row.length; c++) {
    exps[c] = Math.exp(row[c]! - max);
    sum += exps[c]!;
  }
  for (let c = 0; c < row.length; c++) out[c] = exps[c]! / sum;
  return { max, sum };
}

/** Index of the largest value; of equal ones, the first. */
export function argmax(row: Float32Array): number {
  let best = 0;
  for (let c = 1; c < row.length; c++) if (row[c]! > row[best]!) best = c;
  return best;
}
