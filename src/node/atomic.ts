/**
 * Files and directories that appear whole or not at all: written under a temporary name beside their place, flushed to
 * the disk, then renamed. After an error or Ctrl-C nothing of them is left; what a killed process left is removed by the next one that
 * writes to the same place.
 */
import { rmSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ByteSink } from '../clip/checkpoint/safetensors-writer.js';
import { InputError } from '../errors.js';
import { onInterrupt } from './interrupt.js';
import { takeLock } from './lock.js';
import { makeFolder, requireWritable } from './make-folder.js';
import { kindOfFile, naming } from './system-error.js';
import { removeLeftBehind, temporaryPath } from './temporary-files.js';

/** Writes a file from chunks that `fill` passes to its sink one after the other; replaces an existing one. */
export async function createFileAtomically(path: string, fill: (sink: ByteSink) => Promise<void>): Promise<void> {
  await requirePlaceForFile(path);
  await inPlaceOf(path, async (temporary) => {
    const file = await open(temporary, 'wx');
    try {
      await fill((chunk) => writeAll(file, chunk));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  });
}

/** Writes a file of known contents; replaces an existing one. */
export async function writeFileAtomically(path: string, data: Uint8Array | string): Promise<void> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  await createFileAtomically(path, async (sink) => sink(bytes));
}

/**
 * Creates a directory (and the ones above it) from what `fill` puts into the temporary one that it is given. Throws
 * InputError where `path` exists and is not an empty directory, or another process is making it, before `fill` is called.
 */
export async function createDirectoryAtomically(
  path: string,
  fill: (directory: string) => Promise<void>,
): Promise<void> {
  await requireNothingAt(path);
  await inPlaceOf(path, async (temporary) => {
    await using _lock = await takeLock(join(dirname(temporary), `.${basename(resolve(path))}.lock`), { what: path });
    // The process that had the lock before may have been making it.
    await requireNothingAt(path);
    await mkdir(temporary);
    await fill(temporary);
    await syncTree(temporary);
    // Not every system renames onto an empty directory.
    await rmdir(path).catch(() => {});
    await rename(temporary, path);
  });
}

/** A sink for directories (see `DirectorySink` of clip/checkpoint): files come one after the other. Close it at the end. */
export function directorySink(directory: string): {
  write(fileName: string, chunk: Uint8Array): Promise<void>;
  close(): Promise<void>;
} {
  let current: { name: string; file: FileHandle } | undefined;
  const close = async () => {
    await current?.file.close();
    current = undefined;
  };
  return {
    write: async (name, chunk) => {
      if (current?.name !== name) {
        await close();
        current = { name, file: await open(join(directory, name), 'wx') };
      }
      await writeAll(current.file, chunk);
    },
    close,
  };
}

/** Throws InputError unless `path` is free for a new directory: absent, or an empty directory. */
export async function requireNothingAt(path: string): Promise<void> {
  const status = await stat(path).catch(() => undefined);
  if (!status) return;
  if (!status.isDirectory()) throw new InputError(`${path}: expected a folder or nothing there yet, found a file`);
  const entries = await naming(path, 'cannot be read', () => readdir(path));
  if (entries.length > 0) {
    throw new InputError(`${path}: the folder is not empty; choose another one or delete it first`);
  }
}

/**
 * Throws InputError where `path` cannot become a file because there is something else, such as a folder; a device would be
 * replaced by a file; or because nothing can be written there. To be asked before long work.
 */
export async function requirePlaceForFile(path: string): Promise<void> {
  const status = await stat(path).catch(() => undefined);
  if (status && !status.isFile())
    throw new InputError(`${path}: expected the name of a file to write, found ${kindOfFile(status)}`);
  await requireWritable(path);
}

/** Runs `body` with a temporary name beside `path`; removes what is there, and the parents made for it, if that fails. */
async function inPlaceOf(path: string, body: (temporary: string) => Promise<void>): Promise<void> {
  const parent = dirname(resolve(path));
  const temporary = temporaryPath(path);
  const forget = onInterrupt(() => rmSync(temporary, { recursive: true, force: true }));
  let madeParent: string | undefined;
  try {
    await naming(path, 'cannot be written', async () => {
      madeParent = await makeFolder(parent);
      await removeLeftBehind(parent, basename(resolve(path)));
      await body(temporary);
    });
  } catch (error) {
    // Whatever stands in the way of this, the first error is the one to hear of.
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    if (madeParent) await removeEmptyUpTo(madeParent, parent);
    throw error;
  } finally {
    forget();
  }
}

/** Removes `directory` and the ones above it up to `top`, as long as they are empty. */
async function removeEmptyUpTo(top: string, directory: string): Promise<void> {
  for (let at = directory; ; at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      return;
    }
    if (at === top) return;
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done);
    done += bytesWritten;
  }
}

/** Flushes every file below a directory to the disk. */
async function syncTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      await syncTree(path);
      continue;
    }
    const file = await open(path, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }
}
