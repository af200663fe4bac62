/**
 * The SHA-256 of image files and weights by what the system says of them, so that a file is read and hashed again only if it has changed. In the folder
 * of the cache, a line for each file, of which the last one counts:
 *
 *     <stamp: device, inode, size, mtime, ctime> <SHA-256>        times in nanoseconds, see `stampOf`
 *
 * Nobody but the system sets a ctime, so what has the same numbers has the same bytes; but for files that were changed just now, whose next
 * change might have the same time. Those are not noted. As the features, the list is believed only if nobody else could have written it.
 */
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { writeFileAtomically } from './atomic.js';
import { exists, MAX_DATA_BYTES } from './checkpoint-files.js';
import { hashFiles, stampOf } from './file-source.js';
import { makeFolder } from './make-folder.js';
import { openPlainFile, openToAppend, PRIVATE, requirePrivateFolder } from './own-files.js';
import { isSystemError, naming } from './system-error.js';

/** The list's name in a cache. */
export const HASHES_FILE = 'file-hashes.txt';

/** Lines that are written at once. */
const LINES = 1024;

/** So many milliseconds old is what is noted: file systems tell times to two seconds at worst. */
const SETTLED = 3000;

/** Lines that no longer count, before the list is written anew. */
const MOST_STALE = 10_000;

const LINE = /^((\d+ \d+) \d+ -?\d+ -?\d+) ([0-9a-f]{64})$/;

export class FileHashes {
  /** By device and inode. */
  readonly #known = new Map<string, { readonly stamp: string; readonly hash: string }>();
  #pending: string[] = [];
  /** False where nothing is to be kept. */
  #keeps = true;

  private constructor(private readonly folder: string) {}

  /** Opens the list of a cache. Where it cannot be read, or others could have written it, nothing is known and nothing kept. */
  static async open(cacheDirectory: string): Promise<FileHashes> {
    const hashes = new FileHashes(cacheDirectory);
    await hashes.#unlessRefused(() => hashes.#read());
    return hashes;
  }

  /** The hash of the file with this status; undefined if it is not known. */
  known(status: BigIntStats): string | undefined {
    const found = this.#known.get(placeOf(status));
    return found?.stamp === stampOf(status) ? found.hash : undefined;
  }

  /** Notes the hash of a file that had this status before it was read, when it was `looked` at (milliseconds of the epoch). */
  async note(status: BigIntStats, hash: string, looked: number): Promise<void> {
    const changed = status.mtimeMs > status.ctimeMs ? status.mtimeMs : status.ctimeMs;
    if (!this.#keeps || looked - Number(changed) < SETTLED || this.known(status) === hash) return;
    const stamp = stampOf(status);
    this.#known.set(placeOf(status), { stamp, hash });
    this.#pending.push(`${stamp} ${hash}\n`);
    if (this.#pending.length >= LINES) await this.flush();
  }

  /** Writes what has been noted since the last time. */
  async flush(): Promise<void> {
    const lines = this.#pending;
    this.#pending = [];
    if (lines.length === 0 || !this.#keeps) return;
    await this.#unlessRefused(async () => {
      await makeFolder(this.folder, PRIVATE);
      await requirePrivateCache(this.folder);
      await using file = await openToAppend(join(this.folder, HASHES_FILE));
      await file.appendFile(lines.join(''));
    });
  }

  async #read(): Promise<void> {
    const path = join(this.folder, HASHES_FILE);
    if (!(await exists(path))) return;
    await requirePrivateCache(this.folder);
    let lines = 0;
    {
      await using file = await openPlainFile(path, 'a list of hashes', MAX_DATA_BYTES);
      for await (const line of file.readLines({ autoClose: false })) {
        lines++;
        // What was cut by a full disk, or written by two processes at once, does not match.
        const [, stamp, place, hash] = LINE.exec(line) ?? [];
        if (stamp && place && hash) this.#known.set(place, { stamp, hash });
      }
    }
    if (lines < this.#known.size + MOST_STALE) return;
    await writeFileAtomically(
      path,
      [...this.#known.values()].map(({ stamp, hash }) => `${stamp} ${hash}\n`),
    );
  }

  /** The list saves time; where it cannot be used, work goes on without it. */
  async #unlessRefused(body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (error) {
      if (!(error instanceof InputError || isSystemError(error))) throw error;
      this.#keeps = false;
      this.#known.clear();
    }
  }
}

/**
 * `hashFiles` of a model's files of weights, without the index of shards. Of one file it is looked up in the list of the cache, if there is a cache, and noted there: hashing takes
 * longer than reading.
 */
export async function hashWeights(files: readonly string[], cacheDirectory: string | undefined): Promise<string> {
  const paths = files.filter((file) => !file.endsWith('.json'));
  const [path] = paths;
  if (cacheDirectory === undefined || path === undefined || paths.length > 1) return await hashFiles(paths);
  const hashes = await FileHashes.open(cacheDirectory);
  const looked = Date.now();
  const status = await naming(path, 'cannot be read', () => stat(path, { bigint: true }));
  const known = hashes.known(status);
  if (known) return known;
  const hash = await hashFiles(paths);
  // A file that changed while it was read is hashed again the next time.
  if (stampOf(await stat(path, { bigint: true })) === stampOf(status)) await hashes.note(status, hash, looked);
  await hashes.flush();
  return hash;
}

const placeOf = ({ dev, ino }: BigIntStats): string => `${dev} ${ino}`;

/** Throws InputError if someone else can write to a folder of the cache. */
export async function requirePrivateCache(folder: string): Promise<void> {
  await naming(folder, 'cannot be read', async () => {
    if (await exists(folder)) await requirePrivateFolder(folder);
  });
}
