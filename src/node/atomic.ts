/**
 * Files and directories that appear complete or not at all: written under a temporary name beside their place, flushed to disk,
 * then renamed. An error or Ctrl-C removes what was written; what a killed process left is removed by the next one that writes to
 * the same place.
 *
 * A growing directory takes several calls to complete, so it has a fixed temporary name, under which the next call finds it:
 *
 *     <parent>/.<name>.partial/        what there is so far
 *     <parent>/.<name>.partial.lock    held by the process at work
 */
import { closeSync, createReadStream, mkdirSync, openSync, rmSync } from 'node:fs';
import { type FileHandle, lstat, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ByteSink } from '../clip/checkpoint/safetensors-writer.js';
import { InputError } from '../errors.js';
import { span } from '../trace.js';
import { takeLock, tryLock } from './lock.js';
import { makeFolder, requireWritable } from './make-folder.js';
import { isOwn, OwnFolder, openToAppend, PRIVATE, removeOwn } from './own-files.js';
import { removeLeftBehind, temporaryPath } from './process-tag.js';
import { onSignals } from './signals.js';
import { kindOfFile, naming } from './system-error.js';

/** Writes a file from chunks that `fill` passes to its sink one after the other; replaces an existing file. */
export async function createFileAtomically(path: string, fill: (sink: ByteSink) => Promise<void>): Promise<void> {
  using _ = span('write', { file: path });
  await requirePlaceForFile(path);
  await writeBeside(path, async (temporary) => {
    // Created in a synchronous call, since a signal's handler could otherwise remove it a moment before it exists.
    closeSync(openSync(temporary, 'wx'));
    await using file = await openToAppend(temporary);
    await fill((chunk) => file.appendFile(chunk));
    await file.sync();
    await rename(temporary, path);
  });
}

/**
 * Writes a file whose name is known only at its end: `fill` passes chunks to `sink`, and then calls `moveTo` once with the name, which is of
 * the folder of `path`. If it does not, nothing is left. Returns what `fill` returns.
 */
export async function createFileNamedLast<T>(
  path: string,
  fill: (sink: ByteSink, moveTo: (name: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  return await inFileBeside(path, (file, temporary) =>
    fill(
      (chunk) => file.appendFile(chunk),
      async (name) => {
        await requirePlaceForFile(name);
        await file.sync();
        await rename(temporary, name);
      },
    ),
  );
}

/**
 * Keeps bytes in a file beside `path` until all of them have come: `use` passes them to `sink` and reads them again by `chunks`. Nothing of
 * it is left.
 */
export async function withSpool<T>(
  path: string,
  use: (sink: ByteSink, chunks: () => AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  return await inFileBeside(path, (file, temporary) =>
    use(
      (chunk) => file.appendFile(chunk),
      () => createReadStream(temporary, { highWaterMark: 2 ** 20 }),
    ),
  );
}

/** Calls `use` with a new file beside `path` and its name; it is removed at the end, unless `use` has moved it. */
async function inFileBeside<T>(path: string, use: (file: FileHandle, temporary: string) => Promise<T>): Promise<T> {
  let found: { readonly value: T } | undefined;
  const write = async (temporary: string) => {
    closeSync(openSync(temporary, 'wx'));
    await using file = await openToAppend(temporary);
    const value = await use(file, temporary);
    await rm(temporary, { force: true });
    found = { value };
  };
  await writeBeside(path, write, { computes: true });
  return found!.value;
}

/** Writes a file from its contents, or from its lines one after the other; replaces an existing file. */
export async function writeFileAtomically(path: string, data: Uint8Array | Iterable<string>): Promise<void> {
  await createFileAtomically(path, async (sink) => {
    if (data instanceof Uint8Array) return await sink(data);
    if (typeof data === 'string') return await sink(Buffer.from(data));
    let block = '';
    for (const line of data) {
      block += line;
      if (block.length < 2 ** 20) continue;
      await sink(Buffer.from(block));
      block = '';
    }
    await sink(Buffer.from(block));
  });
}

/**
 * Creates a directory, and missing parents, from what `fill` writes into the temporary directory that it is given. Throws
 * InputError before calling `fill` if `path` exists and is not an empty directory, or if another process is creating it.
 */
export async function createDirectoryAtomically(
  path: string,
  fill: (directory: string) => Promise<void>,
): Promise<void> {
  await requireNothingAt(path);
  await writeBeside(path, async (temporary) => {
    await using _lock = await takeLock(hidden(path, 'lock'), { what: path });
    await using _signals = removedBySignal(hidden(path, 'lock'));
    // The previous holder of the lock may have created it.
    await requireNothingAt(path);
    mkdirSync(temporary, PRIVATE);
    await using folder = await OwnFolder.open(temporary);
    await folder.calling(path, () => fill(folder.path));
    await syncTree(folder.path);
    await renameDirectory(folder, temporary, path);
  });
}

/**
 * Creates a directory over several calls: `grow` is given the temporary directory with what earlier calls left in it, which takes
 * its place once `grow` succeeds. Throws InputError if `path` is taken or another process is at work on it.
 */
export async function growDirectory(path: string, grow: (directory: string) => Promise<void>): Promise<void> {
  await requireNothingAt(path);
  await inGrowingDirectory(path, async (folder, temporary) => {
    // The previous holder of the lock may have created it.
    await requireNothingAt(path);
    await grow(folder.path);
    await naming(path, 'cannot be written', () => renameDirectory(folder, temporary, path));
  });
}

/** As `growDirectory`, for files that are removed once `use` succeeds. */
export async function withGrowingDirectory(path: string, use: (directory: string) => Promise<void>): Promise<void> {
  await inGrowingDirectory(path, (folder) => use(folder.path));
}

/** Calls `body` with the growing directory of `path` and its name. Nobody else can write to it, or exchange it for another one. */
async function inGrowingDirectory(
  path: string,
  body: (folder: OwnFolder, temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = hidden(path, 'partial');
  await naming(path, 'cannot be written', () => makeFolder(dirname(temporary)));
  await using _lock = await takeLock(hidden(path, 'partial.lock'), { what: path });
  await using folder = await naming(path, 'cannot be written', async () => {
    await makeFolder(temporary, PRIVATE);
    return await OwnFolder.open(temporary);
  });
  await requirePlainTree(folder.path, temporary);
  try {
    await folder.calling(temporary, () => body(folder, temporary));
    if (await folder.isAt(temporary)) await removeOwn(temporary);
  } catch (error) {
    // Removed only if empty.
    await rmdir(temporary).catch(() => {});
    throw error;
  }
}

/** Removes the lock that a process left if it was killed just after its growing directory took its place. */
export async function removeDeadLock(path: string): Promise<void> {
  const lock = hidden(path, 'partial.lock');
  // Without one there is nothing to do, even if nothing can be written.
  if (!(await lstat(lock).catch(() => undefined))) return;
  await using _lock = await tryLock(lock, { what: path }).catch(() => undefined);
}

/** Writes the files of a directory one after the other (see `DirectorySink` of clip/checkpoint). Close it at the end. */
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
      await current.file.appendFile(chunk);
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
 * Throws InputError unless a file can be written to `path`. A rename would replace a device by a file, so devices are refused as
 * folders are. Call this before long work.
 */
export async function requirePlaceForFile(path: string): Promise<void> {
  const status = await stat(path).catch(() => undefined);
  if (status && !status.isFile())
    throw new InputError(`${path}: expected the name of a file to write, found ${kindOfFile(status)}`);
  await requireWritable(path);
}

/**
 * Calls `body` with a temporary name beside `path`. If that fails, removes what is there and the parents made for it. `computes`: `body` does
 * more than write, so a signal ends the process at once, and what it wrote is removed by the next one that writes here.
 */
async function writeBeside(
  path: string,
  body: (temporary: string) => Promise<void>,
  { computes = false } = {},
): Promise<void> {
  const parent = dirname(resolve(path));
  const temporary = temporaryPath(path);
  await using _ = computes ? undefined : removedBySignal(temporary);
  let madeParent: string | undefined;
  try {
    await naming(path, 'cannot be written', async () => {
      madeParent = await makeFolder(parent);
      await removeLeftBehind(parent, basename(resolve(path)));
      await body(temporary);
    });
  } catch (error) {
    // The first error is the one to report, whatever goes wrong while cleaning up.
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    if (madeParent) await removeEmptyUpTo(madeParent, parent);
    throw error;
  }
}

/**
 * Until it is disposed, Ctrl-C and SIGTERM remove `temporary` before they end the process. A handler waits until the main thread is idle,
 * so there is one only while files are written; everywhere else a signal ends the process at once, by default.
 */
function removedBySignal(temporary: string): AsyncDisposable {
  return onSignals(['SIGINT', 'SIGTERM'], (signal) => {
    rmSync(temporary, { recursive: true, force: true });
    process.kill(process.pid, signal);
  });
}

/** A fixed hidden name beside `path`. */
function hidden(path: string, suffix: string): string {
  const target = resolve(path);
  return join(dirname(target), `.${basename(target)}.${suffix}`);
}

/** Gives a finished folder its name, with the permissions of any other. Throws InputError if something else has taken its place meanwhile. */
async function renameDirectory(folder: OwnFolder, from: string, to: string): Promise<void> {
  // Not every system renames onto an empty directory.
  await rmdir(to).catch(() => {});
  await rename(from, to);
  if (!(await folder.isAt(to)))
    throw new InputError(`${to}: it is not what was written; someone else exchanged ${from}; delete it`);
  await folder.publish();
}

/** Removes `directory` and its parents up to `top`, as long as they are empty. */
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

/** Flushes every file below a directory to disk. */
async function syncTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) continue;
    await using file = await open(join(entry.parentPath, entry.name), 'r+');
    await file.sync();
  }
}

/**
 * Throws InputError unless a directory to be continued, called `name`, holds plain files and folders of this user only: writing through a
 * link, or to a file that has another name as well, would change files elsewhere.
 */
async function requirePlainTree(directory: string, name: string): Promise<void> {
  for (const entry of await naming(name, 'cannot be read', () => readdir(directory, { recursive: true }))) {
    const status = await lstat(join(directory, entry));
    const isPlain = isOwn(status) && (status.isDirectory() || (status.isFile() && status.nlink === 1));
    if (!isPlain)
      throw new InputError(
        `${join(name, entry)}: expected what an earlier call left, found ${status.isFile() ? 'a file that is not its alone' : kindOfFile(status)}; delete it`,
      );
  }
}
