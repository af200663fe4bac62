/** The files below a data set's folder that take no part in it, and why. */
import { IMAGE_EXTENSIONS, IMAGE_NAME } from '../../clip/image/formats.js';
import type { DataFolder } from './data-folder.js';
import { isHidden, splitNamed } from './folder-names.js';
import { byCodeUnit } from './image-list.js';
import { LAYOUTS } from './layouts.js';
import { filesBelow, joined, type WalkedFile } from './listing.js';
import type { ReadDataset } from './open-dataset.js';

/** Why a file takes no part: for people. */
export const LEFT_OUT_REASONS = {
  missing: 'listed, but not there',
  'no-majority': 'no single class has most votes',
  'other-class': 'of classes that take no part',
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
