/** Folders as data sets are read from: sorted by code unit, so that the order is the same everywhere. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGE_NAME } from '../../clip/image/formats.js';
import { InputError } from '../../errors.js';
import { errorCode } from '../system-error.js';
import { byCodeUnit } from './found.js';

export interface Entry {
  name: string;
  isFolder: boolean;
}

/** What a folder holds, hidden names left out, links followed; undefined where there is no such folder. */
export async function entries(folder: string): Promise<Entry[] | undefined> {
  try {
    const found = await readdir(folder, { withFileTypes: true });
    const visible = found.filter(({ name }) => !name.startsWith('.')).sort((a, b) => byCodeUnit(a.name, b.name));
    return await Promise.all(
      visible.map(async (entry) => ({
        name: entry.name,
        isFolder: entry.isSymbolicLink() ? await isFolder(join(folder, entry.name)) : entry.isDirectory(),
      })),
    );
  } catch (error) {
    const code = errorCode(error);
    // No folder can have a name that is too long.
    if (code === 'ENOENT' || code === 'ENAMETOOLONG') return undefined;
    throw new InputError(`${folder}: cannot be listed (${code === 'ENOTDIR' ? 'it is a file' : code})`);
  }
}

export async function foldersIn(folder: string): Promise<string[]> {
  return ((await entries(folder)) ?? []).filter(({ isFolder }) => isFolder).map(({ name }) => name);
}

/** Names of the image files right in a folder. */
export async function imagesIn(folder: string): Promise<string[]> {
  const found = (await entries(folder)) ?? [];
  // A folder called x.jpg is listed too: reading it will say that it is no image.
  return found.filter(({ name }) => IMAGE_NAME.test(name)).map(({ name }) => name);
}

/** False for a link that leads nowhere too. */
async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

/**
 * Tells which of the files that a manifest names are there, each folder listed once. In a folder that cannot be listed every file counts as
 * there: reading it says what is wrong.
 */
export class Presence {
  readonly #folders = new Map<string, Promise<ReadonlySet<string> | undefined>>();

  constructor(private readonly root: string) {}

  /** `path` is below the root, with `/`. */
  async has(path: string): Promise<boolean> {
    const slash = path.lastIndexOf('/');
    const folder = path.slice(0, Math.max(slash, 0));
    let names = this.#folders.get(folder);
    if (!names) {
      names = this.#list(folder);
      this.#folders.set(folder, names);
    }
    return (await names)?.has(path.slice(slash + 1)) ?? true;
  }

  /** Undefined where it cannot be listed. */
  async #list(folder: string): Promise<ReadonlySet<string> | undefined> {
    let found: Entry[];
    try {
      found = (await entries(join(this.root, folder))) ?? [];
    } catch (error) {
      if (error instanceof InputError) return undefined;
      throw error;
    }
    return new Set(found.filter(({ isFolder }) => !isFolder).map(({ name }) => name));
  }
}
