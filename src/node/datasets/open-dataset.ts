/** A data set on disk, whatever its layout, as classes and lists of paths in splits. */
import { dirname, join } from 'node:path';
import { InputError } from '../../errors.js';
import {
  className,
  classOf,
  classWord,
  countWarnings,
  type Dataset,
  type LabelledPath,
  type Layout,
  namedSetting,
  numberedWarnings,
  type Setting,
  type SettingName,
  SPLITS,
  type Split,
  type SplitOrigin,
  seededFold,
  seededSplit,
} from '../../ptdpc/datasets/index.js';
import type { ClassName } from '../../ptdpc/index.js';
import { exists } from '../checkpoint-files.js';
import { parseClassList, readClassesJson, requireDistinct } from './class-list.js';
import { detectSetting } from './detect.js';
import { byCodeUnit, type Found, type FoundImage } from './found.js';
import { LAYOUTS } from './layouts.js';
import { manifestAt, readManifest } from './manifest.js';

/** What a data set is, where its files do not say, and how it is split. */
export interface DatasetOptions {
  /** What the folder holds; without it, `detectSetting` decides. */
  setting?: SettingName | undefined;
  /** Of the split, where none is published; 0 unless given. */
  seed?: number | undefined;
  /** Which of a data set's folds is for testing, from 1 on; 1 unless given. */
  fold?: number | undefined;
  /** Other words, another order, or a selection: `joy=happiness,fear` as in `--classes`, or the classes of a run. */
  classes?: string | readonly ClassName[] | undefined;
}

/** Where data sets without a published split and without a setting of their own are cut. */
const ANY: Pick<Setting, 'layouts' | 'split'> = {
  layouts: ['split-folders', 'class-folders'],
  split: { val: 0, test: 0.2 },
};

/**
 * Reads the lists of a data set. Throws InputError if nothing is there in the layout that the setting has, where a list leads out
 * of the root or contradicts itself, and for a fold that the data set does not have. What is merely not as published is a warning.
 */
export async function openDataset(root: string, options: DatasetOptions = {}): Promise<Dataset> {
  return (await readDataset(root, options)).dataset;
}

/** A data set with what its files had to say: for `checkDataset`. */
export interface ReadDataset {
  dataset: Dataset;
  layout: Layout | 'manifest';
  /** The folder that the paths of `found` are below. */
  base: string;
  found: Found;
  /** The label of each class that the data set names; -1 where it takes no part. */
  labels: ReadonlyMap<string, number>;
}

/** `openDataset`, with what it was made from. */
export async function readDataset(root: string, options: DatasetOptions): Promise<ReadDataset> {
  if (!(await exists(root))) throw new InputError(`${root}: not found; expected a folder of images or a manifest`);
  const setting = options.setting ?? (await detectSetting(root));
  const { seed = 0 } = options;
  const named = namedSetting(setting);
  const { split: rule } = named ?? ANY;
  const folds = 'folds' in rule ? rule.folds : undefined;
  const fold = checkedFold(setting, folds, options.fold);

  const { base, layout, found } = await read(root, setting, fold, folds ?? 1);
  const { classes, labels, warnings: classWarnings } = await chooseClasses(base, setting, found, options.classes);
  const { images, origin } = withSplits(found, rule, seed, fold);
  if (options.fold !== undefined && !('fold' in origin))
    throw new InputError(`--fold ${options.fold}: ${root} has a split of its own, and not in folds`);

  const splits: Partial<Record<Split, LabelledPath[]>> = {};
  for (const { path, name, split } of images) {
    const label = labels.get(name) ?? -1;
    if (label < 0 || split === undefined) continue;
    splits[split] ??= [];
    splits[split].push({ path: join(base, path), label });
  }
  for (const split of SPLITS) splits[split]?.sort((a, b) => a.label - b.label || byCodeUnit(a.path, b.path));
  const warnings = [...found.warnings, ...classWarnings];
  const unused = found.names.filter((name) => labels.get(name) === -1);
  if (unused.length > 0) warnings.push(`not among the classes, so left out: ${unused.join(', ')}`);
  // A selection of classes has other counts.
  if (options.classes === undefined) warnings.push(...countWarnings({ setting, splits, origin }));
  return { dataset: { setting, root, classes, splits, origin, warnings }, layout, base, found, labels };
}

function checkedFold(setting: SettingName, folds: number | undefined, given: number | undefined): number {
  if (given === undefined) return 1;
  if (folds === undefined) throw new InputError(`--fold ${given}: ${setting} has no folds`);
  if (!(Number.isInteger(given) && given >= 1 && given <= folds))
    throw new InputError(`--fold: expected a whole number from 1 to ${folds}, found ${given}`);
  return given;
}

async function read(
  root: string,
  setting: SettingName,
  fold: number,
  folds: number,
): Promise<Pick<ReadDataset, 'base' | 'layout' | 'found'>> {
  if (setting === 'manifest') {
    const file = await manifestAt(root);
    if (file === undefined)
      throw new InputError(
        `${root}: expected a manifest (.csv, .json, or a folder with manifest.csv or manifest.json)`,
      );
    return { base: dirname(file), layout: 'manifest', found: await readManifest(file) };
  }
  const { layouts } = namedSetting(setting) ?? ANY;
  for (const layout of layouts) {
    const found = await LAYOUTS[layout].read(root, fold, folds);
    if (found) return { base: root, layout, found };
  }
  const expected = layouts.map((layout) => LAYOUTS[layout].pattern).join(', or ');
  throw new InputError(`${root}: no images as ${setting} has them; expected ${expected}`);
}

/** The classes, and the label of a name in the data set: -1 for names that take no part. */
async function chooseClasses(base: string, setting: SettingName, found: Found, option: DatasetOptions['classes']) {
  const named = namedSetting(setting);
  // A setting says which of its classes a folder belongs to; elsewhere each folder is a class of its own.
  const folderOf = named ? (name: string) => named.classes[classOf(named.classes, name)]?.word : (name: string) => name;
  const own = named
    ? named.classes.map(({ word }) => ({ folder: word, word }))
    : found.classNames.map((folder) => ({ folder, word: classWord(folder) }));
  const json = named || option !== undefined ? undefined : await readClassesJson(base);
  const classes = typeof option === 'string' ? parseClassList(option) : (option ?? json ?? own);
  // The classes of a run may be others than those of the data that it is evaluated on.
  if (option === undefined || typeof option === 'string') {
    const known = named ? own.map(({ folder }) => folder) : found.names;
    const source = typeof option === 'string' ? '--classes' : json ? join(base, 'classes.json') : base;
    requireDistinct(classes, known, source);
  }
  const labels = new Map(
    // A run of an earlier version may have decomposed accents.
    found.names.map((name) => [name, classes.findIndex(({ folder }) => className(folder) === folderOf(name))]),
  );
  const warnings = named || option !== undefined || json ? [] : numberedWarnings(found.classNames);
  return { classes, labels, warnings };
}

function withSplits(
  { images, origin }: Found,
  rule: Setting['split'],
  seed: number,
  fold: number,
): { images: readonly FoundImage[]; origin: SplitOrigin } {
  if (origin) return { images, origin };
  if ('folds' in rule) {
    const { folds } = rule;
    const splits = seededFold(images, folds, fold, seed);
    return {
      images: images.map((image, i) => ({ ...image, split: splits[i] })),
      origin: { kind: 'seeded-fold', seed, fold, folds },
    };
  }
  const splits = seededSplit(images, rule, seed);
  return { images: images.map((image, i) => ({ ...image, split: splits[i] })), origin: { kind: 'seeded', seed } };
}
