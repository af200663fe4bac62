/** Data sets on disk: the folder that `src/ptdpc/datasets/` reads, and what it found, with paths of the file system. */
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../errors.js';
import {
  checkReadDataset,
  type DataFolder,
  type Dataset,
  type DatasetCheck,
  type DatasetOptions,
  type FolderEntry,
  isManifestName,
  type LabelledPath,
  readDataset,
  SPLITS,
  type Split,
} from '../../ptdpc/datasets/index.js';
import { exists, MAX_DATA_BYTES, readText } from '../checkpoint-files.js';
import { readCsv } from '../csv-file.js';
import { errorCode, explained } from '../system-error.js';

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

/**
 * Reads the lists of the data set in the folder, or of the manifest, `root`. Throws InputError as `readDataset` does, and if there is
 * nothing at `root`.
 */
export async function openDataset(root: string, options: DatasetOptions = {}): Promise<Dataset> {
  const { directory, data, manifest } = await dataAt(root);
  return located((await readDataset(data, { ...options, manifest })).dataset, directory);
}

/** Reads a data set as `openDataset` does, counts it, and looks in its folder for what is not used. */
export async function checkDataset(root: string, options: DatasetOptions = {}): Promise<DatasetCheck> {
  const { directory, data, manifest } = await dataAt(root);
  const check = await checkReadDataset(data, await readDataset(data, { ...options, manifest }));
  return { ...check, dataset: located(check.dataset, directory) };
}

async function dataAt(root: string) {
  if (!(await exists(root))) throw new InputError(`${root}: not found; expected a folder of images or a manifest`);
  const isManifest = isManifestName(root);
  const directory = isManifest ? dirname(root) : root;
  return { directory, data: diskFolder(directory, root), manifest: isManifest ? basename(root) : undefined };
}

/** The data set with paths of the file system. */
function located(dataset: Dataset, directory: string): Dataset {
  const splits: Partial<Record<Split, readonly LabelledPath[]>> = {};
  for (const split of SPLITS) {
    const images = dataset.splits[split];
    if (images) splits[split] = images.map(({ path, label }) => ({ path: join(directory, path), label }));
  }
  return { ...dataset, splits };
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
