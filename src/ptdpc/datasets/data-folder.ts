/** The folder of a data set, of a file system or as a browser was given it, and walking through it in a fixed order. */
import { IMAGE_NAME } from '../../clip/image/formats.js';
import { InputError } from '../../errors.js';
import { isHidden } from './folder-names.js';
import { byCodeUnit } from './listed-images.js';

/** A name in a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly isLink: boolean;
  /** The name is not UTF-8, so nothing can be opened by it. */
  readonly isLost: boolean;
}

/** A folder with all below it. Paths are relative to it and written with `/`; the folder itself is `''`. */
export interface DataFolder {
  /** What the user calls the data set. */
  readonly name: string;
  /** A path as the user would write it, for messages. */
  place(path: string): string;
  /** All entries of a folder; undefined if there is no such folder. Throws InputError if it cannot be listed. */
  list(path: string): Promise<readonly FolderEntry[] | undefined>;
  /** The same for all paths of one folder, whatever links lead to it. */
  identity(path: string): Promise<string>;
  /** Whether there is a file or a folder at a path. */
  has(path: string): Promise<boolean>;
  /** A text file. Throws InputError naming it if it cannot be read. */
  text(path: string): Promise<string>;
  /** The cells of a file of comma-separated values, trimmed, without empty lines. Throws InputError naming it for anything else. */
  csv(path: string, quote?: string): Promise<readonly (readonly string[])[]>;
}

/** The value of a JSON file. Throws InputError naming it if it cannot be read or is not JSON. */
export async function readJson(data: DataFolder, path: string): Promise<unknown> {
  const text = await data.text(path);
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(`${data.place(path)}: expected JSON, found something else`);
  }
}

/** The visible entries of a folder; undefined if there is no such folder. Paths of lost names are added to `lost`. */
export async function entries(
  data: DataFolder,
  folder: string,
  lost: string[] = [],
): Promise<readonly FolderEntry[] | undefined> {
  const all = await data.list(folder);
  if (!all) return undefined;
  const visible = all.filter(({ name }) => !isHidden(name)).sort((a, b) => byCodeUnit(a.name, b.name));
  for (const { name, isLost } of visible) if (isLost) lost.push(data.place(joined(folder, name)));
  return visible.filter(({ isLost }) => !isLost);
}

/** Names of the visible folders right in a folder. */
export async function foldersIn(data: DataFolder, folder: string, lost?: string[]): Promise<string[]> {
  return ((await entries(data, folder, lost)) ?? []).filter(({ isFolder }) => isFolder).map(({ name }) => name);
}

/** Names of the image files right in a folder. */
export async function imagesIn(data: DataFolder, folder: string, lost?: string[]): Promise<string[]> {
  const found = (await entries(data, folder, lost)) ?? [];
  return found.filter(({ name, isFolder }) => !isFolder && IMAGE_NAME.test(name)).map(({ name }) => name);
}

/** What a walk comes to. `unlistable`: a folder, and why. */
export type WalkedFile =
  | { readonly path: string; readonly kind: 'file' | 'hidden' }
  | { readonly path: string; readonly kind: 'lost'; readonly isFolder: boolean }
  | { readonly path: string; readonly kind: 'unlistable'; readonly error: InputError };

/**
 * All files in a folder and below it. Hidden folders are not entered. Links are followed, after all else, so that a file is found under its
 * own path first; no folder is entered twice, nor one of `visited` (see `DataFolder.identity`).
 */
export async function* filesBelow(
  data: DataFolder,
  top = '',
  visited: Iterable<string> = [],
): AsyncGenerator<WalkedFile> {
  const seen = new Set(visited);
  const linked = [top];
  for (const start of linked) {
    const waiting = [start];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      let entries: readonly FolderEntry[];
      try {
        const identity = await data.identity(folder);
        if (seen.has(identity)) continue;
        seen.add(identity);
        entries = [...((await data.list(folder)) ?? [])].sort((a, b) => byCodeUnit(a.name, b.name));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        yield { path: folder, kind: 'unlistable', error };
        continue;
      }
      const inner: string[] = [];
      for (const { name, isFolder, isLink, isLost } of entries) {
        const path = joined(folder, name);
        if (isHidden(name)) yield { path, kind: 'hidden' };
        else if (isLost) yield { path, kind: 'lost', isFolder };
        else if (!isFolder) yield { path, kind: 'file' };
        else if (isLink) linked.push(path);
        else inner.push(path);
      }
      for (const path of inner.reverse()) waiting.push(path);
    }
  }
}

/** Paths of the image files in a folder and in those below it; see `filesBelow`. Throws InputError for a folder that cannot be listed. */
export async function imagesBelow(
  data: DataFolder,
  folder: string,
  visited: Iterable<string>,
  lost: string[] = [],
): Promise<string[]> {
  const images: string[] = [];
  for await (const walked of filesBelow(data, folder, visited)) {
    if (walked.kind === 'unlistable') throw walked.error;
    if (walked.kind === 'lost') lost.push(data.place(walked.path));
    else if (walked.kind === 'file' && IMAGE_NAME.test(walked.path)) images.push(walked.path);
  }
  return images;
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

  constructor(private readonly data: DataFolder) {}

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
      const found = await entries(this.data, path);
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
    const like = nameLike(await foldersIn(this.data, above.path), path.slice(slash + 1));
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
