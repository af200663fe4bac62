/** Folders for output: creating them, and checking before long work that the output can be written there. */
import { access, constants, mkdir, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InputError } from '../errors.js';
import { errorCode, explained, kindOfFile, naming } from './system-error.js';

/**
 * Creates a folder, with the permissions `mode`, and its missing parents. Returns the topmost folder that it created, if any. Throws the
 * system's errors.
 *
 * Node's recursive mkdir (of 20.20 and 24.21) never returns for folders below /proc, where creating anything fails with ENOENT.
 */
export async function makeFolder(path: string, mode?: number): Promise<string | undefined> {
  const missing: string[] = [];
  let at = resolve(path);
  for (; !(await isThere(at)); at = dirname(at)) missing.unshift(at);
  let topmost: string | undefined;
  // If it exists and is not a folder, mkdir throws.
  for (const folder of missing.length > 0 ? missing : [at]) {
    try {
      await mkdir(folder, folder === resolve(path) ? mode : undefined);
      topmost ??= folder;
    } catch (error) {
      const isFolder = errorCode(error) === 'EEXIST' && (await stat(folder).catch(() => undefined))?.isDirectory();
      if (!isFolder) throw error;
    }
  }
  return topmost;
}

/** Throws InputError, beginning with `what`, unless there is a folder `path`. */
export async function requireFolder(path: string, what = ''): Promise<void> {
  const status = await stat(path).catch((error: unknown) => {
    throw new InputError(
      `${what}${path}: no such folder${errorCode(error) === 'ENOENT' ? '' : ` (${explained(error)})`}`,
    );
  });
  if (!status.isDirectory()) throw new InputError(`${what}${path}: expected a folder, found ${kindOfFile(status)}`);
}

/** Throws InputError unless `path`, or the folders that would be created for it, can be written. */
export async function requireWritable(path: string): Promise<void> {
  await naming(path, 'cannot be written', async () => access(`${await nearestFolder(path)}/.`, constants.W_OK));
}

/** Throws InputError unless the disk that `path` would be on has room for `bytes` more. */
export async function requireSpace(path: string, bytes: number): Promise<void> {
  const status = await nearestFolder(path)
    .then((folder) => statfs(folder))
    .catch(() => undefined);
  // Some network file systems do not tell; then writing will show.
  if (!status || status.blocks === 0) return;
  const free = status.bavail * status.bsize;
  if (bytes <= free) return;
  throw new InputError(`${path}: needs ${megabytes(bytes)}, and its disk has ${megabytes(free)} left`);
}

/** The nearest existing parent of `path`, which may be a file. */
async function nearestFolder(path: string): Promise<string> {
  let at = dirname(resolve(path));
  while (!(await isThere(at))) at = dirname(at);
  return at;
}

/** Throws the system's error if that cannot be told. */
async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
