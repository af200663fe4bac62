/**
 * A directory that takes several calls to complete: it grows under a fixed temporary name beside its place, which a later
 * call finds again, and takes the place when it is whole. One process at a time works on it.
 *
 *     <parent>/.<name>.partial/        what there is so far
 *     <parent>/.<name>.partial.lock    held by the process at work (lock.ts)
 */

import { lstat, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { InputError } from '../errors.js';
import { requireNothingAt } from './atomic.js';
import { takeLock, tryLock } from './lock.js';
import { makeFolder } from './make-folder.js';
import { naming } from './system-error.js';

/**
 * Runs `grow` on the temporary directory, then moves it to `path`. What `grow` leaves behind when it fails stays for the
 * next call. Throws InputError where `path` is taken, or where another process is at work on it.
 */
export async function growDirectory(path: string, grow: (directory: string) => Promise<void>): Promise<void> {
  await requireNothingAt(path);
  await withTemporary(path, async (temporary) => {
    await grow(temporary);
    await naming(path, 'cannot be written', async () => {
      // Not every system renames onto an empty directory.
      await rmdir(path).catch(() => {});
      await rename(temporary, path);
    });
  });
}

/** As `growDirectory`, for files that are needed only until `use` has succeeded: they are removed then. */
export async function withGrowingDirectory(path: string, use: (directory: string) => Promise<void>): Promise<void> {
  await withTemporary(path, async (temporary) => {
    await use(temporary);
    await rm(temporary, { recursive: true, force: true });
  });
}

/** Removes the lock of a process that was killed just after its directory had taken its place. */
export async function removeDeadLock(path: string): Promise<void> {
  const lock = lockOf(temporaryOf(path));
  // Nothing is written where there is none.
  if (!(await lstat(lock).catch(() => undefined))) return;
  await using _lock = await tryLock(lock, { what: path }).catch(() => undefined);
}

const temporaryOf = (path: string): string => {
  const target = resolve(path);
  return join(dirname(target), `.${basename(target)}.partial`);
};
const lockOf = (temporary: string): string => `${temporary}.lock`;

async function withTemporary(path: string, body: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryOf(path);
  await naming(path, 'cannot be written', () => makeFolder(temporary));
  await using _lock = await takeLock(lockOf(temporary), { what: path });
  await requireNoLinks(temporary);
  try {
    await body(temporary);
  } finally {
    // Stays where something is in it.
    await rmdir(temporary).catch(() => {});
  }
}

/** Throws InputError where a link lies in the place of what is gone on with: it would have us write elsewhere. */
async function requireNoLinks(directory: string): Promise<void> {
  const odd = await naming(directory, 'cannot be read', async () => {
    if (!(await lstat(directory)).isDirectory()) return directory;
    const there = await readdir(directory, { withFileTypes: true, recursive: true });
    const found = there.find((entry) => !entry.isFile() && !entry.isDirectory());
    return found && join(found.parentPath, found.name);
  });
  if (odd === undefined) return;
  throw new InputError(`${odd}: expected what an earlier call left, found a link or a device; delete it`);
}
