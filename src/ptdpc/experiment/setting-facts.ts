/** Facts about a column's data, from the results: origin of its split, number of images, what was left out, and what varies with the seed. */
import { counted } from '../../errors.js';
import { SPLITS, type Split, type SplitOrigin } from '../datasets/index.js';
import { type CellResult, type ExperimentResults, SEED_EFFECTS, type SeedEffect, type SeedResult } from './results.js';

export interface SettingFacts {
  /** `as published`, `drawn by each seed`, `3 of 5 folds, as given`. */
  split: string;
  /** `18,644 / 1,165 / 3,491`: trained on, validated on, tested on. */
  images: string;
  /** Seeds that are planned. */
  seeds: number;
  /** What varies with them in any row; null if some result does not record it. */
  effects: SeedEffect[] | null;
}

export function settingFacts(results: ExperimentResults, setting: string): SettingFacts {
  const cells = cellsOf(results, setting);
  const seeds = cells.flatMap((cell) => cell.seeds);
  const counts: Record<Split, number[]> = {
    train: seeds.flatMap(({ images }) => images?.train ?? []),
    val: seeds.flatMap(({ images }) => images?.val ?? []),
    test: seeds.map(({ count }) => count),
  };
  const done = cells.filter((cell) => cell.seeds.length > 0);
  const known = done.length > 0 && done.every(({ varies }) => varies !== null);
  return {
    split: splitWords(seeds),
    images: SPLITS.map((split) => range(counts[split])).join(' / '),
    seeds: Math.max(0, ...cells.map((cell) => cell.seeds.length + cell.missing.length)),
    effects: known ? SEED_EFFECTS.filter((effect) => done.some(({ varies }) => varies?.includes(effect))) : null,
  };
}

/** `4 of 32 test images`, for each split from which images were left out, or, with `truncated`, in which truncated files were read. */
export function skippedWords(
  results: ExperimentResults,
  setting: string,
  what: 'skipped' | 'truncated' = 'skipped',
): string[] {
  const seeds = cellsOf(results, setting).flatMap((cell) => cell.seeds);
  return SPLITS.flatMap((split) => {
    const found = seeds.flatMap(({ count, images }) => {
      const read = split === 'test' ? count : images?.[split];
      return images && typeof read === 'number'
        ? [{ left: images[what][split], all: read + images.skipped[split] }]
        : [];
    });
    const most = Math.max(0, ...found.map(({ left }) => left));
    if (most === 0) return [];
    // With drawn splits and folds, each seed has other images, and so other damaged ones.
    const same = found.every(({ left, all }) => left === most && all === found[0]!.all);
    const all = Math.max(...found.filter(({ left }) => left === most).map((one) => one.all));
    return [`${same ? '' : 'up to '}${most} of ${counted(all, `${NAMES[split]} image`)}`];
  });
}

const NAMES: Readonly<Record<Split, string>> = { train: 'training', val: 'validation', test: 'test' };

/** The cells of a setting. */
export function cellsOf({ cells }: ExperimentResults, setting: string): CellResult[] {
  return cells.filter((cell) => cell.setting === setting);
}

function splitWords(seeds: readonly SeedResult[]): string {
  const origins = seeds.flatMap(({ images }) => images?.origin ?? []);
  const folds = new Set(origins.flatMap((origin) => ('fold' in origin ? origin.fold : [])));
  const words = new Set(origins.map((origin) => originWords(origin, folds.size)));
  if (origins.length < seeds.length) words.add('not recorded');
  return [...words].join(' and ') || '–';
}

function originWords(origin: SplitOrigin, folds: number): string {
  switch (origin.kind) {
    case 'published':
      return 'as published';
    case 'given':
      return 'as given';
    case 'given-fold':
      return `${folds} of ${origin.folds} folds, as given`;
    case 'seeded':
      return 'drawn by each seed';
    case 'seeded-fold':
      return `${folds} of ${origin.folds} folds, drawn once`;
  }
}

/** `12`, `12–14`, a dash for none. */
function range(counts: readonly number[]): string {
  if (counts.length === 0) return '–';
  const [low, high] = [Math.min(...counts), Math.max(...counts)];
  return low === high ? number(low) : `${number(low)}–${number(high)}`;
}

const number = (value: number): string => value.toLocaleString('en-US');
