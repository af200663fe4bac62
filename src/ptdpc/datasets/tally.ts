/** Images counted by class and split, beside what is published: what `ptdpc data` shows. */
import { type Dataset, SPLITS, type Split } from './dataset.js';
import { type ExpectedCounts, namedSetting } from './settings.js';

/** Images of one class, or of all. */
export interface Tally {
  /** Of the splits that the data set has. */
  splits: Readonly<Partial<Record<Split, number>>>;
  total: number;
  /** As published; null if that is not known, or where classes were selected. */
  published: number | null;
}

/** Images of one class. */
export interface ClassTally extends Tally {
  folder: string;
  word: string;
}

/** Counts of each class in order, and of all of them; `expected` is null for data sets that are not published ones. */
export interface DatasetTally {
  classes: readonly ClassTally[];
  all: Tally;
  expected: ExpectedCounts | null;
}

/** Counts the images of a data set. */
export function tallyDataset({
  setting,
  classes,
  splits,
}: Pick<Dataset, 'setting' | 'classes' | 'splits'>): DatasetTally {
  const named = namedSetting(setting);
  const present = SPLITS.filter((split) => splits[split] !== undefined);
  const count = (label?: number): Pick<Tally, 'splits' | 'total'> => {
    const counts = present.map((split): [Split, number] => {
      const images = splits[split] ?? [];
      return [split, label === undefined ? images.length : images.filter((image) => image.label === label).length];
    });
    return { splits: Object.fromEntries(counts), total: counts.reduce((sum, [, images]) => sum + images, 0) };
  };
  const places = classes.map(({ folder }) => named?.classes.findIndex(({ word }) => word === folder) ?? -1);
  const complete = named !== undefined && places.length === named.classes.length && !places.includes(-1);
  return {
    classes: classes.map(({ folder, word }, label) => ({
      folder,
      word,
      ...count(label),
      published: named?.expected.perClass?.[places[label]!] ?? null,
    })),
    all: { ...count(), published: complete ? named.expected.total : null },
    expected: named?.expected ?? null,
  };
}

/** What training and evaluation would refuse or miss: classes and splits without images, each in one line. */
export function emptinessWarnings({ classes, all }: Pick<DatasetTally, 'classes' | 'all'>): string[] {
  const warnings = classes.flatMap(({ folder, splits, total }) => {
    if (total === 0) return [`class "${folder}" has no images at all: training refuses that`];
    return splits.train === 0 ? [`class "${folder}" has no train images: training refuses that`] : [];
  });
  for (const split of ['train', 'test'] as const) {
    if (!all.splits[split]) warnings.push(`no ${split} images`);
  }
  return warnings;
}
