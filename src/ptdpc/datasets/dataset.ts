/** Labelled images in splits: what reading a data set gives, wherever it was read. Lists hold paths, not pixels. */
import * as v from 'valibot';
import { IMAGE_EXTENSIONS } from '../../clip/image/formats.js';
import { counted, InputError } from '../../errors.js';
import { fromOne, whole } from '../parse-json.js';
import type { ClassName } from '../prompts-file.js';
import type { SettingName } from './settings.js';

/** Names of splits: to train on, to choose by, to report. */
export const SPLITS = ['train', 'val', 'test'] as const;
/** One of `SPLITS`. */
export type Split = (typeof SPLITS)[number];

/** An image file with its class. */
export interface LabelledPath {
  path: string;
  /** Place of the class in the list of classes. */
  label: number;
  /** Each class's share of the votes, in the order of the classes, where people voted: for all images of a data set or for none. */
  distribution?: Float64Array | undefined;
}

/** The word of a class that is known by its folder: `great_joy` reads as "great joy". */
export function classWord(folder: string): string {
  // CLIP's vocabulary has composed accents.
  return folder.normalize('NFC').replace(/[_-]+/g, ' ').trim();
}

/**
 * Where the splits come from: lists that the data set is published with; given by the folders or the list that a copy happens to be in,
 * the copy's author; or drawn. Fold counts from 1.
 */
export type SplitSource =
  | { kind: 'published' }
  | { kind: 'given' }
  | { kind: 'given-fold'; fold: number; folds: number }
  | { kind: 'seeded'; seed: number }
  | { kind: 'seeded-fold'; seed: number; fold: number; folds: number };

/** Halves of the classes, in their order: one to train on, and one to see whether what was learned holds for others. */
export const HALVES = ['base', 'new'] as const;
/** One of `HALVES`. */
export type Half = (typeof HALVES)[number];

/** How many images of each class are kept to train on, and by which seed they are chosen; see `fewShots`. */
export interface Shots {
  images: number;
  seed: number;
}

/** Where the splits come from, and which part of them is used, if not all. */
export type SplitOrigin = SplitSource & {
  half?: Half | undefined;
  shots?: Shots | undefined;
  /** So many random views of each training image take the place of its middle, in turn by epoch. */
  views?: number | undefined;
};

const part = {
  half: v.optional(v.picklist(HALVES)),
  shots: v.optional(v.object({ images: fromOne, seed: whole })),
  views: v.optional(fromOne),
};

/** Reads an origin from a file. Earlier versions called folds in folders published. */
export const splitOriginSchema: v.GenericSchema<unknown, SplitOrigin> = v.variant('kind', [
  v.object({ kind: v.literal('published'), ...part }),
  v.object({ kind: v.literal('given'), ...part }),
  v.object({ kind: v.literal('given-fold'), fold: fromOne, folds: fromOne, ...part }),
  v.pipe(
    v.object({ kind: v.literal('published-fold'), fold: fromOne, folds: fromOne }),
    v.transform((origin) => ({ ...origin, kind: 'given-fold' as const })),
  ),
  v.object({ kind: v.literal('seeded'), seed: whole, ...part }),
  v.object({ kind: v.literal('seeded-fold'), seed: whole, fold: fromOne, folds: fromOne, ...part }),
]);

/** A data set, read: which images there are, in which splits, of which classes. */
export interface Dataset {
  setting: SettingName;
  /** As it was given. */
  root: string;
  /** In the order of labels. */
  classes: readonly ClassName[];
  /** Each in class order, then by path; absent if the data set has no such split. */
  splits: Readonly<Partial<Record<Split, readonly LabelledPath[]>>>;
  origin: SplitOrigin;
  /** What differs from what the setting promises, each in one line. None of it stops the work. */
  warnings: readonly string[];
}

/** The images of a split. Throws InputError if there are none, and if a class has none to train on. */
export function imagesOf({ root, classes, splits }: Dataset, split: Split): readonly LabelledPath[] {
  const images = splits[split] ?? [];
  if (images.length === 0) {
    const found = SPLITS.filter((name) => splits[name]?.length);
    throw new InputError(
      `${root}: no ${split} images of the classes ${names(classes)}; found ${found.length === 0 ? 'none at all' : `${found.join(' and ')} images`}`,
    );
  }
  if (split === 'train') {
    const present = new Set(images.map(({ label }) => label));
    const empty = classes.find((_, label) => !present.has(label));
    if (empty) throw new InputError(`${root}: class "${empty.folder}" has no train images (${IMAGE_EXTENSIONS})`);
  }
  return images;
}

function names(classes: readonly ClassName[]): string {
  return classes.map(({ folder }) => folder).join(', ');
}

/** `split as published`, `fold 2 of 5 by seed 0, base half of the classes, 16 images of each by seed 1`: for people. */
export function describeOrigin(origin: SplitOrigin): string {
  const { half, shots, views } = origin;
  return [
    describeSource(origin),
    ...(half ? [`${half} half of the classes`] : []),
    ...(shots ? [`${counted(shots.images, 'training image')} of each class by seed ${shots.seed}`] : []),
    ...(views ? [`${counted(views, 'random view')} of each training image`] : []),
  ].join(', ');
}

function describeSource(origin: SplitSource): string {
  switch (origin.kind) {
    case 'published':
      return 'split as published';
    case 'given':
      return 'split as given by its files';
    case 'given-fold':
      return `fold ${origin.fold} of ${origin.folds} as given by its files`;
    case 'seeded':
      return `split by seed ${origin.seed}`;
    case 'seeded-fold':
      return `fold ${origin.fold} of ${origin.folds} by seed ${origin.seed}`;
  }
}

/** What was found, and the warnings: lines for people. */
export function describeDataset({ setting, origin, splits, warnings }: Dataset): string[] {
  const counts = SPLITS.flatMap((split) => (splits[split] ? [`${splits[split].length} ${split}`] : []));
  const found = `data set: ${setting}, ${describeOrigin(origin)}: ${counts.join(', ') || 'no images of its classes'}`;
  return [found, ...warnings.map((warning) => `warning: ${warning}`)];
}
