/**
 * Two classifiers on the same images: which one is better, and how sure that is. Images that both classify alike say nothing about it, so the
 * comparison is paired: it is much sharper than two intervals side by side.
 */
import { uniformGenerator } from '../tensor/random.js';

/** How two classifiers differ on the same images, the first one being the baseline. */
export interface PairedComparison {
  readonly count: number;
  /** Images that only the first, or only the second, classifies correctly. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Accuracy of the second minus that of the first, in [-1, 1]. */
  readonly difference: number;
  /** 95 % interval of the difference, by the paired bootstrap. */
  readonly interval: readonly [low: number, high: number];
  /** Two-sided p-value of McNemar's exact test: that both are equally accurate. */
  readonly pValue: number;
}

/** Two of several classifiers, by their places. */
export interface ComparedPair extends PairedComparison {
  readonly first: number;
  readonly second: number;
  /** The p-value adjusted for all the pairs (`holmAdjusted`). */
  readonly adjustedPValue: number;
}

/** Every two of some classifiers, each given by whether each image [count] is classified correctly. Throws as `comparePaired` does. */
export function comparePairs(correct: readonly Uint8Array[]): ComparedPair[] {
  const pairs = correct.flatMap((one, first) =>
    correct.slice(first + 1).map((other, i) => ({ first, second: first + 1 + i, ...comparePaired(one, other) })),
  );
  const adjusted = holmAdjusted(pairs.map(({ pValue }) => pValue));
  return pairs.map((pair, i) => ({ ...pair, adjustedPValue: adjusted[i]! }));
}

/** Whether each image is classified correctly, 1 or 0, from its predicted class and its own; both [count]. */
export function correctness(predicted: Int32Array, labels: Int32Array): Uint8Array {
  return Uint8Array.from(labels, (label, i) => Number(predicted[i] === label));
}

/** The 2.5 % quantiles are its 100th values from either end. */
export const BOOTSTRAP_RESAMPLES = 4000;

/**
 * Compares two classifiers, from whether each image [count] is classified correctly (1) or not (0). Throws RangeError if the lengths differ
 * or are 0.
 */
export function comparePaired(first: Uint8Array, second: Uint8Array, seed = 0): PairedComparison {
  const count = first.length;
  if (count === 0 || second.length !== count)
    throw new RangeError(`comparePaired: expected the same images, found ${count} and ${second.length}`);
  let [onlyFirst, onlySecond] = [0, 0];
  for (let i = 0; i < count; i++) {
    if (first[i] === second[i]) continue;
    if (first[i] === 1) onlyFirst++;
    else onlySecond++;
  }
  return {
    ...{ count, onlyFirst, onlySecond, difference: (onlySecond - onlyFirst) / count },
    interval: bootstrapInterval({ count, onlyFirst, onlySecond }, seed),
    pValue: exactMcNemar(onlyFirst, onlySecond),
  };
}

/**
 * McNemar's test (*Note on the sampling error of the difference between correlated proportions or percentages*, Psychometrika 12, 1947) in
 * its exact form: under equal accuracies, each of the images that one classifier alone gets right is as likely to be the first's as the
 * second's, so their number is binomial with probability 1/2. The two-sided p-value is twice the smaller tail, at most 1. Dietterich
 * (*Approximate statistical tests for comparing supervised classification learning algorithms*, Neural Computation 10, 1998) recommends it
 * for classifiers that are trained once.
 */
export function exactMcNemar(onlyFirst: number, onlySecond: number): number {
  const all = onlyFirst + onlySecond;
  const least = Math.min(onlyFirst, onlySecond);
  // ln C(all, k) - all ln 2, from k = 0 on; as a logarithm, since 2^-all underflows from 1,075 images on.
  let logTerm = -all * Math.LN2;
  const logTerms = [logTerm];
  for (let k = 1; k <= least; k++) {
    logTerm += Math.log((all - k + 1) / k);
    logTerms.push(logTerm);
  }
  // The terms grow up to the middle, so the last one is the largest.
  const tail = logTerms.reduce((sum, term) => sum + Math.exp(term - logTerm), 0);
  return Math.min(1, 2 * Math.exp(logTerm) * tail);
}

/**
 * Percentile interval (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13): images are drawn with replacement, each
 * with both of its outcomes, and the differences of accuracy of all resamples are sorted. An image's outcomes differ by 1, -1 or 0, so one
 * random number says which an image drawn has.
 */
function bootstrapInterval(
  { count, onlyFirst, onlySecond }: Pick<PairedComparison, 'count' | 'onlyFirst' | 'onlySecond'>,
  seed: number,
): [low: number, high: number] {
  const random = uniformGenerator(seed);
  const differ = onlyFirst + onlySecond;
  const differences = Float64Array.from({ length: BOOTSTRAP_RESAMPLES }, () => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const drawn = random() * count;
      if (drawn < onlySecond) sum++;
      else if (drawn < differ) sum--;
    }
    return sum / count;
  }).sort();
  const tail = 0.025 * BOOTSTRAP_RESAMPLES;
  return [differences[tail - 1]!, differences[BOOTSTRAP_RESAMPLES - tail]!];
}

/**
 * P-values of several tests, adjusted so that of true hypotheses one is rejected by chance with the chosen probability at most (Holm, *A
 * simple sequentially rejective multiple test procedure*, Scandinavian Journal of Statistics 6, 1979). In the order given.
 */
export function holmAdjusted(pValues: readonly number[]): number[] {
  const order = [...pValues.keys()].sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let largest = 0;
  for (const [rank, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (pValues.length - rank) * pValues[i]!));
    adjusted[i] = largest;
  }
  return adjusted;
}
