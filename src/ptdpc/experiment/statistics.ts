/** Statistics of a few runs: mean, sample standard deviation, and confidence intervals. */
import { wilsonInterval, Z_95 } from '../metrics.js';

export interface Summary {
  /** Number of values. */
  count: number;
  mean: number;
  /** Sample standard deviation (divided by count - 1); null for one value. */
  std: number | null;
  /**
   * 95 % confidence interval of the mean by Student's t, [low, high]: of other seeds on the same images. Null for one value, and for
   * equal ones, from which the spread cannot be estimated.
   */
  interval: [number, number] | null;
}

const CONFIDENCE = 0.95;

/** Summarises at least one value. Throws RangeError for none. */
export function summarize(values: readonly number[]): Summary {
  const count = values.length;
  if (count === 0) throw new RangeError('summarize: expected at least one value');
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const std = sampleStd(values);
  const half = seedMargin(values);
  return { count, mean, std, interval: half === 0 ? null : [mean - half, mean + half] };
}

/** Half of Student's 95 % interval of the mean; 0 for one value. */
function seedMargin(values: readonly number[]): number {
  const std = sampleStd(values);
  if (std === null) return 0;
  return (tQuantile((1 + CONFIDENCE) / 2, values.length - 1) * std) / Math.sqrt(values.length);
}

/**
 * 95 % interval of an accuracy on new images, from the accuracies of some seeds on `images` test images in all (images that several seeds
 * are tested on count once). Wilson's score interval of their mean, at the effective number of images: as many as would have, by
 * themselves, the margin that images and seeds have together, sqrt(z^2 p (1 - p) / images + t^2 s^2 / seeds). Wilson's interval at an
 * effective sample size is standard for surveys: Franco, Little, Louis and Slud, *Comparative study of confidence intervals for proportions
 * in complex sample surveys*, J. Survey Statistics and Methodology 7 (2019). If seeds are tested on different images, their spread
 * already contains part of the sampling of images, and the interval is wider than necessary. Throws RangeError for no values.
 */
export function accuracyInterval(values: readonly number[], images: number): [low: number, high: number] {
  const { mean } = summarize(values);
  const ofImages = (Z_95 ** 2 * mean * (1 - mean)) / images;
  const ofSeeds = seedMargin(values) ** 2;
  return wilsonInterval(mean, ofSeeds === 0 ? images : (images * ofImages) / (ofImages + ofSeeds));
}

/** Sample standard deviation; null for fewer than two values. Equal values have exactly 0. */
export function sampleStd(values: readonly number[]): number | null {
  const count = values.length;
  if (count < 2) return null;
  // Around the first value, so that equal values have a deviation of exactly 0.
  const [origin = 0] = values;
  const shifted = values.map((value) => value - origin);
  const mean = shifted.reduce((sum, value) => sum + value, 0) / count;
  const squares = shifted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (count - 1));
}

/**
 * The t below which Student's distribution with `df` (a whole number) degrees of freedom has the share `p`, 0 < p < 1: bisection on
 * the angle atan(t / sqrt(df)), in which the distribution has a closed form.
 */
export function tQuantile(p: number, df: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`tQuantile: expected p between 0 and 1, found ${p}`);
  if (!(Number.isInteger(df) && df >= 1)) throw new RangeError(`tQuantile: expected df of at least 1, found ${df}`);
  if (p < 0.5) return -tQuantile(1 - p, df);
  let [low, high] = [0, Math.PI / 2];
  for (let middle = (low + high) / 2; middle > low && middle < high; middle = (low + high) / 2) {
    if ((1 + shareWithin(middle, df)) / 2 < p) low = middle;
    else high = middle;
  }
  return Math.sqrt(df) * Math.tan(low);
}

/**
 * P(|T| <= sqrt(df) tan(angle)) for a whole number of degrees of freedom: Abramowitz and Stegun, Handbook of Mathematical
 * Functions, 26.7.3 (odd) and 26.7.4 (even).
 */
function shareWithin(angle: number, df: number): number {
  const sine = Math.sin(angle);
  const cosine = Math.cos(angle);
  const odd = df % 2 === 1;
  // Odd: cos + 2/3 cos^3 + 2*4/(3*5) cos^5 + ...; even: 1 + 1/2 cos^2 + 1*3/(2*4) cos^4 + ...; up to cos^(df - 2).
  let term = odd ? cosine : 1;
  let sum = 0;
  for (let power = odd ? 1 : 0; power <= df - 2; power += 2) {
    sum += term;
    term *= (cosine * cosine * (power + 1)) / (power + 2);
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
