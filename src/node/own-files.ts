/**
 * Opens files and folders in places where another user of the machine may have put something else in their way: a link to one of our
 * files, a pipe, a device, a file or folder of their own. Everything is checked on the open descriptor, so that nothing can be
 * exchanged between the check and the use. docs/security.md states whom this defends against.
 */
import { existsSync, type Stats } from 'node:fs';
import { constants, type FileHandle, lstat, open, readdir, realpath, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { errorCode, kindOfFile } from './system-error.js';

const { O_APPEND, O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;

/** Write permission for everyone, and for the group. */
const WORLD_WRITABLE = 0o002;
const SHARED_WRITABLE = 0o022;

/** Mode of folders that only their owner can enter. */
export const PRIVATE = 0o700;

/** True if the file is of the user who runs this program. Where files have no users (Windows), every file is. */
export function isOwn({ uid }: Stats): boolean {
  return process.geteuid === undefined || uid === process.geteuid();
}

/**
 * Opens a file for reading; never through a link. Throws InputError if it is not a file or has more than `most` bytes, and the system's
 * errors. `what` names what was expected, as in "expected a lock".
 */
export async function openPlainFile(path: string, what: string, most: number): Promise<FileHandle> {
  // O_NONBLOCK: a pipe would wait for someone to write to it.
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(async (error: unknown) => {
    throw await notPlain(error, path, what);
  });
  return await checked(file, (status) => {
    if (!status.isFile()) throw new InputError(`${path}: expected ${what}, found ${kindOfFile(status)}; delete it`);
    if (status.size > most)
      throw new InputError(`${path}: expected ${what} of at most ${most} bytes, found ${status.size}; delete it`);
  });
}

/**
 * Opens a file of ours to read it and write at its end, and creates it if there is none. Throws InputError if it is a link, is known by
 * another name too (a hard link), or belongs to someone else, and the system's errors.
 */
export async function openToAppend(path: string): Promise<FileHandle> {
  const file = await open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0o666).catch(
    async (error: unknown) => {
      throw await notPlain(error, path, 'a file');
    },
  );
  return await checked(file, (status) => {
    if (!status.isFile()) throw new InputError(`${path}: expected a file, found ${kindOfFile(status)}; delete it`);
    if (!isOwn(status)) throw new InputError(`${path}: belongs to another user; it is not written to`);
    if (status.nlink > 1)
      throw new InputError(`${path}: has ${status.nlink} names (hard links), so it is not written to; delete it`);
  });
}

/** Opens with O_NOFOLLOW fail with ELOOP on links, and with ENXIO or EISDIR on other things: one message for all of them. */
async function notPlain(error: unknown, path: string, what: string): Promise<unknown> {
  if (!['ELOOP', 'EMLINK', 'ENXIO', 'EISDIR'].includes(errorCode(error))) return error;
  const status = await lstat(path).catch(() => undefined);
  return new InputError(
    `${path}: expected ${what}, found ${status ? kindOfFile(status) : 'something else'}; delete it`,
  );
}

async function checked(file: FileHandle, check: (status: Stats) => void): Promise<FileHandle> {
  try {
    check(await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Throws InputError unless `path` is a folder in which nobody else decides what lies where: not a link, of this user or of root, and not
 * writable by everyone. Members of its group may write to it: they are trusted. Nothing there is fine too.
 */
export async function requireTrustedFolder(path: string): Promise<void> {
  const status = await lstat(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (!status) return;
  if (!status.isDirectory()) throw new InputError(`${path}: expected a folder, found ${kindOfFile(status)}; delete it`);
  if (!isOwn(status) && status.uid !== 0)
    throw new InputError(`${path}: belongs to another user; choose another folder`);
  if (process.geteuid && status.mode & WORLD_WRITABLE)
    throw new InputError(`${path}: every user may write to it; run chmod o-w on it, or choose another folder`);
}

/**
 * The same for a folder whose contents are believed: of this user, and writable by nobody else. `path` may be a link of the user's, to a larger
 * disk. Throws the system's error if there is nothing.
 */
export async function requirePrivateFolder(path: string): Promise<void> {
  const folder = await realpath(path);
  const status = await lstat(folder);
  if (!status.isDirectory()) throw new InputError(`${folder}: expected a folder, found ${kindOfFile(status)}`);
  if (!isOwn(status)) throw new InputError(`${folder}: belongs to another user; choose another folder`);
  if (process.geteuid && status.mode & SHARED_WRITABLE)
    throw new InputError(`${folder}: other users may write to it; run chmod go-w on it, or choose another folder`);
}

/** An open folder of ours that nobody else can write to. */
export class OwnFolder implements AsyncDisposable {
  private constructor(
    private readonly handle: FileHandle,
    /**
     * A path to it. On Linux it leads through the descriptor, so that it is this very folder whatever becomes of its name; elsewhere it is
     * the name.
     */
    readonly path: string,
  ) {}

  /**
   * Opens a folder that exists, and takes the right to write to it from everyone else. Throws InputError if it is a link or something
   * else, or belongs to someone else, and the system's errors.
   */
  static async open(name: string): Promise<OwnFolder> {
    const handle = await open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(async (error: unknown) => {
      const status = await lstat(name).catch(() => undefined);
      if (!status || status.isDirectory()) throw error;
      throw new InputError(`${name}: expected a folder, found ${kindOfFile(status)}; delete it`);
    });
    try {
      const status = await handle.stat();
      if (!isOwn(status)) throw new InputError(`${name}: belongs to another user; choose another folder`);
      if (status.mode & SHARED_WRITABLE && process.geteuid) await handle.chmod(status.mode & 0o7777 & ~SHARED_WRITABLE);
    } catch (error) {
      await handle.close();
      throw error;
    }
    const descriptor = `/proc/self/fd/${handle.fd}`;
    const hasDescriptors = process.platform === 'linux' && existsSync(descriptor);
    return new OwnFolder(handle, hasDescriptors ? descriptor : name);
  }

  /** Runs `body`, whose errors call the folder by this name. */
  async calling<T>(name: string, body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      if (error instanceof InputError) error.message = error.message.replaceAll(`${this.path}/`, `${name}/`);
      throw error;
    }
  }

  /** Whether `path` leads to this folder, and not through a link. */
  async isAt(path: string): Promise<boolean> {
    const [own, found] = [await this.handle.stat(), await lstat(path).catch(() => undefined)];
    return found !== undefined && own.ino === found.ino && own.dev === found.dev;
  }

  /** Gives it the permissions of any new folder. */
  async publish(): Promise<void> {
    await this.handle.chmod(0o777 & ~process.umask());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close();
  }
}

/** Removes a file, a link or a folder with its contents, if it is ours; never what a link leads to. What cannot be removed stays. */
export async function removeOwn(path: string): Promise<void> {
  const status = await lstat(path).catch(() => undefined);
  if (!status || !isOwn(status)) return;
  if (!status.isDirectory()) return await rm(path, { force: true }).catch(() => {});
  try {
    await using folder = await OwnFolder.open(path);
    for (const name of await readdir(folder.path)) await removeOwn(join(folder.path, name));
    if (await folder.isAt(path)) await rmdir(path);
  } catch {
    // It stays.
  }
}
