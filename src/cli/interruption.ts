/** What an interrupted command reports: what exists so far, and the command line that resumes. */
import { whenInterrupted } from '../node/interrupt.js';
import { commandLine } from './command-line.js';
import { cacheDirectory } from './encoding.js';
import type { CacheOptions } from './options.js';

/** Of a command that writes its result as a whole, at the end. */
export function nothingWritten(): Disposable {
  return whenInterrupted(() => `nothing was written; start again with: ${commandLine()}`);
}

/** Of a command whose images' features are kept as they are encoded, where there is a cache. */
export function featuresKept(options: CacheOptions): Disposable {
  if (cacheDirectory(options) === undefined) return nothingWritten();
  return whenInterrupted(() => `features encoded so far are kept; resume with: ${commandLine()}`);
}
