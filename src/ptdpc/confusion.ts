/**
 * Confusion as the pairs of classes that occur: at most one for each image, where the square matrix of 10,000 classes has 100 million cells,
 * nearly all of them zero.
 */

/** So many images of the class `actual` were predicted as `predicted`; at least one. */
export type ConfusionPair = readonly [actual: number, predicted: number, images: number];

/** The pairs that occur, of all classes, by actual and then by predicted class. */
export interface ConfusionPairs {
  /** Number of classes. */
  readonly classes: number;
  readonly pairs: readonly ConfusionPair[];
}

/** counts[actual][predicted]. */
export type ConfusionMatrix = readonly (readonly number[])[];

/** Either form. */
export type Confusion = ConfusionMatrix | ConfusionPairs;

/** The images of each class: those that it has, those predicted as it, and those of which both are true. */
export interface ClassCounts {
  readonly actual: Float64Array;
  readonly predicted: Float64Array;
  readonly right: Float64Array;
}

/** Square matrices of more classes are neither drawn nor written; their pairs are. */
export const MOST_IN_MATRIX = 100;

/** Counts images. */
export class ConfusionCounter {
  /** By actual * classes + predicted. */
  readonly #counts = new Map<number, number>();

  constructor(private readonly classes: number) {}

  add(actual: number, predicted: number, images = 1): void {
    const key = actual * this.classes + predicted;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + images);
  }

  pairs(): ConfusionPairs {
    const { classes } = this;
    const pairs = [...this.#counts]
      .sort(([a], [b]) => a - b)
      .map(([key, images]): ConfusionPair => [Math.floor(key / classes), key % classes, images]);
    return { classes, pairs };
  }
}

/** The pairs that occur in a matrix, row by row. */
export function confusionPairs(matrix: ConfusionMatrix): ConfusionPairs {
  const pairs: ConfusionPair[] = [];
  matrix.forEach((row, actual) => {
    row.forEach((images, predicted) => {
      if (images > 0) pairs.push([actual, predicted, images]);
    });
  });
  return { classes: matrix.length, pairs };
}

/** The whole matrix [actual][predicted]: classes x classes numbers. */
export function confusionMatrix({ classes, pairs }: ConfusionPairs): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [actual, predicted, images] of pairs) matrix[actual]![predicted] = images;
  return matrix;
}

/** In one pass over the pairs, or over the cells of a matrix. */
export function classCounts(confusion: Confusion): ClassCounts {
  const { classes, pairs } = 'pairs' in confusion ? confusion : confusionPairs(confusion);
  const [actual, predicted, right] = [classes, classes, classes].map((length) => new Float64Array(length));
  for (const [a, p, images] of pairs) {
    actual![a]! += images;
    predicted![p]! += images;
    if (a === p) right![a]! += images;
  }
  return { actual: actual!, predicted: predicted!, right: right! };
}

/** The pairs of different classes, the most frequent first; of equal ones, in their order. */
export function mistakes({ pairs }: ConfusionPairs): ConfusionPair[] {
  return pairs.filter(([actual, predicted]) => actual !== predicted).sort((a, b) => b[2] - a[2]);
}

export function samePairs(a: ConfusionPairs, b: ConfusionPairs): boolean {
  return (
    a.classes === b.classes &&
    a.pairs.length === b.pairs.length &&
    a.pairs.every((pair, i) => pair.every((value, k) => value === b.pairs[i]![k]))
  );
}
