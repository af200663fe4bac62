/** A folder of the file system, as `src/ptdpc/datasets/` reads data sets. */
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import type { DataFolder, FolderEntry } from '../ptdpc/datasets/index.js';
import { exists, MAX_DATA_BYTES, readText } from './checkpoint-files.js';
import { readCsv } from './csv-file.js';
import { errorCode, explained } from './system-error.js';

/** The folder `directory`, which messages call `name`. */
export function diskFolder(directory: string, name = directory): DataFolder {
  const at = (path: string) => join(directory, path);
  return {
    name,
    place: at,
    list: (path) => listFolder(at(path)),
    identity: (path) => realpath(at(path)).catch(() => at(path)),
    has: (path) => exists(at(path)),
    text: (path) => readText(at(path), MAX_DATA_BYTES),
    csv: (path, quote = '"') =>
      readCsv(at(path), { quote, trim: true, skip_empty_lines: true, relax_column_count: true }),
  };
}

async function listFolder(folder: string): Promise<FolderEntry[] | undefined> {
  try {
    const found = await readdir(folder, { withFileTypes: true });
    return await Promise.all(
      found.map(async (entry): Promise<FolderEntry> => {
        const { name } = entry;
        const isLink = entry.isSymbolicLink();
        // A link that leads nowhere is listed as a file: reading it will say what is wrong.
        const target = isLink ? await stat(join(folder, name)).catch(() => undefined) : entry;
        return { name, isFolder: target?.isDirectory() ?? false, isLink, isLost: await isLost(folder, name) };
      }),
    );
  } catch (error) {
    const code = errorCode(error);
    // No folder can have a name that is too long.
    if (code === 'ENOENT' || code === 'ENAMETOOLONG') return undefined;
    throw new InputError(`${folder}: cannot be listed (${code === 'ENOTDIR' ? 'it is a file' : explained(error)})`);
  }
}

/** Whether a name is not UTF-8 on the disk: Node gives it with U+FFFD, and by that name nothing is there. */
async function isLost(folder: string, name: string): Promise<boolean> {
  if (!name.includes('\ufffd')) return false;
  return (await lstat(join(folder, name)).catch(() => undefined)) === undefined;
}
