/**
 * Two classifiers on the same images: which one is better, and how sure that is. Images that both classify alike say nothing about it, so the
 * comparison is paired: it is much sharper than two intervals side by side.
 */
import { uniformGenerator } from '../tensor/random.js';

/** How two classifiers differ on the same images, the first one being the baseline. */
export interface PairedComparison {
  readonly count: number;
  /** Images that only the first, or only the second, classifies correctly; of several seeds, that it does so in more of them than the other. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Accuracy of the second minus that of the first, in [-1, 1]; of several seeds, the mean. */
  readonly difference: number;
  /** 95 % interval of the difference, by the paired bootstrap over images and, if there are several, over seeds. */
  readonly interval: readonly [low: number, high: number];
  /** Two-sided p-value that both are equally accurate: McNemar's exact test, for several seeds `exactSignFlip`. */
  readonly pValue: number;
}

/** Two of several classifiers, by their places. */
export interface ComparedPair extends PairedComparison {
  readonly first: number;
  readonly second: number;
  /** The p-value adjusted for all the pairs (`holmAdjusted`). */
  readonly adjustedPValue: number;
}

/** A pair of which each is trained several times. */
export interface ComparedSeeds extends ComparedPair {
  /** The seeds that both have. */
  readonly seeds: number;
}

/**
 * Compares two classifiers, from whether each image [count] is classified correctly (1) or not (0). Throws RangeError if the lengths differ
 * or are 0.
 */
export function comparePaired(first: Uint8Array, second: Uint8Array, seed = 0): PairedComparison {
  const [{ count, onlyFirst, onlySecond, difference, interval, pValue }] = compareSeeds([[first], [second]], seed) as [
    ComparedSeeds,
  ];
  return { count, onlyFirst, onlySecond, difference, interval, pValue };
}

/** Every two of some classifiers, each given by whether each image [count] is classified correctly. Throws as `comparePaired` does. */
export function comparePairs(correct: readonly Uint8Array[]): ComparedPair[] {
  return compareSeeds(correct.map((one) => [one])).map(({ seeds: _, ...pair }) => pair);
}

/**
 * Every two of some ways to train a classifier. `correct[way][seed]` says whether each image [count] is classified correctly, null for a seed
 * without a result; equal places are equal seeds. A pair is compared on the seeds that both have, and left out if there is none.
 *
 * The p-value is conditional on these trainings: it says whether their mean difference could be the luck of the test images. The interval
 * draws the seeds as well, so that it also covers other trainings, as far as a few seeds can tell: with five or fewer it is rather too narrow.
 * All pairs share the draws of images. Throws RangeError if the images or the numbers of seeds differ, or there are no images.
 */
export function compareSeeds(correct: readonly (readonly (Uint8Array | null)[])[], seed = 0): ComparedSeeds[] {
  const [one] = correct;
  const count = requireSameImages(correct);
  const pairs = correct.flatMap((ofFirst, first) =>
    correct.slice(first + 1).flatMap((ofSecond, i) => {
      const common = [...(one ?? []).keys()].filter((s) => ofFirst[s] && ofSecond[s]);
      return common.length === 0 ? [] : [{ first, second: first + 1 + i, common }];
    }),
  );
  const intervals = bootstrapIntervals(correct, pairs, count, seed);
  const compared = pairs.map(({ first, second, common }, p) => {
    const differences = new Int32Array(count);
    for (const s of common) {
      const [before, after] = [correct[first]![s]!, correct[second]![s]!];
      for (let i = 0; i < count; i++) differences[i]! += after[i]! - before[i]!;
    }
    return {
      ...{ first, second, seeds: common.length, count },
      onlyFirst: differences.filter((d) => d < 0).length,
      onlySecond: differences.filter((d) => d > 0).length,
      difference: differences.reduce((sum, d) => sum + d, 0) / (count * common.length),
      interval: intervals[p]!,
      pValue: exactSignFlip(differences),
    };
  });
  const adjusted = holmAdjusted(compared.map(({ pValue }) => pValue));
  return compared.map((pair, p) => ({ ...pair, adjustedPValue: adjusted[p]! }));
}

function requireSameImages(correct: readonly (readonly (Uint8Array | null)[])[]): number {
  const counts = correct.flatMap((seeds) => seeds.flatMap((one) => (one ? one.length : [])));
  const count = counts[0] ?? 0;
  const other = counts.find((length) => length !== count || length === 0);
  if (other !== undefined) throw new RangeError(`comparePaired: expected the same images, found ${count} and ${other}`);
  const seeds = correct.map(({ length }) => length);
  if (seeds.some((length) => length !== seeds[0]))
    throw new RangeError(`compareSeeds: expected a place for each seed, found ${seeds.join(', ')}`);
  return count;
}

/** Whether each image is classified correctly, 1 or 0, from its predicted class and its own; both [count]. */
export function correctness(predicted: Int32Array, labels: Int32Array): Uint8Array {
  return Uint8Array.from(labels, (label, i) => Number(predicted[i] === label));
}

/** The 2.5 % quantiles are its 100th values from either end. */
export const BOOTSTRAP_RESAMPLES = 4000;

/**
 * Two-sided p-value that two ways to train are equally accurate on the population of images, from each image's difference of correct
 * predictions, a whole number, summed over the seeds. If they are, an image's difference is as likely as its opposite; the sizes of the
 * differences are taken as given. The p-value is the share of all assignments of signs whose sum is at least as far from 0 as the one found
 * (Fisher, *The Design of Experiments*, 1935, section 21), counted exactly: images of equal size are binomial, and sizes are convolved. An
 * image is one unit however many seeds there are, since the seeds' outcomes on it are not independent. Where all differences have one size, as
 * with one seed, this is McNemar's exact test. A p-value below the smallest number is 0.
 */
export function exactSignFlip(differences: ArrayLike<number>): number {
  const bySize = new Map<number, { below: number; above: number }>();
  for (let i = 0; i < differences.length; i++) {
    const d = differences[i]!;
    if (d === 0) continue;
    const found = bySize.get(Math.abs(d)) ?? { below: 0, above: 0 };
    bySize.set(Math.abs(d), found);
    if (d < 0) found.below++;
    else found.above++;
  }
  const groups = [...bySize].map(([size, { below, above }]) => ({ size, below, above }));
  const [only] = groups;
  if (only === undefined) return 1;
  if (groups.length === 1) return exactMcNemar(only.below, only.above);
  const sumOf = (side: 'below' | 'above') => groups.reduce((sum, group) => sum + group.size * group[side], 0);
  // The sum of the sizes of one sign, of which the lower tail is needed.
  const least = Math.min(sumOf('below'), sumOf('above'));
  let shares = Float64Array.of(1);
  for (const { size, below, above } of groups.sort((a, b) => a.size - b.size)) {
    const images = below + above;
    const terms = logBinomialTerms(images, Math.min(images, Math.floor(least / size))).map(Math.exp);
    const next = new Float64Array(Math.min(least, shares.length - 1 + size * images) + 1);
    for (const [k, term] of terms.entries()) {
      const shift = size * k;
      const end = Math.min(shares.length, next.length - shift);
      for (let sum = 0; sum < end; sum++) next[shift + sum]! += term * shares[sum]!;
    }
    shares = next;
  }
  return Math.min(1, 2 * shares.reduce((sum, share) => sum + share, 0));
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
  const logTerms = logBinomialTerms(all, least);
  // The terms grow up to the middle, so the last one is the largest.
  const largest = logTerms[least]!;
  const tail = logTerms.reduce((sum, term) => sum + Math.exp(term - largest), 0);
  return Math.min(1, 2 * Math.exp(largest) * tail);
}

/** ln C(all, k) - all ln 2 for k from 0 to `last`; as a logarithm, since 2^-all underflows from 1,075 images on. */
function logBinomialTerms(all: number, last: number): number[] {
  let logTerm = -all * Math.LN2;
  const logTerms = [logTerm];
  for (let k = 1; k <= last; k++) {
    logTerm += Math.log((all - k + 1) / k);
    logTerms.push(logTerm);
  }
  return logTerms;
}

/**
 * Percentile intervals (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, chapter 13): images are drawn with replacement, each
 * with all of its outcomes, and so are the seeds, each with its outcomes of both classifiers; the differences of accuracy of all resamples are
 * sorted. An interval does not depend on what other classifiers are compared.
 */
function bootstrapIntervals(
  correct: readonly (readonly (Uint8Array | null)[])[],
  pairs: readonly { first: number; second: number; common: readonly number[] }[],
  count: number,
  seed: number,
): [low: number, high: number][] {
  const outcomes = correct.flat().filter((one) => one !== null);
  // Images on which all agree cancel in every difference.
  const telling: number[] = [];
  const placeOf = new Int32Array(count).fill(-1);
  for (let i = 0; i < count; i++) {
    if (outcomes.every((one) => one[i] === outcomes[0]![i])) continue;
    placeOf[i] = telling.length;
    telling.push(i);
  }
  const columns = correct.map((seeds) => seeds.map((one) => one && Uint8Array.from(telling, (i) => one[i]!)));
  const random = uniformGenerator(seed);
  const drawn = new Int32Array(telling.length);
  const seedDraws = new Float64Array(correct[0]?.length ?? 0);
  const differences = pairs.map(() => new Float64Array(BOOTSTRAP_RESAMPLES));
  for (let resample = 0; resample < BOOTSTRAP_RESAMPLES; resample++) {
    drawn.fill(0);
    for (let i = 0; i < count; i++) {
      const place = placeOf[Math.floor(random() * count)]!;
      if (place >= 0) drawn[place]!++;
    }
    for (let s = 0; s < seedDraws.length; s++) seedDraws[s] = random();
    const right = columns.map((seeds) => seeds.map((column) => (column === null ? 0 : weighted(column, drawn))));
    for (const [p, { first, second, common }] of pairs.entries()) {
      let sum = 0;
      for (let j = 0; j < common.length; j++) {
        const s = common[Math.floor(seedDraws[j]! * common.length)]!;
        sum += right[second]![s]! - right[first]![s]!;
      }
      differences[p]![resample] = sum / (count * common.length);
    }
  }
  const tail = 0.025 * BOOTSTRAP_RESAMPLES;
  return differences.map((all) => {
    all.sort();
    return [all[tail - 1]!, all[BOOTSTRAP_RESAMPLES - tail]!];
  });
}

function weighted(column: Uint8Array, weights: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < column.length; i++) sum += column[i]! * weights[i]!;
  return sum;
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
