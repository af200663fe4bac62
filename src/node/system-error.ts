/** What the operating system refuses is bad input (a wrong path, a full disk), not a defect: one line, with its short code. */
import type { Stats } from 'node:fs';
import { InputError, isError, messageOf } from '../errors.js';

/** Node's short code, e.g. ENOENT, or the message if there is none. */
export function errorCode(error: unknown): string {
  return hasCode(error) ? error.code : messageOf(error);
}

/** Codes in words. What is not among them is shown as it is. */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'no such file or folder'],
  ['ENOTDIR', 'a part of the path is a file, not a folder'],
  ['EISDIR', 'it is a folder'],
  ['EEXIST', 'it exists already'],
  ['ENOTEMPTY', 'the folder is not empty'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'not permitted'],
  ['ELOOP', 'too many links'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['EBUSY', 'it is in use'],
  ['EIO', 'input/output error'],
  ['ENOSPC', 'no space left on the disk'],
  ['EDQUOT', 'the quota of disk space is used up'],
  ['EROFS', 'a read-only file system'],
  ['EFBIG', 'larger than the file system allows'],
  ['EMFILE', 'too many open files'],
  ['ERR_INVALID_ARG_VALUE', 'a zero byte in the path'],
]);

/**
 * What went wrong, in words. Node gives a name that is not UTF-8 with U+FFFD, and finds nothing by that name: for such a `path` the words
 * say so.
 */
export function explained(error: unknown, path = ''): string {
  const code = errorCode(error);
  if (code === 'ENOENT' && path.includes('\ufffd')) return 'its name is not UTF-8: rename it';
  return MEANINGS.get(code) ?? code;
}

/** True for errors that the operating system gave, as opposed to errors in this program. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return hasCode(error) && 'syscall' in error;
}

/** True for a path that no file can have, which Node refuses before the system sees it: one with a zero byte. */
function isImpossiblePath(error: unknown): boolean {
  return hasCode(error) && error.code === 'ERR_INVALID_ARG_VALUE';
}

function hasCode(error: unknown): error is Error & { code: string } {
  return isError(error) && 'code' in error && typeof error.code === 'string';
}

/** Runs `body`; an error of the operating system becomes an InputError `<path>: <what> (<why>)`. */
export async function naming<T>(path: string, what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (isSystemError(error) || isImpossiblePath(error))
      throw new InputError(`${path}: ${what} (${explained(error, path)})`);
    throw error;
  }
}

/** What stands where a file was expected. */
export function kindOfFile(status: Stats): string {
  if (status.isDirectory()) return 'a folder';
  if (status.isSymbolicLink()) return 'a link';
  if (status.isFIFO()) return 'a pipe';
  if (status.isSocket()) return 'a socket';
  return status.isFile() ? 'a file' : 'a device';
}
