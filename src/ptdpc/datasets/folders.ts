/** Layouts of folders alone. Split folders are taken as they are. Images in sub-folders of a class belong to the class. */
import { InputError } from '../../errors.js';
import { type DataFolder, foldersIn, imagesBelow, imagesIn, joined, nameLike } from './data-folder.js';
import { SPLITS, type Split } from './dataset.js';
import { className, splitFolders } from './folder-names.js';
import { byCodeUnit, type ImageList, type ListedImage } from './listed-images.js';

/** `{train,val,test}/<class>/`, by any of their names (`splitNamed`); undefined if there is none of them. */
export async function readSplitFolders(data: DataFolder, below = ''): Promise<ImageList | undefined> {
  const folders = await foldersIn(data, below);
  const splits = splitFolders(folders, data.place(below));
  if (!splits) return undefined;
  const images: ListedImage[] = [];
  const names = new Set<string>();
  const warnings = await otherFolders(
    data,
    below,
    folders,
    SPLITS.flatMap((split) => splits.get(split) ?? []),
  );
  let classNames: readonly string[] | undefined;
  for (const split of SPLITS) {
    const folder = splits.get(split);
    if (folder === undefined) continue;
    const found = await classFolders(data, joined(below, folder), split);
    if (found.names.length === 0)
      throw new InputError(`${data.place(joined(below, folder))}: expected one folder per class, found none`);
    classNames ??= found.names;
    for (const image of found.images) images.push(image);
    for (const name of found.names) names.add(name);
    for (const warning of found.warnings) warnings.push(warning);
  }
  const all = [...names].sort(byCodeUnit);
  return { images, names: all, classNames: classNames ?? all, origin: { kind: 'given' }, warnings };
}

/**
 * `<class>/` or `images/<class>/`, without a split; undefined where fewer than two folders have images. Folders with images right in them are
 * preferred: beside `images/<class>/` there may be masks, or annotations, in folders of their own.
 */
export async function readClassFolders(data: DataFolder): Promise<ImageList | undefined> {
  const folders = await foldersIn(data, '');
  const inner = nameLike(folders, 'images');
  const outside = await classFolders(data, '', undefined, inner);
  const direct = new Set(outside.images.filter(({ file }) => !file?.includes('/')).map(({ name }) => name));
  const below = inner === undefined ? undefined : await classFolders(data, inner, undefined);
  const found = direct.size >= 2 || !below || withImages(below).length < 2 ? outside : below;
  const classNames = withImages(found);
  if (classNames.length < 2) return undefined;
  const warnings = [...found.warnings];
  if (found === outside && below && below.images.length > 0)
    warnings.push(
      `${data.place(inner!)}: images beside folders of classes are left out (${below.images.length}, first ${below.images[0]!.path})`,
    );
  return { images: found.images, names: found.names, classNames, origin: undefined, warnings };
}

/** `<fold>/{train,test}/<class>/`, folds counted from 1, right in the root or in `total/`; undefined if there is no fold 1. */
export async function readFolds(data: DataFolder, fold: number, folds: number): Promise<ImageList | undefined> {
  const base = await foldsBelow(data);
  if (base === undefined) return undefined;
  const folder = joined(base, String(fold));
  const found = await readSplitFolders(data, folder);
  if (!found) throw new InputError(`${data.place(folder)}: expected fold ${fold} of ${folds} in {train,test}/`);
  return { ...found, origin: { kind: 'given-fold', fold, folds } };
}

/** The folder that the folds 1, 2, ... are in, below the root: `''`, or `total` as the paper's authors have it. */
export async function foldsBelow(data: DataFolder): Promise<string | undefined> {
  const folders = await foldersIn(data, '');
  if (folders.includes('1')) return '';
  const total = nameLike(folders, 'total');
  return total !== undefined && (await foldersIn(data, total)).includes('1') ? total : undefined;
}

interface ClassFolders {
  images: ListedImage[];
  /** Of all classes, sorted. */
  names: string[];
  warnings: string[];
}

/** The folders in `root/below` but `except`, each a class, or several one where only their accents are written differently. */
async function classFolders(
  data: DataFolder,
  below: string,
  split: Split | undefined,
  except?: string,
): Promise<ClassFolders> {
  const images: ListedImage[] = [];
  const names = new Set<string>();
  const lost: string[] = [];
  // A link from a class to what it lies in would make all images its own.
  const above = await Promise.all(['', below].map((folder) => data.identity(folder)));
  for (const own of await foldersIn(data, below, lost)) {
    if (own === except) continue;
    const folder = joined(below, own);
    const name = className(own);
    names.add(name);
    for (const path of await imagesBelow(data, folder, above, lost))
      images.push({ path, name, split, file: path.slice(folder.length + 1) });
  }
  const stray = await imagesIn(data, below);
  const warnings = lostWarnings(lost);
  if (stray.length > 0)
    warnings.push(
      `${data.place(below)}: images in no folder of a class are left out (${stray.length}, first ${stray[0]})`,
    );
  return { images, names: [...names].sort(byCodeUnit), warnings };
}

/** What to say of names that cannot be opened. */
export function lostWarnings(lost: readonly string[]): string[] {
  if (lost.length === 0) return [];
  return [`names that are not UTF-8 cannot be opened and are left out (${lost.length}, first ${lost[0]}); rename them`];
}

/** Folders with images beside those of the splits: one line where there are some. */
async function otherFolders(
  data: DataFolder,
  below: string,
  folders: readonly string[],
  splits: readonly string[],
): Promise<string[]> {
  const others: string[] = [];
  for (const folder of folders) {
    if (splits.includes(folder)) continue;
    if (await hasImages(data, joined(below, folder))) others.push(folder);
  }
  if (others.length === 0) return [];
  return [`${data.place(below)}: folders beside ${splits.join(', ')} are left out: ${others.join(', ')}`];
}

/** Looks as deep as the images of a split are, and not through all that may lie beside a data set. */
async function hasImages(data: DataFolder, folder: string, depth = 1): Promise<boolean> {
  try {
    if ((await imagesIn(data, folder)).length > 0) return true;
    for (const inner of depth > 0 ? await foldersIn(data, folder) : [])
      if (await hasImages(data, joined(folder, inner), depth - 1)) return true;
  } catch (error) {
    // A folder of the system's that cannot be listed is no reason to refuse the data set.
    if (!(error instanceof InputError)) throw error;
  }
  return false;
}

const withImages = ({ images, names }: ClassFolders): string[] => {
  const present = new Set(images.map(({ name }) => name));
  return names.filter((name) => present.has(name));
};
