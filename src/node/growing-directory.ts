/**
 * A directory that takes several calls to complete: it grows under a fixed temporary name beside its place, which a later
 * call finds again, and takes the place when it is whole. One process at a time works on it.
 *
 *     <parent>/.<name>.partial/        what there is so far
 *     <parent>/.<name>.partial.lock    the number of the process at work
 */

import { rmSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { InputError } from '../errors.js';
import { requireNothingAt } from './atomic.js';
import { onInterrupt } from './interrupt.js';
import { errorCode, naming } from './system-error.js';

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

async function withTemporary(path: string, body: (temporary: string) => Promise<void>): Promise<void> {
  const target = resolve(path);
  const temporary = join(dirname(target), `.${basename(target)}.partial`);
  await naming(path, 'cannot be written', () => mkdir(temporary, { recursive: true }));
  const lock = `${temporary}.lock`;
  await takeLock(lock, path);
  const forget = onInterrupt(() => rmSync(lock, { force: true }));
  try {
    await body(temporary);
  } finally {
    forget();
    held.delete(lock);
    await rm(lock, { force: true }).catch(() => {});
    // Stays where something is in it.
    await rmdir(temporary).catch(() => {});
  }
}

/** Locks of this process. In a container, one that an earlier process left may well name our own number. */
const held = new Set<string>();

/** Creates the lock file. One whose process has ended without removing it does not count. */
async function takeLock(lock: string, path: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      const file = await open(lock, 'wx');
      await file.writeFile(`${process.pid}\n`).finally(() => file.close());
      held.add(lock);
      return;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw new InputError(`${path}: cannot be written (${errorCode(error)})`);
    }
    const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
    const isAtWork = owner === process.pid ? held.has(lock) : owner > 0 && isRunning(owner);
    if (attempt > 0 || isAtWork) {
      throw new InputError(
        `${path}: process ${owner || '?'} is at work on it; wait for it, or delete ${lock} if that is not so`,
      );
    }
    await naming(path, 'cannot be written', () => rm(lock, { force: true }));
  }
}

function isRunning(process_: number): boolean {
  try {
    process.kill(process_, 0);
    return true;
  } catch (error) {
    // Somebody else's process runs too.
    return errorCode(error) === 'EPERM';
  }
}
