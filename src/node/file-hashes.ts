/**
 * The SHA-256 of images and weights by what the system says of the files, so that one is read and hashed again only if it has changed. In the
 * folder of the cache, a line for each file, of which the last one counts:
 *
 *     <stamp: device, inode, size, mtime, ctime> <SHA-256>        times in nanoseconds, see `stampOf`
 *
 * Nobody but the system sets a ctime, so what has the same numbers has the same bytes; but for files that were changed just before they were
 * read, whose next change might have the same time. Those are not noted, nor those that were changed or exchanged while they were read. As
 * the features, the list is believed only if nobody else could have written it.
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

/** So many milliseconds old when it is read is what is noted: file systems tell times to two seconds at worst. */
const SETTLED = 3000;

/** Lines that no longer count, before the list is written anew. */
const MOST_STALE = 10_000;

const LINE = /^((\d+ \d+) \d+ -?\d+ -?\d+) ([0-9a-f]{64})$/;

/** A file as it is before it is read. */
export interface SeenFile {
  readonly path: string;
  readonly status: BigIntStats;
  /** When the system was asked, as `Date.now()`. */
  readonly at: number;
}

/** Undefined if the system does not say. */
export async function seeFile(path: string): Promise<SeenFile | undefined> {
  const at = Date.now();
  const status = await statusOf(path);
  return status && { path, status, at };
}

const statusOf = (path: string) => stat(path, { bigint: true }).catch(() => undefined);

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

  /** The hash of a file; undefined if it is not known. */
  known({ status }: Pick<SeenFile, 'status'>): string | undefined {
    const found = this.#known.get(placeOf(status));
    return found?.stamp === stampOf(status) ? found.hash : undefined;
  }

  /** Notes the hash of a file that was read after it was seen. */
  async note(seen: SeenFile, hash: string): Promise<void> {
    const { path, status, at } = seen;
    const changed = status.mtimeMs > status.ctimeMs ? status.mtimeMs : status.ctimeMs;
    if (!this.#keeps || at - Number(changed) < SETTLED || this.known(seen) === hash) return;
    const stamp = stampOf(status);
    const now = await statusOf(path);
    if (!now || stampOf(now) !== stamp) return;
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

const placeOf = ({ dev, ino }: BigIntStats): string => `${dev} ${ino}`;

/**
 * `hashFiles` of a model's weights, without the index of shards. That of a single file is looked up and noted in a cache, if one is given: it
 * takes as long as reading the weights. Shards are hashed every time.
 */
export async function hashWeights(weights: readonly string[], cacheDirectory: string | undefined): Promise<string> {
  const files = weights.filter((path) => !path.endsWith('.json'));
  const [only] = files;
  const seen = cacheDirectory !== undefined && only !== undefined && files.length === 1 && (await seeFile(only));
  if (!seen) return await hashFiles(files);
  const hashes = await FileHashes.open(cacheDirectory);
  const known = hashes.known(seen);
  if (known !== undefined) return known;
  const hash = await hashFiles(files);
  await hashes.note(seen, hash);
  await hashes.flush();
  return hash;
}

/** Throws InputError if someone else can write to a folder of the cache. */
export async function requirePrivateCache(folder: string): Promise<void> {
  await naming(folder, 'cannot be read', async () => {
    if (await exists(folder)) await requirePrivateFolder(folder);
  });
}
