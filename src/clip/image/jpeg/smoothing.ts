/**
 * libjpeg-turbo's block smoothing (`decompress_smooth_data` in jdcoefct.c, version 2.1): low frequencies missing from a progressive
 * file are estimated from the means of the surrounding 5 x 5 blocks. Only truncated files lack any.
 */
import type { ScanParameters } from './scan.js';

/** Number of coefficients (in zigzag order) involved: the mean and the nine that can be estimated. */
const COUNTED = 10;
/** Their positions in a block, row-major. */
const PLACES = [0, 1, 8, 16, 9, 2, 3, 10, 17, 24] as const;

/** Weights of the 5 x 5 means, row-major, in units of 1/256. */
type Weights = readonly number[];

const transposed = (weights: Weights): Weights => weights.map((_, i) => weights[(i % 5) * 5 + Math.floor(i / 5)]!);

// biome-ignore-start format: matrices
const FIRST: Weights = [-1, -1, 0, 1, 1, -3, 13, 0, -13, 3, -3, 38, 0, -38, 3, -3, 13, 0, -13, 3, -1, -1, 0, 1, 1];
const SECOND: Weights = [0, 0, 1, 0, 0, 0, 2, 7, 2, 0, 0, -5, -14, -5, 0, 0, 2, 7, 2, 0, 0, 0, 1, 0, 0];
const DIAGONAL: Weights = [-1, 0, 0, 0, 1, 0, 9, 0, -9, 0, 0, 0, 0, 0, 0, 0, -9, 0, 9, 0, 1, 0, 0, 0, -1];
const THIRD: Weights = [0, 0, 0, 0, 0, 0, 1, 0, -1, 0, 0, 2, 0, -2, 0, 0, 1, 0, -1, 0, 0, 0, 0, 0, 0];
const MIXED: Weights = [0, 0, 0, 0, 0, 0, 1, -3, 1, 0, 0, 0, 0, 0, 0, 0, -1, 3, -1, 0, 0, 0, 0, 0, 0];
const MEAN: Weights = [-2, -6, -8, -6, -2, -6, 6, 42, 6, -6, -8, 42, 152, 42, -8, -6, 6, 42, 6, -6, -2, -6, -8, -6, -2];
const FIRST_BESIDE_OTHERS: Weights = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -7, 50, 0, -50, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const SECOND_BESIDE_OTHERS: Weights = [0, 0, -1, 0, 0, 0, 0, 13, 0, 0, 0, 0, -24, 0, 0, 0, 0, 13, 0, 0, 0, 0, -1, 0, 0];
const DIAGONAL_BESIDE_OTHERS: Weights = [
  0, -1, 0, 1, 0, -1, 10, 0, -10, 1, 0, 0, 0, 0, 0, 1, -10, 0, 10, -1, 0, 1, 0, -1, 0,
];
// biome-ignore-end format: matrices

/** Weights by coefficient, if only the means are known (the mean is then re-estimated too), and if other coefficients are as well. */
const MEANS_ONLY: readonly Weights[] = [
  ...[MEAN, FIRST, transposed(FIRST), SECOND, DIAGONAL, transposed(SECOND)],
  ...[THIRD, MIXED, transposed(MIXED), transposed(THIRD)],
];
const BESIDE_OTHERS: readonly (Weights | undefined)[] = [
  ...[undefined, FIRST_BESIDE_OTHERS, transposed(FIRST_BESIDE_OTHERS)],
  ...[SECOND_BESIDE_OTHERS, DIAGONAL_BESIDE_OTHERS, transposed(SECOND_BESIDE_OTHERS)],
];

/** A component's coefficients, 64 per block. */
export interface Blocks {
  readonly coefficients: Int16Array;
  readonly quantisation?: Uint16Array | undefined;
  /** Rows of blocks per row of units, 1 to 4. */
  readonly down: number;
  /** Width in blocks including padding; `own...` counts the blocks that overlap the image. */
  readonly blocksAcross: number;
  readonly ownAcross: number;
  readonly ownDown: number;
}

/** Number of missing bits of each coefficient, -1 if all are missing: after the latest scan, and before it. */
interface Missing {
  readonly now: Int8Array;
  readonly before: Int8Array;
}

/** Tracks the coefficient bits known from a progressive image's scans so far. */
export class ScanProgress {
  /** Last row of units that the latest scan's data reach. */
  lastRow = 0;
  readonly #missing: readonly Missing[];
  #scans = 0;

  constructor(components: number) {
    const none = () => new Int8Array(64).fill(-1);
    this.#missing = Array.from({ length: components }, () => ({ now: none(), before: none() }));
  }

  /** Called at the start of a scan of these components. */
  begin({ first, last, low }: ScanParameters, components: readonly number[]): void {
    this.#scans++;
    this.lastRow = 0;
    for (const { now, before } of components.map((component) => this.#missing[component]!)) {
      const [from, to] = [Math.min(first, 1), Math.max(last, COUNTED - 1) + 1];
      if (this.#scans > 1) before.set(now.subarray(from, to), from);
      else before.fill(0, from, to);
      now.fill(low, first, last + 1);
    }
  }

  /** Whether the image needs smoothing: all means are known, but some low frequency is not. */
  needsSmoothing(components: readonly Blocks[]): boolean {
    const usable = components.every(
      ({ quantisation }, i) => this.#missing[i]!.now[0]! >= 0 && PLACES.every((place) => quantisation?.[place]),
    );
    return usable && this.#missing.some(({ now }) => now.subarray(1, COUNTED).some((bits) => bits !== 0));
  }

  /** Missing bits of a component's first `COUNTED` coefficients in a row of units; rows that the latest scan does not reach lack its bits. */
  missing(component: number, row: number): Int8Array {
    const { now, before } = this.#missing[component]!;
    if (row <= this.lastRow) return now.subarray(0, COUNTED);
    return this.#scans > 1 ? before.subarray(0, COUNTED) : new Int8Array(COUNTED).fill(-1);
  }
}

const block = new Int16Array(64);
const means = new Int32Array(25);

/** The coefficients of a block, with missing ones estimated. The returned array is reused by the next call. */
export function smoothed(blocks: Blocks, x: number, y: number, missing: Int8Array): Int16Array {
  const { coefficients, blocksAcross } = blocks;
  const from = 64 * (y * blocksAcross + x);
  block.set(coefficients.subarray(from, from + 64));
  gatherMeans(blocks, x, y);
  // With equal means, e.g. beyond the end of the data, estimates would change nothing.
  if (means.every((mean) => mean === means[0])) return block;
  const meansOnly = missing.subarray(1).every((bits) => bits === -1);
  const weights = meansOnly ? MEANS_ONLY : BESIDE_OTHERS;
  for (let k = 1; k < weights.length; k++) {
    const place = PLACES[k]!;
    if (missing[k] !== 0 && block[place] === 0) block[place] = estimate(blocks, weights[k]!, place, missing[k]!);
  }
  if (meansOnly) block[0] = estimate(blocks, MEAN, 0, 0);
  return block;
}

/** Weighted sum of the surrounding means, in the coefficient's quantisation steps, limited to the range of the missing bits. */
function estimate({ quantisation }: Blocks, weights: Weights, place: number, missing: number): number {
  let sum = 0;
  for (let i = 0; i < 25; i++) sum += weights[i]! * means[i]!;
  sum *= quantisation![0]!;
  const step = quantisation![place]!;
  const size = Math.floor((128 * step + Math.abs(sum)) / (256 * step));
  const most = missing > 0 ? (1 << missing) - 1 : size;
  return Math.sign(sum) * Math.min(size, most);
}

/** Collects the means of 5 x 5 blocks, repeating those at the edges. */
function gatherMeans(blocks: Blocks, x: number, y: number): void {
  const { coefficients, blocksAcross, ownAcross, ownDown, down } = blocks;
  // As in libjpeg, which does not look two rows ahead from the second row of units into the first, or from the last but one into the last.
  const [unit, row] = [Math.floor(y / down), y % down];
  const last = Math.ceil(ownDown / down) - 1;
  const height = unit < last ? down : ownDown % down || down;
  const above = y > 0 ? y - 1 : y;
  const below = row < height - 1 || unit < last ? y + 1 : y;
  const rows = [
    ...[row > 1 || unit > 1 ? y - 2 : above, above, y, below],
    row < height - 2 || unit + 1 < last ? y + 2 : below,
  ];
  for (let i = 0; i < 25; i++) {
    const column = Math.min(ownAcross - 1, Math.max(0, x + (i % 5) - 2));
    means[i] = coefficients[64 * (rows[Math.floor(i / 5)]! * blocksAcross + column)]!;
  }
}
