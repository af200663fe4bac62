/** Folders as data sets are read from: sorted by code unit, so that the order is the same everywhere. */
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGE_NAME } from '../../clip/image/formats.js';
import { InputError } from '../../errors.js';
import { isHidden } from '../../ptdpc/datasets/index.js';
import { errorCode, explained } from '../system-error.js';
import { byCodeUnit } from './found.js';

export interface Entry {
  name: string;
  isFolder: boolean;
}

/**
 * What a folder holds, hidden names left out, links followed; undefined if there is no such folder. Names that cannot be opened (see
 * `isLost`) are left out and added to `lost`.
 */
export async function entries(folder: string, lost: string[] = []): Promise<Entry[] | undefined> {
  try {
    const found = await readdir(folder, { withFileTypes: true });
    const visible = found.filter(({ name }) => !isHidden(name)).sort((a, b) => byCodeUnit(a.name, b.name));
    const all = await Promise.all(
      visible.map(async (entry) => ({
        name: entry.name,
        isFolder: entry.isSymbolicLink() ? await isFolder(join(folder, entry.name)) : entry.isDirectory(),
        isLost: await isLost(folder, entry.name),
      })),
    );
    for (const { name, isLost } of all) if (isLost) lost.push(join(folder, name));
    return all.filter(({ isLost }) => !isLost).map(({ name, isFolder }) => ({ name, isFolder }));
  } catch (error) {
    const code = errorCode(error);
    // No folder can have a name that is too long.
    if (code === 'ENOENT' || code === 'ENAMETOOLONG') return undefined;
    throw new InputError(`${folder}: cannot be listed (${code === 'ENOTDIR' ? 'it is a file' : explained(error)})`);
  }
}

/** Whether a name is not UTF-8 on the disk: Node gives it with U+FFFD, and by that name nothing is there. */
export async function isLost(folder: string, name: string): Promise<boolean> {
  if (!name.includes('\ufffd')) return false;
  return (await lstat(join(folder, name)).catch(() => undefined)) === undefined;
}

export async function foldersIn(folder: string, lost?: string[]): Promise<string[]> {
  return ((await entries(folder, lost)) ?? []).filter(({ isFolder }) => isFolder).map(({ name }) => name);
}

/** Names of the image files right in a folder. */
export async function imagesIn(folder: string, lost?: string[]): Promise<string[]> {
  const found = (await entries(folder, lost)) ?? [];
  // A folder called x.jpg is listed too: reading it will say that it is no image.
  return found.filter(({ name }) => IMAGE_NAME.test(name)).map(({ name }) => name);
}

/**
 * Paths of the image files in a folder and in those below it. Links are followed, but no folder is gone through twice, nor one of
 * `visited`, which are real paths.
 */
export async function imagesBelow(top: string, visited: Iterable<string>, lost?: string[]): Promise<string[]> {
  const images: string[] = [];
  const seen = new Set(visited);
  const walk = async (below: string) => {
    const folder = join(top, below);
    const real = await realpath(folder).catch(() => folder);
    if (seen.has(real)) return;
    seen.add(real);
    for (const { name, isFolder } of (await entries(folder, lost)) ?? []) {
      const path = joined(below, name);
      if (IMAGE_NAME.test(name)) images.push(path);
      else if (isFolder) await walk(path);
    }
  };
  await walk('');
  return images;
}

/** False for a link that leads nowhere too. */
async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/** The name in a folder that is `wanted` but for case and for how accents are written; `wanted` itself first; undefined if none is. */
export function nameLike(names: Iterable<string>, wanted: string): string | undefined {
  const key = loose(wanted);
  let found: string | undefined;
  for (const name of names) {
    if (name === wanted) return name;
    if (loose(name) === key) found ??= name;
  }
  return found;
}

const loose = (name: string) => name.normalize('NFC').toLowerCase();

/** Finds the files that a list names, each folder listed once, whatever the case and the accents that the list writes them with. */
export class ListedFiles {
  readonly #folders = new Map<string, Promise<Folder | undefined>>();

  constructor(private readonly root: string) {}

  /**
   * The path of a file as it is on the disk; undefined if there is none. `path` is below the root, with `/`. In a folder that cannot be
   * listed every file counts as there: reading it says what is wrong.
   */
  async find(path: string): Promise<string | undefined> {
    const slash = path.lastIndexOf('/');
    const folder = await this.#folder(path.slice(0, Math.max(slash, 0)));
    if (!folder) return undefined;
    const name = path.slice(slash + 1);
    const found = folder.files ? (folder.files.get(name) ?? folder.files.get(loose(name))) : name;
    return found === undefined ? undefined : joined(folder.path, found);
  }

  #folder(path: string): Promise<Folder | undefined> {
    let folder = this.#folders.get(path);
    if (!folder) {
      folder = this.#list(path);
      this.#folders.set(path, folder);
    }
    return folder;
  }

  async #list(path: string): Promise<Folder | undefined> {
    try {
      const found = await entries(join(this.root, path));
      if (found) return { path, files: byName(found.filter(({ isFolder }) => !isFolder).map(({ name }) => name)) };
    } catch (error) {
      if (error instanceof InputError) return { path, files: undefined };
      throw error;
    }
    if (path === '') return undefined;
    // Perhaps it is there under another spelling.
    const slash = path.lastIndexOf('/');
    const above = await this.#folder(path.slice(0, Math.max(slash, 0)));
    if (!above?.files) return undefined;
    const like = nameLike(await foldersIn(join(this.root, above.path)), path.slice(slash + 1));
    const real = like === undefined ? path : joined(above.path, like);
    return real === path ? undefined : await this.#folder(real);
  }
}

interface Folder {
  /** As it is on the disk, below the root. */
  path: string;
  /** By its own name, and by that without regard to case; undefined if the folder cannot be listed. */
  files: ReadonlyMap<string, string> | undefined;
}

function byName(names: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map(names.map((name) => [loose(name), name]));
  for (const name of names) found.set(name, name);
  return found;
}

/** The path of a name in a folder below a root, with `/`; the root itself is `''`. */
export function joined(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
