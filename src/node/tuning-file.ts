/**
 * What `ptdpc autotune` measured, kept on disk by adapter: a JSON file each in the cache directory's `tuning` folder. Its name
 * depends on the adapter, its driver, and the shaders, so that after an update of either one measures anew.
 */
import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { type AdapterSummary, parseTuning, type Timing, type Tuning } from '../kernels/index.js';
import { shaders } from '../kernels/webgpu/shaders.generated.js';
import { writeFileAtomically } from './atomic.js';
import { exists, readText } from './checkpoint-files.js';
import { defaultCacheDirectory } from './package.js';
import { errorCode } from './system-error.js';

export interface TuningRecord {
  /** Description of the adapter. */
  readonly adapter: string;
  /** ISO 8601. */
  readonly measured: string;
  readonly tuning: Tuning;
  readonly timings: readonly Timing[];
}

/** Where an adapter's tuning lies, or would. */
export function tuningPath({ description, vendor, architecture, subgroupSize }: AdapterSummary): string {
  const key = JSON.stringify([description, vendor, architecture, subgroupSize, shaders]);
  return join(tuningFolder(), `${createHash('sha256').update(key).digest('hex').slice(0, 16)}.json`);
}

/** The adapter's tuning, if it was measured with this version's shaders. `warn` is called with a damaged file, which counts as none. */
export async function readTuning(
  adapter: AdapterSummary,
  warn: (message: string) => void,
): Promise<TuningRecord | undefined> {
  const path = tuningPath(adapter);
  let text: string;
  try {
    if (!(await exists(path))) return undefined;
    text = await readText(path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    warn(`${error.message}; going on without tuning`);
    return undefined;
  }
  const record = parseRecord(text);
  if (!record) warn(`${path}: damaged, so it is ignored; run npx ptdpc autotune again`);
  return record;
}

/** A short name of the choices alone: two tunings with the same name compute alike. */
export function tuningName({ tuning }: TuningRecord): string {
  return `tuned ${createHash('sha256').update(JSON.stringify(tuning)).digest('hex').slice(0, 8)}`;
}

export async function writeTuning(adapter: AdapterSummary, record: TuningRecord): Promise<string> {
  const path = tuningPath(adapter);
  await writeFileAtomically(path, `${JSON.stringify(record, null, 2)}\n`);
  return path;
}

/** Removes the tunings of all adapters; returns how many there were. */
export async function clearTunings(): Promise<number> {
  const names = await readdir(tuningFolder()).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter((name) => /^[0-9a-f]{16}\.json$/.test(name));
  for (const name of files) await rm(join(tuningFolder(), name), { force: true });
  return files.length;
}

function tuningFolder(): string {
  return join(defaultCacheDirectory(), 'tuning');
}

function parseRecord(text: string): TuningRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { adapter, measured, tuning, timings } = value as Record<string, unknown>;
  const parsed = parseTuning(tuning);
  if (!parsed || typeof adapter !== 'string' || typeof measured !== 'string' || !Array.isArray(timings))
    return undefined;
  return timings.every(isTiming) ? { adapter, measured, tuning: parsed, timings } : undefined;
}

function isTiming(value: unknown): value is Timing {
  if (typeof value !== 'object' || value === null) return false;
  const { work, variant, seconds, gflops } = value as Record<string, unknown>;
  return [work, variant].every((name) => typeof name === 'string') && [seconds, gflops].every(Number.isFinite);
}
