/** What the operating system refuses is bad input (a wrong path, a full disk), not a defect: one line, with its short code. */
import type { Stats } from 'node:fs';
import { InputError, isError, messageOf } from '../errors.js';

/** Node's short code, e.g. ENOENT, or the message where there is none. */
export function errorCode(error: unknown): string {
  return hasCode(error) ? error.code : messageOf(error);
}

/** What a code means that not everybody knows by heart, and that somebody can do something about. */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'no space left on the disk'],
  ['EDQUOT', 'the quota of disk space is used up'],
  ['EROFS', 'a read-only file system'],
  ['EFBIG', 'larger than the file system allows'],
  ['EMFILE', 'too many open files'],
  ['ERR_INVALID_ARG_VALUE', 'a zero byte in the path'],
]);

/** The code with its meaning: `ENOSPC: no space left on the disk`. */
export function explained(error: unknown): string {
  const code = errorCode(error);
  const meaning = MEANINGS.get(code);
  return meaning === undefined ? code : `${code}: ${meaning}`;
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

/** Runs `body`; an error of the operating system becomes an InputError `<path>: <what> (<code>)`. */
export async function naming<T>(path: string, what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (isSystemError(error) || isImpossiblePath(error)) throw new InputError(`${path}: ${what} (${explained(error)})`);
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
