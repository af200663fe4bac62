/**
 * Label distributions: of an image, not one class but how many people named each. And how far a predicted distribution is from that of the
 * votes, by the eight measures that the field reports.
 */
import { InputError } from '../errors.js';

/** A measure of how a predicted distribution p differs from the votes' d. */
export interface DistributionMeasure {
  readonly label: string;
  readonly better: 'lower' | 'higher';
  readonly formula: string;
}

/**
 * The six of Geng, *Label Distribution Learning* (IEEE TKDE 28(7), 2016, Table 1), and of the L1 and squared chord families of Cha,
 * *Comprehensive Survey on Distance/Similarity Measures between Probability Density Functions* (IJMMMAS 1(4), 2007) one each. Natural
 * logarithms; 0 ln 0 and 0 / 0 are 0, as in Cha. Clark and Canberra are not divided by the square root or the number of classes, as some
 * papers do, so they grow with the classes.
 */
export const DISTRIBUTION_MEASURES = {
  kullbackLeibler: { label: 'Kullback–Leibler divergence', better: 'lower', formula: 'Σ d ln(d / p)' },
  chebyshev: { label: 'Chebyshev distance', better: 'lower', formula: 'max |d − p|' },
  clark: { label: 'Clark distance', better: 'lower', formula: '√(Σ (d − p)² / (d + p)²)' },
  canberra: { label: 'Canberra distance', better: 'lower', formula: 'Σ |d − p| / (d + p)' },
  squaredChord: { label: 'squared chord distance', better: 'lower', formula: 'Σ (√d − √p)²' },
  sorensen: { label: 'Sørensen distance', better: 'lower', formula: 'Σ |d − p| / Σ (d + p)' },
  cosine: { label: 'cosine similarity', better: 'higher', formula: 'Σ d p / (|d| |p|)' },
  intersection: { label: 'intersection', better: 'higher', formula: 'Σ min(d, p)' },
} as const satisfies Readonly<Record<string, DistributionMeasure>>;

/** Name of a measure. */
export type DistributionMeasureName = keyof typeof DISTRIBUTION_MEASURES;
/** Names of all measures. */
export const DISTRIBUTION_MEASURE_NAMES = Object.keys(DISTRIBUTION_MEASURES) as readonly DistributionMeasureName[];

/** A value of each measure: of an image, or the mean over images. */
export type DistributionScores = Readonly<Record<DistributionMeasureName, number>>;

/**
 * Scores of one image. `votes` and `predicted` [classes] each sum to 1; `logPredicted` [classes] are the logarithms of `predicted`, which are
 * finite where the probability itself rounds to 0.
 */
export function distributionScores(
  votes: ArrayLike<number>,
  predicted: ArrayLike<number>,
  logPredicted: ArrayLike<number>,
): DistributionScores {
  let [kullbackLeibler, chebyshev, clark, canberra, squaredChord] = [0, 0, 0, 0, 0];
  let [difference, whole, product, squareD, squareP, intersection] = [0, 0, 0, 0, 0, 0];
  for (let c = 0; c < votes.length; c++) {
    const [d, p] = [votes[c]!, predicted[c]!];
    const apart = Math.abs(d - p);
    if (d > 0) kullbackLeibler += d * (Math.log(d) - logPredicted[c]!);
    if (d + p > 0) {
      canberra += apart / (d + p);
      clark += (apart / (d + p)) ** 2;
    }
    chebyshev = Math.max(chebyshev, apart);
    squaredChord += (Math.sqrt(d) - Math.sqrt(p)) ** 2;
    difference += apart;
    whole += d + p;
    product += d * p;
    squareD += d * d;
    squareP += p * p;
    intersection += Math.min(d, p);
  }
  return {
    // Of equal distributions, rounding may leave less than nothing.
    kullbackLeibler: Math.max(0, kullbackLeibler),
    ...{ chebyshev, clark: Math.sqrt(clark), canberra, squaredChord, sorensen: difference / whole },
    ...{ cosine: product / Math.sqrt(squareD * squareP), intersection },
  };
}

/** The mean distribution of some images, by class: of the votes, and as predicted. */
export interface MeanShares {
  readonly votes: readonly number[];
  readonly predicted: readonly number[];
}

/** Means over images, one image after the other. */
export class DistributionTally {
  readonly #sums = new Map<DistributionMeasureName, number>();
  #count = 0;
  #votes = new Float64Array(0);
  #predicted = new Float64Array(0);

  /** As `distributionScores`. */
  add(votes: ArrayLike<number>, predicted: ArrayLike<number>, logPredicted: ArrayLike<number>): void {
    const scores = distributionScores(votes, predicted, logPredicted);
    for (const name of DISTRIBUTION_MEASURE_NAMES) this.#sums.set(name, (this.#sums.get(name) ?? 0) + scores[name]);
    if (this.#count++ === 0) {
      this.#votes = new Float64Array(votes.length);
      this.#predicted = new Float64Array(votes.length);
    }
    for (let c = 0; c < votes.length; c++) {
      this.#votes[c]! += votes[c]!;
      this.#predicted[c]! += predicted[c]!;
    }
  }

  /** Null before the first image. */
  shares(): MeanShares | null {
    if (this.#count === 0) return null;
    const [votes, predicted] = [this.#votes, this.#predicted].map((sums) =>
      Array.from(sums, (sum) => sum / this.#count),
    );
    return { votes: votes!, predicted: predicted! };
  }

  /** Null before the first image. */
  means(): DistributionScores | null {
    if (this.#count === 0) return null;
    const means = DISTRIBUTION_MEASURE_NAMES.map((name) => [name, this.#sums.get(name)! / this.#count] as const);
    return Object.fromEntries(means) as Record<DistributionMeasureName, number>;
  }
}

/** Votes or probabilities of an image, by class. */
export type Votes = readonly (readonly [className: string, votes: number])[];

/**
 * Each class's share of the votes, in the order of the classes; votes for what `labelOf` gives -1 are left out, those for several names of a
 * class added up. Undefined if no votes are left.
 */
export function distributionOf(
  votes: Votes,
  classes: number,
  labelOf: (name: string) => number,
): Float64Array | undefined {
  const shares = new Float64Array(classes);
  for (const [name, count] of votes) {
    const label = labelOf(name);
    if (label >= 0) shares[label]! += count;
  }
  const sum = shares.reduce((a, b) => a + b, 0);
  return sum > 0 ? shares.map((count) => count / sum) : undefined;
}

/** The class with most votes; of several, the first in the order of the classes. */
export function mostVoted(shares: Float64Array): { label: number; isTie: boolean } {
  const most = shares.reduce((a, b) => Math.max(a, b), 0);
  return { label: shares.indexOf(most), isTie: shares.indexOf(most) !== shares.lastIndexOf(most) };
}

/** The distributions of images [images, classes], row by row; undefined if they have none. Throws InputError if some have one and others not. */
export function stackedDistributions(
  images: readonly { readonly path: string; readonly distribution?: Float64Array | undefined }[],
  classes: number,
): Float32Array | undefined {
  if (images.every(({ distribution }) => distribution === undefined)) return undefined;
  const all = new Float32Array(images.length * classes);
  for (const [i, { path, distribution }] of images.entries()) {
    if (!distribution) throw new InputError(`${path}: expected votes for it, as for the other images, found none`);
    all.set(distribution, i * classes);
  }
  return all;
}
