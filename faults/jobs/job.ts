/** A command that is killed: its inputs, its command line, and what it may leave behind. */
import { readdir } from 'node:fs/promises';
import { isTemporary } from '../../src/node/process-tag.js';

/** What the disk holds after a kill, from the least to the most. */
export const PHASES = ['nothing', 'a lock', 'work kept', 'writing', 'complete'] as const;

/**
 * - `nothing`: the command was starting, reading or computing
 * - `a lock`: the same, with the output folder locked
 * - `work kept`: what the next call goes on with: features, finished epochs, a part of a download
 * - `writing`: a file or folder under a temporary name, or metrics that the state does not count yet
 * - `complete`: the whole output, the process still there
 */
export type Phase = (typeof PHASES)[number];

export interface Job extends AsyncDisposable {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The file or folder that is compared in the end. */
  readonly output: string;
  /** Whether the command refuses an output that is complete. */
  readonly refusesComplete?: boolean;
  /**
   * Looks at what a killed command left in `folder`, its working directory; `reference` is that of one that was not. Throws where a final
   * name holds anything but a whole output. `isNew` tells the names that the last call made from those of earlier ones.
   */
  inspect(folder: string, reference: string, isNew: (name: string) => boolean): Promise<Phase>;
}

export interface Size {
  readonly device: Device;
  /** For a test: as little work as has all phases. */
  readonly quick: boolean;
}

/** Prepares inputs in a folder that outlives all calls. */
export type Prepare = (inputs: string, size: Size) => Promise<Job>;

export type Device = 'cpu' | 'webgpu';

/** Path and kind of everything below a folder, sorted, hidden things included. */
export async function namesBelow(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}

/** Whether a path leads into or to something with a temporary name. */
export function isBelowTemporary(path: string): boolean {
  return path.split('/').some(isTemporary);
}

export function isLock(path: string): boolean {
  return path.endsWith('.lock');
}

/** Throws unless all names are accounted for. */
export function requireKnown(names: readonly string[], isKnown: (name: string) => boolean): void {
  const odd = names.filter((name) => !isKnown(name));
  if (odd.length > 0) throw new Error(`unexpected: ${odd.join(', ')}`);
}

/** The phase of a command that has not finished. */
export function phaseOf(names: readonly string[], isNew: (name: string) => boolean, kept: boolean): Phase {
  if (names.some((name) => isBelowTemporary(name) && isNew(name))) return 'writing';
  if (kept) return 'work kept';
  return names.some((name) => isLock(name) && isNew(name)) ? 'a lock' : 'nothing';
}
