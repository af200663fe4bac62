/** Layouts that say everything by folders. A split that is a folder is as whoever made the copy cut it. */
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { SPLITS, type Split } from '../../ptdpc/datasets/index.js';
import { byCodeUnit, type Found, type FoundImage } from './found.js';
import { foldersIn, imagesIn } from './listing.js';

/** `{train,val,test}/<class>/`; undefined where there is none of the three. */
export async function readSplitFolders(root: string, below = ''): Promise<Found | undefined> {
  const images: FoundImage[] = [];
  const names = new Set<string>();
  let classNames: readonly string[] | undefined;
  const folders = await foldersIn(join(root, below));
  const present = SPLITS.filter((split) => folders.includes(split));
  if (present.length === 0) return undefined;
  for (const split of present) {
    const found = await classFolders(root, below === '' ? split : `${below}/${split}`, split);
    if (found.names.length === 0)
      throw new InputError(`${join(root, below, split)}: expected one folder per class, found none`);
    classNames ??= found.names;
    for (const image of found.images) images.push(image);
    for (const name of found.names) names.add(name);
  }
  const all = [...names].sort(byCodeUnit);
  return { images, names: all, classNames: classNames ?? all, origin: { kind: 'given' }, warnings: [] };
}

/** `<class>/` or `images/<class>/`, without a split; undefined where fewer than two folders have images. */
export async function readClassFolders(root: string): Promise<Found | undefined> {
  for (const below of ['', 'images']) {
    const { images, names } = await classFolders(root, below, undefined);
    const classNames = names.filter((name) => images.some((image) => image.name === name));
    if (classNames.length >= 2) return { images, names, classNames, origin: undefined, warnings: [] };
  }
  return undefined;
}

/** `<fold>/{train,test}/<class>/`, folds counted from 1; undefined where there is no fold 1. */
export async function readFolds(root: string, fold: number, folds: number): Promise<Found | undefined> {
  if (!(await foldersIn(root)).includes('1')) return undefined;
  const found = await readSplitFolders(root, String(fold));
  if (!found) throw new InputError(`${join(root, String(fold))}: expected fold ${fold} of ${folds} in {train,test}/`);
  return { ...found, origin: { kind: 'given-fold', fold, folds } };
}

async function classFolders(root: string, below: string, split: Split | undefined) {
  const images: FoundImage[] = [];
  const names = await foldersIn(join(root, below));
  for (const name of names) {
    const folder = below === '' ? name : `${below}/${name}`;
    for (const file of await imagesIn(join(root, folder))) images.push({ path: `${folder}/${file}`, name, split });
  }
  return { images, names };
}
