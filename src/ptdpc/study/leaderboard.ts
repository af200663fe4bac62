/**
 * The leaderboard of a study: for each data set and number of training images per class, the learners by their mean accuracy, with intervals,
 * paired tests of every two, cost, and what choosing on the test images would have added. All of it is computed from the study's results.
 */
import { accuracyInterval, type Summary, summarize } from '../experiment/statistics.js';
import { DISTRIBUTION_MEASURE_NAMES, type DistributionScores } from '../label-distributions.js';
import { type ComparedSeeds, compareSeeds } from '../paired-comparison.js';
import type { StudyCell, StudyCost, StudyResults, StudySeed } from './results.js';

export interface Leaderboard {
  /** One for every data set and number of shots, in the order of the study. */
  boards: Board[];
  /** Means over the data sets, one for every number of shots; empty for a single data set. */
  overall: OverallBoard[];
}

export interface Board {
  dataset: string;
  /** Images per class that are learned from; null: all. */
  shots: number | null;
  /** By mean accuracy; those without a result last. Otherwise in the order of the study. */
  ranking: RankedRow[];
  /** Every two rows with a result, in the order of the ranking: the first one ranks higher. Empty where results are of different images. */
  pairs: BoardPair[];
  /**
   * Whether all seeds are tested on the same images. `by-seed`: only the rows of a seed are; then its images count as others than those of
   * another seed. `none`: not even those, so that nothing can be paired.
   */
  images: 'same' | 'by-seed' | 'none';
}

/** A row's means over its seeds; null where no seed is finished. */
export interface RankedRow {
  row: string;
  /** From 1; equal means share a rank. */
  rank: number | null;
  /** Finished seeds, and those that are not. */
  seeds: number;
  missing: number;
  accuracy: Summary | null;
  /** 95 % interval for new images and new seeds, see `accuracyInterval`. */
  accuracyInterval: [number, number] | null;
  balancedAccuracy: number | null;
  macroF1: number | null;
  calibrationError: number | null;
  loss: number | null;
  /** Where images have votes. */
  distribution: DistributionScores | null;
  /** Compared with zero-shot; null for zero-shot itself and where there is none. */
  overZeroShot: Gain | null;
  /** What choosing on the test images would have added; null if there was nothing to choose, or it was not measured. */
  selectedOnTest: { gain: number; candidates: number; seeds: number } | null;
  cost: StudyCost | null;
  /** The tests do not tell it apart from the row of rank 1. True for that row. */
  levelWithFirst: boolean;
}

export interface Gain {
  /** Difference of accuracies, in [-1, 1]. */
  difference: number;
  interval: [low: number, high: number];
  /** By Holm, over all pairs of the board. */
  adjustedPValue: number;
  toldApart: boolean;
}

/** Two rows by name. `difference`: accuracy of the first minus that of the second. */
export interface BoardPair extends Gain {
  first: string;
  second: string;
  /** Seeds that both have. */
  seeds: number;
  /** Test images that the first, or the second, classifies correctly in more of the seeds. */
  onlyFirst: number;
  onlySecond: number;
  /** `exactSignFlip`; McNemar's exact test for one seed. */
  pValue: number;
}

/** Rows with a result on every data set, by mean accuracy. */
export interface OverallBoard {
  shots: number | null;
  ranking: OverallRow[];
}

export interface OverallRow {
  row: string;
  rank: number;
  /** Means over the data sets. */
  accuracy: number;
  meanRank: number;
  overZeroShot: number | null;
  selectedOnTest: number | null;
}

/** Two rows are told apart if the adjusted p-value is below this and the interval, which draws the seeds too, does not contain 0. */
export const SIGNIFICANCE = 0.05;

/** Ranks and tests the rows of a study, of the seeds that are finished. */
export function leaderboard(results: StudyResults): Leaderboard {
  const boards = results.datasets.flatMap(({ name }) => results.shots.map((shots) => boardOf(results, name, shots)));
  const several = results.datasets.length > 1;
  return { boards, overall: several ? results.shots.map((shots) => overallOf(results, boards, shots)) : [] };
}

/** Cells of a row that learns nothing: what learning is compared with. Null if the study has none. */
export function zeroShotRow({ rows }: StudyResults): string | null {
  return rows.find(({ learner }) => learner === 'zero-shot')?.name ?? null;
}

function boardOf(results: StudyResults, dataset: string, shots: number | null): Board {
  const cells = results.cells.filter((cell) => cell.dataset === dataset && cell.shots === shots);
  const ranked = withRanks(
    results.rows.flatMap(({ name }) => cells.find(({ row }) => row === name) ?? []),
    ({ seeds }) => meanOf(seeds, ({ accuracy }) => accuracy),
  );
  const { images, pairs } = pairsOf(ranked.map(({ of }) => of));
  const zeroShot = zeroShotRow(results);
  const [first] = ranked;
  const between = (row: string, other: string | undefined) => {
    const found = pairs.find(
      (pair) =>
        [pair.first, pair.second].includes(row) && other !== undefined && [pair.first, pair.second].includes(other),
    );
    return row === other ? undefined : found;
  };
  const ranking = ranked.map(({ of: cell, rank }) => {
    const pair = zeroShot === null ? undefined : between(cell.row, zeroShot);
    const best = between(cell.row, first?.of.row);
    return {
      ...meansOf(cell, images),
      rank,
      overZeroShot: pair ? gainOf(pair, pair.second === zeroShot ? 1 : -1) : null,
      levelWithFirst: rank === 1 || (rank !== null && best !== undefined && !best.toldApart),
    };
  });
  return { dataset, shots, ranking, pairs, images };
}

function gainOf({ difference, interval: [low, high], adjustedPValue, toldApart }: Gain, sign: 1 | -1): Gain {
  const interval: Gain['interval'] = sign === 1 ? [low, high] : [0 - high, 0 - low];
  return { difference: sign === 1 ? difference : 0 - difference, interval, adjustedPValue, toldApart };
}

/** Sums of the same accuracies in another order differ in their last bits. */
const EQUAL = 1e-12;

/** By `value`, highest first and null last; equal ones share a rank and keep their order. */
function withRanks<T>(all: readonly T[], value: (one: T) => number | null): { of: T; rank: number | null }[] {
  const known = all.flatMap((of) => {
    const found = value(of);
    return found === null ? [] : [{ of, value: found }];
  });
  const sorted = known.sort((a, b) => (Math.abs(a.value - b.value) < EQUAL ? 0 : b.value - a.value));
  const ranked = sorted.map((one) => ({
    of: one.of,
    rank: 1 + sorted.findIndex((other) => other.value - one.value < EQUAL),
  }));
  return [...ranked, ...all.filter((of) => value(of) === null).map((of) => ({ of, rank: null }))];
}

function meanOf<T>(all: readonly T[], value: (one: T) => number): number | null {
  return all.length === 0 ? null : all.reduce((sum, one) => sum + value(one), 0) / all.length;
}

function meansOf({ row, seeds, missing }: StudyCell, images: Board['images']) {
  const mean = (value: (seed: StudySeed) => number) => meanOf(seeds, value);
  const accuracies = seeds.map(({ accuracy }) => accuracy);
  const counts = seeds.map(({ count }) => count);
  const chosen = seeds.flatMap(({ accuracy, onTest }) =>
    onTest ? [{ ...onTest, gain: onTest.accuracy - accuracy }] : [],
  );
  const scored = seeds.flatMap(({ distribution }) => distribution ?? []);
  const known = seeds.flatMap(({ cost: { flops } }) => flops ?? []);
  return {
    ...{ row, seeds: seeds.length, missing: missing.length },
    accuracy: seeds.length === 0 ? null : summarize(accuracies),
    // Drawn splits overlap by chance: they count as one, so that no image counts twice.
    accuracyInterval:
      seeds.length === 0 ? null : accuracyInterval(accuracies, images === 'same' ? counts[0]! : Math.min(...counts)),
    balancedAccuracy: mean(({ balancedAccuracy }) => balancedAccuracy),
    macroF1: mean(({ macroF1 }) => macroF1),
    calibrationError: mean(({ calibrationError }) => calibrationError),
    loss: mean(({ loss }) => loss),
    distribution:
      scored.length === 0 || scored.length < seeds.length
        ? null
        : (Object.fromEntries(
            DISTRIBUTION_MEASURE_NAMES.map((name) => [name, meanOf(scored, (scores) => scores[name])]),
          ) as DistributionScores),
    selectedOnTest:
      chosen.length === 0
        ? null
        : {
            gain: meanOf(chosen, ({ gain }) => gain)!,
            candidates: Math.max(...chosen.map(({ candidates }) => candidates)),
            seeds: chosen.length,
          },
    cost:
      seeds.length === 0
        ? null
        : {
            seconds: mean(({ cost }) => cost.seconds)!,
            flops: known.length < seeds.length ? null : meanOf(known, (flops) => flops),
            parameters: mean(({ cost }) => cost.parameters)!,
            peakBytes: Math.max(...seeds.map(({ cost }) => cost.peakBytes)),
          },
  };
}

/** Every two of the cells that have a result, in their order. */
function pairsOf(ranked: readonly StudyCell[]): Pick<Board, 'images' | 'pairs'> {
  const cells = ranked.filter(({ seeds }) => seeds.length > 0);
  const images = imagesOf(cells);
  if (images === 'none') return { images, pairs: [] };
  const all = [...new Set(cells.flatMap(({ seeds }) => seeds.map(({ seed }) => seed)))];
  const shared = all.filter((seed) =>
    cells.every(({ seeds }) => seeds.some((one) => one.seed === seed || (images === 'same' && one.train === 0))),
  );
  const outcome = ({ seeds }: StudyCell, seed: number) => {
    // What learns nothing gives the same with every seed.
    const found =
      seeds.find((one) => one.seed === seed) ??
      (images === 'same' ? seeds.find(({ train }) => train === 0) : undefined);
    return found ? Uint8Array.from(found.correct, (right) => Number(right === '1')) : null;
  };
  const compared =
    images === 'same'
      ? compareSeeds(cells.map((cell) => all.map((seed) => outcome(cell, seed))))
      : shared.length === 0
        ? []
        : compareSeeds(cells.map((cell) => [Uint8Array.from(shared.flatMap((seed) => [...outcome(cell, seed)!]))]));
  const seedsOf = ({ seeds }: ComparedSeeds) => (images === 'same' ? seeds : shared.length);
  const pairs = compared.map((pair) => {
    const { interval, difference, adjustedPValue } = pair;
    const apart = adjustedPValue < SIGNIFICANCE && (interval[0] > 0 || interval[1] < 0);
    return {
      ...{ first: cells[pair.first]!.row, second: cells[pair.second]!.row, seeds: seedsOf(pair) },
      // The pair was compared from the first to the second.
      ...gainOf({ difference, interval: [...interval], adjustedPValue, toldApart: apart }, -1),
      ...{ onlyFirst: pair.onlyFirst, onlySecond: pair.onlySecond, pValue: pair.pValue },
    };
  });
  return { images, pairs };
}

function imagesOf(cells: readonly StudyCell[]): Board['images'] {
  const bySeed = new Map<number, string>();
  for (const { seed, imagesSha256, correct } of cells.flatMap(({ seeds }) => seeds)) {
    const key = `${imagesSha256} ${correct.length}`;
    if ((bySeed.get(seed) ?? key) !== key) return 'none';
    bySeed.set(seed, key);
  }
  return new Set(bySeed.values()).size > 1 ? 'by-seed' : 'same';
}

function overallOf({ rows, datasets }: StudyResults, boards: readonly Board[], shots: number | null): OverallBoard {
  const means = rows.flatMap(({ name: row }) => {
    const found = boards
      .filter((board) => board.shots === shots)
      .flatMap(({ ranking }) => ranking.filter((one) => one.row === row && one.accuracy !== null));
    if (found.length < datasets.length) return [];
    const ofAll = (values: readonly (number | undefined)[]) => {
      const known = values.filter((value) => value !== undefined);
      return known.length < found.length ? null : meanOf(known, (value) => value);
    };
    return [
      {
        row,
        accuracy: meanOf(found, ({ accuracy }) => accuracy!.mean)!,
        meanRank: meanOf(found, ({ rank }) => rank!)!,
        overZeroShot: ofAll(found.map(({ overZeroShot }) => overZeroShot?.difference)),
        selectedOnTest: ofAll(found.map(({ selectedOnTest }) => selectedOnTest?.gain)),
      },
    ];
  });
  const ranked = withRanks(means, ({ accuracy }) => accuracy);
  return { shots, ranking: ranked.map(({ of, rank }) => ({ ...of, rank: rank! })) };
}
