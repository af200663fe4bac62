/** The files of a folder that the browser was given, as `src/ptdpc/datasets/` reads a folder. */
import { parse } from 'csv-parse/browser/esm/sync';
import { decodeText } from '../../src/clip/text-file.js';
import { InputError, messageOf } from '../../src/errors.js';
import type { DataFolder, FolderEntry } from '../../src/ptdpc/index.js';
import type { FolderData } from '../protocol.js';

/** The most bytes of a list of images that the page reads. */
const MAX_LIST_BYTES = 2 ** 28;

/** `files` by their paths below the folder. */
export function fileFolder(name: string, files: FolderData['files']): DataFolder {
  const byPath = new Map(files.map(({ path, file }) => [path, file]));
  const folders = foldersOf(byPath.keys());
  const place = (path: string) => (path === '' ? name : `${name}/${path}`);
  const text = async (path: string): Promise<string> => {
    const file = byPath.get(path);
    if (!file) throw new InputError(`${place(path)}: not found`);
    if (file.size > MAX_LIST_BYTES)
      throw new InputError(`${place(path)}: expected at most ${MAX_LIST_BYTES} bytes, found ${file.size}`);
    return decodeText(new Uint8Array(await file.arrayBuffer()), place(path));
  };
  return {
    name,
    place,
    text,
    list: async (path) => folders.get(path),
    identity: async (path) => path,
    has: async (path) => byPath.has(path) || folders.has(path),
    csv: async (path, quote = '"') => {
      const list = await text(path);
      try {
        return parse(list, { quote, trim: true, skip_empty_lines: true, relax_column_count: true });
      } catch (error) {
        throw new InputError(`${place(path)}: expected comma-separated values (${messageOf(error)})`);
      }
    },
  };
}

/** The entries of each folder that the paths of some files go through. */
function foldersOf(paths: Iterable<string>): ReadonlyMap<string, readonly FolderEntry[]> {
  const folders = new Map<string, Map<string, FolderEntry>>([['', new Map()]]);
  for (const path of paths) {
    const parts = path.split('/');
    let folder = '';
    for (const [i, name] of parts.entries()) {
      const isFolder = i < parts.length - 1;
      folders.get(folder)?.set(name, { name, isFolder, isLink: false, isLost: false });
      folder = folder === '' ? name : `${folder}/${name}`;
      if (isFolder && !folders.has(folder)) folders.set(folder, new Map());
    }
  }
  return new Map([...folders].map(([folder, entries]) => [folder, [...entries.values()]]));
}
