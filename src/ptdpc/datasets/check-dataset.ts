/** A data set counted by class and split next to the published counts, and the files of its folder that are left out, with reasons. */
import { IMAGE_EXTENSIONS, IMAGE_NAME } from '../../clip/image/formats.js';
import { InputError } from '../../errors.js';
import { type DataFolder, filesBelow, joined, type WalkedFile } from './data-folder.js';
import { type Dataset, SPLITS, type Split } from './dataset.js';
import { isHidden, splitNamed } from './folder-names.js';
import { LAYOUTS } from './layouts.js';
import { byCodeUnit } from './listed-images.js';
import type { ReadDataset } from './open-dataset.js';
import { type ExpectedCounts, type Layout, namedSetting } from './settings.js';

/** What `checkDataset` found. */
export interface DatasetCheck {
  dataset: Dataset;
  layout: Layout | 'manifest';
  /** The layout for people: `{train,val,test}/<class>/*.jpg`. */
  pattern: string;
  /** In the order of labels. `names`: what the class is called in the data set. */
  classes: readonly (ClassTally & { names: readonly string[] })[];
  all: Tally;
  /** What is published; null for folders and manifests. */
  expected: ExpectedCounts | null;
  leftOut: readonly LeftOut[];
  /** Those of the data set, and classes and splits without images. None of it stops the work, but for what they say. */
  warnings: readonly string[];
}

/** Counts what was read of a data set, and looks in its folder for what is not used. Throws InputError if there are no images at all. */
export async function checkReadDataset(data: DataFolder, read: ReadDataset): Promise<DatasetCheck> {
  const { dataset, layout, labels } = read;
  const { classes, all, expected } = tallyDataset(dataset);
  const pattern = layout === 'manifest' ? 'a list of images' : LAYOUTS[layout].pattern;
  if (all.total === 0) {
    const words = dataset.classes.map(({ folder }) => folder).join(', ');
    throw new InputError(`${data.name}: no images of the classes ${words} in ${pattern} (${IMAGE_EXTENSIONS})`);
  }
  const names: string[][] = classes.map(() => []);
  for (const [name, label] of labels) names[label]?.push(name);
  return {
    dataset,
    layout,
    pattern,
    classes: classes.map((one, label) => ({ ...one, names: names[label]! })),
    all,
    expected,
    leftOut: await filesLeftOut(data, read),
    warnings: [...dataset.warnings, ...emptinessWarnings({ classes, all })],
  };
}

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
  // One pass over the images for all classes.
  const byLabel = new Map(present.map((split) => [split, new Map<number, number>()]));
  for (const [split, of] of byLabel)
    for (const { label } of splits[split] ?? []) of.set(label, (of.get(label) ?? 0) + 1);
  const count = (label?: number): Pick<Tally, 'splits' | 'total'> => {
    const counts = present.map((split): [Split, number] => {
      const images = splits[split]?.length ?? 0;
      return [split, label === undefined ? images : (byLabel.get(split)?.get(label) ?? 0)];
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

/** Why a file takes no part: for people. */
export const LEFT_OUT_REASONS = {
  missing: 'listed, but not there',
  'no-majority': 'no single class has most votes',
  'no-votes': 'nobody voted for any class',
  'other-class': 'in folders that are not a class',
  'other-fold': 'in other folds',
  unlisted: 'images that no list names',
  outside: 'images outside of the folders of classes',
  'odd-name': 'images whose names are not <class>_NNNN',
  'not-an-image': `not ${IMAGE_EXTENSIONS}`,
  hidden: 'hidden (.name, __MACOSX, @eaDir)',
  lost: 'names that are not UTF-8, which cannot be opened',
  unlistable: 'folders that cannot be listed',
} as const;

/** One of `LEFT_OUT_REASONS`. */
export type LeftOutReason = keyof typeof LEFT_OUT_REASONS;

/** The files that are left out for one reason. */
export interface LeftOut {
  reason: LeftOutReason;
  count: number;
  /** Some of them, below the data set's folder, with `/`. */
  first: readonly string[];
}

/** So many of a group are named. */
const NAMED = 3;

/** Walks through the folder of a data set; of a manifest, only through the folders that its images lie in. */
export async function filesLeftOut(data: DataFolder, read: ReadDataset): Promise<LeftOut[]> {
  const { list, labels, layout } = read;
  const groups = new Map<LeftOutReason, { count: number; first: string[] }>();
  const add = (reason: LeftOutReason, path: string) => {
    const group = groups.get(reason) ?? { count: 0, first: [] };
    groups.set(reason, group);
    if (++group.count <= NAMED) group.first.push(path);
  };
  const omitted = new Map((list.omitted ?? []).map(({ path, why }) => [path, why]));
  const nameOf = new Map(list.images.map(({ path, name }) => [path, name]));
  const own = new Set(['classes.json', ...(layout === 'manifest' ? [] : LAYOUTS[layout].lists)]);
  const companions = layout === 'manifest' ? undefined : LAYOUTS[layout].companions;
  for (const [path, why] of omitted) add(why, path);
  const walk = layout === 'manifest' ? filesBeside(data, nameOf.keys()) : filesBelow(data);
  for await (const { path, kind } of walk) {
    const name = nameOf.get(path);
    if (name !== undefined) {
      if (labels.get(name) === -1) add('other-class', path);
    } else if (kind !== 'file') add(kind, kind === 'unlistable' ? `${path}/` : path);
    else if (companions?.test(path)) continue;
    else if (IMAGE_NAME.test(path)) {
      if (!omitted.has(path)) add(reasonOf(path, read), path);
    } else if (!own.has(path) && !(layout === 'manifest' && !path.includes('/') && /\.(?:csv|json)$/i.test(path)))
      add('not-an-image', path);
  }
  const order = Object.keys(LEFT_OUT_REASONS) as LeftOutReason[];
  return order.flatMap((reason) => {
    const group = groups.get(reason);
    return group ? [{ reason, ...group }] : [];
  });
}

/** Of an image that the layout's reader passed over. */
function reasonOf(path: string, { layout, dataset: { origin } }: ReadDataset): LeftOutReason {
  switch (layout) {
    case 'folds': {
      const [, fold, split = ''] = /^(?:total\/)?(\d+)\/([^/]+)\//i.exec(path) ?? [];
      const elsewhere = 'fold' in origin && fold !== undefined && Number(fold) !== origin.fold;
      return elsewhere && splitNamed(split) !== undefined ? 'other-fold' : 'outside';
    }
    case 'split-folders':
    case 'class-folders':
      return 'outside';
    case 'file-names':
      return 'odd-name';
    default:
      return 'unlisted';
  }
}

/** The files that lie beside listed ones. */
async function* filesBeside(data: DataFolder, paths: Iterable<string>): AsyncGenerator<WalkedFile> {
  const folders = new Set([...paths].map((path) => path.slice(0, Math.max(path.lastIndexOf('/'), 0))));
  for (const folder of [...folders].sort(byCodeUnit)) {
    for (const { name, isFolder, isLost } of (await data.list(folder)) ?? []) {
      if (isFolder) continue;
      const path = joined(folder, name);
      if (isLost && !isHidden(name)) yield { path, kind: 'lost', isFolder };
      else yield { path, kind: isHidden(name) ? 'hidden' : 'file' };
    }
  }
}
