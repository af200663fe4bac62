/** Reads a data set in any layout: its images, the classes that take part, and the splits. */
import { quoted, shortened } from '../../clip/checkpoint/quoted.js';
import { cleanText } from '../../clip/tokenizer/clean-text.js';
import { counted, InputError } from '../../errors.js';
import { similar } from '../../suggest.js';
import { distributionOf, mostVoted } from '../label-distributions.js';
import type { ClassName } from '../prompts-file.js';
import { type DataFolder, foldersIn, readJson } from './data-folder.js';
import {
  classWord,
  type Dataset,
  type Half,
  type LabelledPath,
  type Shots,
  SPLITS,
  type Split,
  type SplitOrigin,
  type SplitSource,
} from './dataset.js';
import { fewShots, shotsWarning } from './few-shot.js';
import { className, numberedWarnings, splitNamed } from './folder-names.js';
import { detectSetting, LAYOUTS } from './layouts.js';
import { byCodeUnit, type ImageList, type ListedImage, manifestIn, readManifest } from './listed-images.js';
import { type Shares, seededFold, seededSplit } from './seeded-split.js';
import { classOf, type Layout, namedSetting, type Setting, type SettingName } from './settings.js';

/** What a data set is, if its files do not say, and how it is split. */
export interface DatasetOptions {
  /** What the folder holds; without it, `detectSetting` decides. */
  setting?: SettingName | undefined;
  /** Of the split, if none is published; 0 unless given. */
  seed?: number | undefined;
  /** Which of a data set's folds is for testing, from 1 on; 1 unless given. */
  fold?: number | undefined;
  /** Other words, another order, or a selection: `joy=happiness,fear` as in `--classes`, or the classes of a run. */
  classes?: string | readonly ClassName[] | undefined;
  /**
   * Only this half of the classes, in their order; of an odd number the base half has one more, as in the published code of CoCoOp. The classes
   * of a run are its half already.
   */
  half?: Half | undefined;
  /** Keeps so many training images of each class. */
  shots?: Shots | undefined;
  /** Goes into the origin: so many random views of each training image are trained on. */
  views?: number | undefined;
}

/** Layouts of data sets without a name. */
const ANY_LAYOUT: readonly Layout[] = ['split-folders', 'class-folders'];
/** How such data sets are split if their files do not say. */
const ANY_SHARES: Shares = { val: 0, test: 0.2 };

/** The lists of a data set, and how they were read. */
export interface ReadDataset {
  /** Paths are below the folder, with `/`. */
  dataset: Dataset;
  layout: Layout | 'manifest';
  list: ImageList;
  /** The label of each class that the data set names; -1 if it takes no part. */
  labels: ReadonlyMap<string, number>;
}

/**
 * Reads the lists of a data set. `manifest`: the file that lists its images, if the user named one. `shares`: how a data set without a
 * name and without a split is cut. Throws InputError if there is nothing in the layouts of the setting, if a list leads out of the folder
 * or contradicts itself, and for a fold that the data set does not have. What merely differs from what is published is a warning.
 */
export async function readDataset(
  data: DataFolder,
  options: DatasetOptions & { manifest?: string | undefined; shares?: Shares },
): Promise<ReadDataset> {
  const { name: root } = data;
  const setting = options.setting ?? (options.manifest === undefined ? await detectSetting(data) : 'manifest');
  const { seed = 0, shares = ANY_SHARES } = options;
  const rule = namedSetting(setting)?.split ?? shares;
  const folds = 'folds' in rule ? rule.folds : undefined;
  const fold = checkedFold(setting, folds, options.fold);

  const { layout, list } = await read(data, setting, fold, folds ?? 1, options.manifest);
  const chosen = await chooseClasses(data, setting, list, options.classes);
  const { classes, labels } = halfOf(chosen, options);
  const { images: all, origin: source } = withSplits(list, rule, seed, fold);
  const { half, shots, views } = options;
  const origin: SplitOrigin = { ...source, ...(half && { half }), ...(shots && { shots }), ...(views && { views }) };
  const images = shots ? fewShots(all, labels, shots) : all;
  if (options.fold !== undefined && !('fold' in origin))
    throw new InputError(`--fold ${options.fold}: ${root} has a split of its own, and not in folds`);

  const splits: Partial<Record<Split, LabelledPath[]>> = {};
  let [voted, ties] = [0, 0];
  for (const image of images) {
    const label = labels.get(image.name) ?? -1;
    if (label < 0 || image.split === undefined) continue;
    const { isTie, ...own } = withVotes(image, label, classes.length, labels, root);
    if (own.distribution) voted++;
    if (isTie) ties++;
    splits[image.split] ??= [];
    splits[image.split]!.push(own);
  }
  for (const split of SPLITS) splits[split]?.sort((a, b) => a.label - b.label || byCodeUnit(a.path, b.path));
  const warnings = [...list.warnings, ...chosen.warnings];
  if (ties > 0)
    warnings.push(
      `${ties} of ${counted(voted, 'image')} with votes have several classes with most of them: their label is the first in the order of the classes`,
    );
  const unused = list.names.filter((name) => chosen.labels.get(name) === -1);
  if (unused.length > 0) {
    // Each is compared with all classes.
    const shown = unused.slice(0, MOST_NAMED).map((name) => name + slip(name, chosen.classes, all));
    const more = unused.length > MOST_NAMED ? ` and ${number(unused.length - MOST_NAMED)} more` : '';
    warnings.push(`not among the classes, so left out: ${shown.join(', ')}${more}`);
  }
  const few = shots && shotsWarning(splits.train ?? [], classes, shots);
  if (few !== undefined) warnings.push(few);
  // A selection of classes or images has other counts.
  if (options.classes === undefined && !half && !shots) warnings.push(...countWarnings({ setting, splits, origin }));
  return { dataset: { setting, root, classes, splits, origin, warnings }, layout, list, labels };
}

/** An image with its share of votes; where its class is not given, with the class that has most votes. */
function withVotes(
  { path, votes, isVoted }: ListedImage,
  label: number,
  classes: number,
  labels: ReadonlyMap<string, number>,
  root: string,
): LabelledPath & { isTie: boolean } {
  if (!votes) return { path, label, isTie: false };
  const distribution = distributionOf(votes, classes, (name) => labels.get(name) ?? -1);
  if (!distribution)
    throw new InputError(
      `${root}: ${shortened(path)}: expected votes for some of the classes, as for the others, found none`,
    );
  const most = mostVoted(distribution);
  return { path, distribution, label: isVoted ? most.label : label, isTie: isVoted === true && most.isTie };
}

/** Classes that are left out and named; more are counted. */
const MOST_NAMED = 20;

/** ` (40 images; did you mean awe?)` of a name that is nearly a class's; otherwise nothing. */
function slip(name: string, classes: readonly ClassName[], images: readonly ListedImage[]): string {
  const meant = similar(
    name,
    classes.map(({ folder }) => folder),
  );
  const lost = images.filter((image) => image.name === name).length;
  return meant === undefined ? '' : ` (${counted(lost, 'image')}; did you mean ${meant}?)`;
}

function checkedFold(setting: SettingName, folds: number | undefined, given: number | undefined): number {
  if (given === undefined) return 1;
  if (folds === undefined) throw new InputError(`--fold ${given}: ${setting} has no folds`);
  if (!(Number.isInteger(given) && given >= 1 && given <= folds))
    throw new InputError(`--fold: expected a whole number from 1 to ${folds}, found ${given}`);
  return given;
}

async function read(
  data: DataFolder,
  setting: SettingName,
  fold: number,
  folds: number,
  manifest: string | undefined,
): Promise<Pick<ReadDataset, 'layout' | 'list'>> {
  const { name: root } = data;
  if (setting === 'manifest') {
    const file = manifest ?? (await manifestIn(data));
    if (file === undefined)
      throw new InputError(
        `${root}: expected a manifest (.csv, .json, or a folder with manifest.csv or manifest.json)`,
      );
    return { layout: 'manifest', list: await readManifest(data, file) };
  }
  const layouts = namedSetting(setting)?.layouts ?? ANY_LAYOUT;
  for (const layout of manifest === undefined ? layouts : []) {
    const list = await LAYOUTS[layout].read(data, fold, folds);
    if (list) return { layout, list };
  }
  const expected = layouts.map((layout) => LAYOUTS[layout].pattern).join(', or ');
  const what = setting === 'folders' ? 'no class folders with images' : `no images in the layout of ${setting}`;
  const inner = manifest === undefined ? await dataBelow(data) : undefined;
  const voted = setting === 'folders' && (await data.has('ground_truth.txt'));
  const hint = voted
    ? '; its ground_truth.txt has votes: name the data set with --dataset flickrldl8 or --dataset twitterldl8'
    : inner === undefined
      ? ''
      : `; did you mean ${data.place(inner)}?`;
  throw new InputError(`${root}: ${what}; expected ${expected}${hint}`);
}

/** The only folder in the root that is split into folders itself: the root may have been named one level too high. */
async function dataBelow(data: DataFolder): Promise<string | undefined> {
  const found: string[] = [];
  for (const folder of await foldersIn(data, '')) {
    const inner = await foldersIn(data, folder).catch(() => []);
    if (inner.some((name) => splitNamed(name) === 'train')) found.push(folder);
  }
  return found.length === 1 ? found[0] : undefined;
}

/** The classes, and the label of a name in the data set: -1 for names that take no part. */
async function chooseClasses(
  data: DataFolder,
  setting: SettingName,
  list: ImageList,
  option: DatasetOptions['classes'],
) {
  const named = namedSetting(setting);
  // A setting says which of its classes a folder belongs to; elsewhere each folder is a class of its own.
  const folderOf = named ? (name: string) => named.classes[classOf(named.classes, name)]?.word : (name: string) => name;
  const own = named
    ? named.classes.map(({ word }) => ({ folder: word, word }))
    : list.classNames.map((folder) => ({ folder, word: classWord(folder) }));
  const json = named || option !== undefined ? undefined : await readClassesJson(data);
  const classes = typeof option === 'string' ? parseClassList(option) : (option ?? json ?? own);
  // The classes of a run may be others than those of the data that it is evaluated on.
  if (option === undefined || typeof option === 'string') {
    const known = named ? own.map(({ folder }) => folder) : list.names;
    const source = typeof option === 'string' ? '--classes' : json ? data.place('classes.json') : data.name;
    requireDistinct(classes, known, source);
  }
  const place = new Map<string, number>();
  // A run of an earlier version may have decomposed accents.
  for (const [label, { folder }] of [...classes.entries()].reverse()) place.set(className(folder), label);
  const labels = new Map(list.names.map((name) => [name, place.get(folderOf(name) ?? '') ?? -1]));
  const warnings = named || option !== undefined || json ? [] : numberedWarnings(list.classNames);
  return { classes, labels, warnings };
}

/** The classes of the half that was asked for. */
function halfOf<Chosen extends Pick<ReadDataset, 'labels'> & { readonly classes: readonly ClassName[] }>(
  chosen: Chosen,
  { half, classes: given }: Pick<DatasetOptions, 'half' | 'classes'>,
): Pick<Chosen, 'classes' | 'labels'> {
  if (half === undefined || (given !== undefined && typeof given !== 'string')) return chosen;
  const { length } = chosen.classes;
  if (length < 2) throw new InputError(`--half ${half}: expected at least two classes, found ${length}`);
  const middle = Math.ceil(length / 2);
  const [start, end] = half === 'base' ? [0, middle] : [middle, length];
  const labels = [...chosen.labels].map(([name, label]): [string, number] => [
    name,
    label >= start && label < end ? label - start : -1,
  ]);
  return { classes: chosen.classes.slice(start, end), labels: new Map(labels) };
}

function withSplits(
  { images, origin }: ImageList,
  rule: Setting['split'],
  seed: number,
  fold: number,
): { images: readonly ListedImage[]; origin: SplitSource } {
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

/** Each difference in one line; none for `folders` and `manifest`. */
export function countWarnings({ setting, splits, origin }: Pick<Dataset, 'setting' | 'splits' | 'origin'>): string[] {
  const named = namedSetting(setting);
  if (!named) return [];
  const { total, copies = [], splits: published = {} } = named.expected;
  const found = SPLITS.reduce((sum, split) => sum + (splits[split]?.length ?? 0), 0);
  const warnings: string[] = [];
  if (found !== total) {
    const known = copies.includes(found) ? ' (a copy that is known to be passed on)' : '';
    warnings.push(`${setting}: ${number(total)} images are published, found ${number(found)}${known}`);
  }
  if (origin.kind !== 'published' && origin.kind !== 'given') return warnings;
  for (const split of SPLITS) {
    const expected = published[split];
    const count = splits[split]?.length ?? 0;
    if (expected !== undefined && count !== expected)
      warnings.push(`${setting}: ${number(expected)} ${split} images are published, found ${number(count)}`);
  }
  return warnings;
}

const number = (value: number): string => value.toLocaleString('en-US');

/** `a,b=two words,c` as `--classes` has it. */
export function parseClassList(option: string): ClassName[] {
  return option.split(',').map((item) => {
    const [folder = '', word = classWord(folder)] = item.split('=').map((part) => part.trim());
    if (folder === '' || word === '')
      throw new InputError(`--classes: expected names separated by commas, found ${quoted(option)}`);
    return { folder: className(folder), word };
  });
}

/** `<root>/classes.json`: an array of folders, or an object of folder: word; undefined if there is none. */
export async function readClassesJson(data: DataFolder): Promise<ClassName[] | undefined> {
  if (!(await data.has('classes.json'))) return undefined;
  const path = data.place('classes.json');
  const wrong = (found: unknown) =>
    new InputError(
      `${path}: expected an array of folder names or an object of folder name: class word, found ${quoted(found)}`,
    );
  const value = await readJson(data, 'classes.json');
  if (Array.isArray(value)) {
    if (!value.every((item) => typeof item === 'string')) throw wrong(value);
    return value.map((folder: string) => ({ folder: className(folder), word: classWord(folder) }));
  }
  if (typeof value !== 'object' || value === null) throw wrong(value);
  return Object.entries(value).map(([folder, word]: [string, unknown]) => {
    if (typeof word !== 'string' || word.trim() === '') throw wrong({ [folder]: word });
    return { folder: className(folder), word };
  });
}

/**
 * Throws InputError, naming `source`, if a class is not among `known`, is listed twice, or reads the same as another.
 */
export function requireDistinct(classes: readonly ClassName[], known: readonly string[], source: string): void {
  const folderOf = new Map<string, string>();
  const seen = new Set<string>();
  const there = new Set(known);
  for (const { folder, word } of classes) {
    if (seen.has(folder)) throw new InputError(`${source}: class ${quoted(folder)} is listed twice`);
    if (!there.has(folder))
      throw new InputError(
        `${source}: class ${quoted(folder)} is not in the data set; it has ${shortened(known.join(', '))}`,
      );
    // What the tokenizer does first: case, white space and HTML references make no difference to it. Once there is a tokenizer, the ids
    // are compared (classTokens).
    const read = cleanText(word);
    const twin = folderOf.get(read);
    if (twin !== undefined)
      throw new InputError(
        `${source}: classes ${quoted(twin)} and ${quoted(folder)} have the same word ${quoted(word)}`,
      );
    seen.add(folder);
    folderOf.set(read, folder);
  }
}
