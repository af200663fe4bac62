/**
 * Which folders of images this user's commands were pointed at (`--data`), one path per line in
 * <cache folder>/data-folders.txt.
 *
 * A run or a plan from someone else names its images by any path it likes. A report embeds pictures, so it shows those of a known folder
 * only: otherwise the page of a received run could carry private pictures of its reader.
 */
import { realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { InputError } from '../errors.js';
import { exists, MAX_DATA_BYTES } from './checkpoint-files.js';
import { makeFolder } from './make-folder.js';
import { openPlainFile, openToAppend, PRIVATE, requirePrivateFolder } from './own-files.js';
import { defaultCacheDirectory } from './package.js';
import { isSystemError } from './system-error.js';

const listPath = (): string => join(defaultCacheDirectory(), 'data-folders.txt');

/** Notes that the user named this folder, or the folder of this manifest. Where that cannot be noted, reports want `--data` again. */
export async function rememberFolder(path: string): Promise<void> {
  try {
    const folder = await realpath(path);
    if (folder.includes('\n') || (await isKnown(folder))) return;
    await makeFolder(dirname(listPath()), PRIVATE);
    await requirePrivateFolder(dirname(listPath()));
    await using file = await openToAppend(listPath());
    await file.appendFile(`${folder}\n`);
  } catch (error) {
    if (!(error instanceof InputError || isSystemError(error))) throw error;
  }
}

/** Whether a folder is, or lies below, one that the user named before. */
export async function isKnownFolder(path: string): Promise<boolean> {
  try {
    return await isKnown(await realpath(path));
  } catch (error) {
    if (error instanceof InputError || isSystemError(error)) return false;
    throw error;
  }
}

async function isKnown(folder: string): Promise<boolean> {
  const path = listPath();
  if (!(await exists(path))) return false;
  await requirePrivateFolder(dirname(path));
  await using file = await openPlainFile(path, 'a list of folders', MAX_DATA_BYTES);
  const known = (await file.readFile('utf8')).split('\n').filter((line) => line !== '');
  // A manifest's own name is noted: its folder is meant.
  return known.some((one) => folder === one || folder === dirname(one) || folder.startsWith(one + sep));
}

/** Whether `path` leads to something in `folder`, with all links followed. */
export async function liesIn(folder: string, path: string): Promise<boolean> {
  const [inside, outside] = await Promise.all([path, folder].map((one) => realpath(one).catch(() => undefined)));
  return inside !== undefined && outside !== undefined && inside.startsWith(outside + sep);
}
