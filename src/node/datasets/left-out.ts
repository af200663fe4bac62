/** The files below a data set's folder that take no part in it, and why. */
import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGE_EXTENSIONS, IMAGE_NAME } from '../../clip/image/formats.js';
import { isHidden, splitNamed } from '../../ptdpc/datasets/index.js';
import { byCodeUnit } from './found.js';
import { LAYOUTS } from './layouts.js';
import { isLost } from './listing.js';
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
export async function filesLeftOut(read: ReadDataset): Promise<LeftOut[]> {
  const { base, found, labels, layout } = read;
  const groups = new Map<LeftOutReason, { count: number; first: string[] }>();
  const add = (reason: LeftOutReason, path: string) => {
    const group = groups.get(reason) ?? { count: 0, first: [] };
    groups.set(reason, group);
    if (++group.count <= NAMED) group.first.push(path);
  };
  const omitted = new Map((found.omitted ?? []).map(({ path, why }) => [path, why]));
  const nameOf = new Map(found.images.map(({ path, name }) => [path, name]));
  const own = new Set(['classes.json', ...(layout === 'manifest' ? [] : LAYOUTS[layout].lists)]);
  const companions = layout === 'manifest' ? undefined : LAYOUTS[layout].companions;
  for (const [path, why] of omitted) add(why, path);
  const walk = layout === 'manifest' ? filesBeside(base, nameOf.keys()) : filesBelow(base);
  for await (const { path, kind } of walk) {
    const name = nameOf.get(path);
    if (name !== undefined) {
      if (labels.get(name) === -1) add('other-class', path);
    } else if (kind !== 'file') add(kind, path);
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

interface WalkedFile {
  path: string;
  kind: 'file' | 'hidden' | 'lost' | 'unlistable';
}

/** Links to folders are followed, each folder is gone through once; hidden folders are not gone through at all. */
async function* filesBelow(root: string, below = '', visited = new Set<string>()): AsyncGenerator<WalkedFile> {
  const folder = join(root, below);
  const entries = await listed(folder, visited);
  if (!entries) {
    yield { path: `${below}/`, kind: 'unlistable' };
    return;
  }
  for (const entry of entries) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (isHidden(entry.name)) yield { path, kind: 'hidden' };
    else if (await isLost(folder, entry.name)) yield { path, kind: 'lost' };
    else if (await isFolder(folder, entry)) yield* filesBelow(root, path, visited);
    else yield { path, kind: 'file' };
  }
}

/** The files that lie beside listed ones. */
async function* filesBeside(root: string, paths: Iterable<string>): AsyncGenerator<WalkedFile> {
  const folders = new Set([...paths].map((path) => path.slice(0, Math.max(path.lastIndexOf('/'), 0))));
  for (const below of [...folders].sort(byCodeUnit)) {
    const folder = join(root, below);
    for (const entry of (await listed(folder, new Set())) ?? []) {
      if (await isFolder(folder, entry)) continue;
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      const lost = await isLost(folder, entry.name);
      yield { path, kind: isHidden(entry.name) ? 'hidden' : lost ? 'lost' : 'file' };
    }
  }
}

/** Sorted by code unit; nothing the second time, undefined if it cannot be listed. */
async function listed(folder: string, visited: Set<string>): Promise<Dirent[] | undefined> {
  try {
    const real = await realpath(folder);
    if (visited.has(real)) return [];
    visited.add(real);
    return (await readdir(folder, { withFileTypes: true })).sort((a, b) => byCodeUnit(a.name, b.name));
  } catch {
    return undefined;
  }
}

async function isFolder(folder: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return (await stat(join(folder, entry.name)).catch(() => undefined))?.isDirectory() ?? false;
}
