/** Whether one implementation is faster than another, from pairs of turns, and whether the machine was quiet enough to tell. */

/** What pairs of turns showed. */
export interface Duel {
  /** What it was compared with. */
  readonly rival: string;
  readonly verdict: 'faster' | 'slower' | 'not distinguishable';
  /** How many times as fast as the rival: the median of the pairs. */
  readonly ratio: number;
  /** Where the true median lies, with the stated confidence; undefined where pairs are too few to say. */
  readonly interval?: readonly [low: number, high: number] | undefined;
  readonly confidence: number;
  readonly pairs: number;
}

const CONFIDENCE = 0.95;

/** The fewest pairs that can show anything with this confidence. */
export const LEAST_PAIRS = 6;

/** Less than 2 % is no difference: where buffers lie in memory makes as much. */
const LEAST_RATIO = 1.02;

/**
 * Judges by the sign test: of n pairs, the number in which a ratio is above the true median is binomial (n, 1/2), whatever the ratios'
 * distribution, so the k-th smallest and the k-th largest enclose it in all but 2 P(fewer than k) of all series. Faster or slower is what has
 * both ends beyond 2 %.
 */
export function duelOf(rival: string, ratios: readonly number[]): Duel {
  const sorted = [...ratios].sort((a, b) => a - b);
  const pairs = sorted.length;
  const interval = intervalOf(sorted);
  const [low, high] = interval ?? [0, Number.POSITIVE_INFINITY];
  const verdict = low > LEAST_RATIO ? 'faster' : high < 1 / LEAST_RATIO ? 'slower' : 'not distinguishable';
  const half = (pairs - 1) / 2;
  const ratio = (sorted[Math.floor(half)]! + sorted[Math.ceil(half)]!) / 2;
  return { rival, verdict, ratio, interval, confidence: CONFIDENCE, pairs };
}

function intervalOf(sorted: readonly number[]): readonly [low: number, high: number] | undefined {
  const n = sorted.length;
  let term = 0.5 ** n;
  let below = term;
  let k = 0;
  // P(fewer than k + 1 of n) is `below`.
  while (2 * below <= 1 - CONFIDENCE && k < n / 2) {
    k++;
    term *= (n - k + 1) / k;
    below += term;
  }
  return k === 0 ? undefined : [sorted[k - 1]!, sorted[n - k]!];
}

/** Quartiles so far apart, as a share of the median, are not a quiet machine's. */
const UNSTEADY = 0.1;

/** Those whose turns differed much: the machine is busy, or changes its clock. */
export function unsteady<T extends { seconds: number; quartiles: readonly [number, number] }>(
  times: readonly T[],
): T[] {
  return times.filter(({ seconds, quartiles: [low, high] }) => high - low > UNSTEADY * seconds);
}
