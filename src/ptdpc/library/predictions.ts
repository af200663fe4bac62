/** A classifier's predictions for images. */
import { argmax, softmaxRows } from '../evaluate.js';

/** Logits and what is computed from them. With labels, `evaluate(logits, labels, classes.length)` computes their metrics. */
export interface Predictions {
  /** Class words, in the order of columns. */
  readonly classes: readonly string[];
  /** [images, classes]. */
  readonly logits: Float32Array;
  /** [images, classes], the softmax of each row. */
  readonly probabilities: Float32Array;
  /** The most probable class of each image, as its index in `classes`; [images]. */
  readonly predicted: Int32Array;
}

/** Predictions from logits [images, classes]. */
export function predictionsOf(classes: readonly string[], logits: Float32Array): Predictions {
  const columns = classes.length;
  const predicted = Int32Array.from({ length: logits.length / columns }, (_, i) =>
    argmax(logits.subarray(i * columns, (i + 1) * columns)),
  );
  return { classes, logits, probabilities: softmaxRows(logits, columns), predicted };
}

/**
 * Dot products of each row of `a` [m, width] with each row of `b` [n, width], on the host: [m, n]. Of normalised features these are
 * cosines.
 */
export function similarities(a: Float32Array, b: Float32Array, width: number): Float32Array {
  const [m, n] = [a.length / width, b.length / width];
  const products = new Float32Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let d = 0; d < width; d++) sum += a[i * width + d]! * b[j * width + d]!;
      products[i * n + j] = sum;
    }
  }
  return products;
}
