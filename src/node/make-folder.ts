/** Folders for output, and whether what is to be written has a place there, asked before long work. */
import { access, constants, mkdir, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InputError } from '../errors.js';
import { errorCode, naming } from './system-error.js';

/**
 * Creates a folder and those above it. Returns the topmost that it made; undefined where all were there. Throws the system's errors.
 *
 * Node's own recursive mkdir never comes back from a folder that says of new names that they do not exist, as /proc does.
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  const missing: string[] = [];
  let at = resolve(path);
  for (; !(await isThere(at)); at = dirname(at)) missing.unshift(at);
  let topmost: string | undefined;
  // What is there may be no folder: the system says so.
  for (const folder of missing.length > 0 ? missing : [at]) {
    try {
      await mkdir(folder);
      topmost ??= folder;
    } catch (error) {
      const isFolder = errorCode(error) === 'EEXIST' && (await stat(folder).catch(() => undefined))?.isDirectory();
      if (!isFolder) throw error;
    }
  }
  return topmost;
}

/** Throws InputError where nothing can be written beside `path`, or in the folders that would be made for it. */
export async function requireWritable(path: string): Promise<void> {
  await naming(path, 'cannot be written', async () => access(`${await nearestFolder(path)}/.`, constants.W_OK));
}

/** Throws InputError unless the disk that `path` would be on has room for so many bytes more. */
export async function requireSpace(path: string, bytes: number): Promise<void> {
  const status = await nearestFolder(path)
    .then((folder) => statfs(folder))
    .catch(() => undefined);
  // Where it cannot be told, as on some network file systems, writing will show.
  if (!status || status.blocks === 0) return;
  const free = status.bavail * status.bsize;
  if (bytes <= free) return;
  throw new InputError(`${path}: needs ${megabytes(bytes)}, and its disk has ${megabytes(free)} left`);
}

/** The folder that `path` is in, or the nearest above it that is there; it may be none, but a file. */
async function nearestFolder(path: string): Promise<string> {
  let at = dirname(resolve(path));
  while (!(await isThere(at))) at = dirname(at);
  return at;
}

/** Throws the system's error where it cannot be told. The root is always there. */
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
