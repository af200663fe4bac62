/** What the operating system refuses is bad input (a wrong path, a full disk), not a defect: one line, with its short code. */
import { InputError } from '../errors.js';

/** Node's short code, e.g. ENOENT, or the message where there is none. */
export function errorCode(error: unknown): string {
  if (error instanceof Error) return 'code' in error ? String(error.code) : error.message;
  return String(error);
}

/** True for errors that the operating system gave, as opposed to errors in this program. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

/** Runs `body`; an error of the operating system becomes an InputError `<path>: <what> (<code>)`. */
export async function naming<T>(path: string, what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (isSystemError(error)) throw new InputError(`${path}: ${what} (${errorCode(error)})`);
    throw error;
  }
}
