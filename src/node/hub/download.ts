/**
 * One file from the net to the disk. Bytes go through a partial file beside the target, which a later attempt, or a later
 * call of the program, goes on with; the name itself appears when the whole is there and its hash is right.
 *
 *     <path>.part        what has arrived
 *     <path>.part.json   which contents these are: the expected hash (or the source), and the server's validator for If-Range
 */
import type { Hash } from 'node:crypto';
import { type FileHandle, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { InputError } from '../../errors.js';
import { exists, readText } from '../checkpoint-files.js';
import { requireSpace } from '../make-folder.js';
import { naming } from '../system-error.js';
import { type ContentHash, hashFile, startHash } from './content-hash.js';
import { type Answer, type HttpClient, HttpRefusal, shownUrl, TransferError } from './http.js';
import { type Retries, Unreachable, withRetries } from './retry.js';

export interface Download {
  readonly url: URL;
  /** Where the file goes; its folder exists. */
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
  /** Bytes, where they are known. */
  readonly size?: number | undefined;
  readonly hash?: ContentHash | undefined;
  /** Most bytes to accept where the size is not known. */
  readonly limit: number;
}

export interface DownloadOptions extends Retries {
  /** Hears how many bytes are to come in all, where that was not known before, and how many of them are there. */
  readonly onTotal?: (bytes: number, done: number) => void;
  /** Hears of bytes as they arrive; of a negative number where some turned out to be of no use. */
  readonly onBytes?: (bytes: number) => void;
}

export interface Downloaded {
  readonly bytes: number;
  /** The hash of the whole: the expected one, or SHA-256 where none was. */
  readonly hash: ContentHash;
}

/** What is known of the partial file, as it stands beside it. */
interface Sidecar {
  /** The expected hash, else where the bytes come from. */
  readonly contents: string;
  readonly validator: string | null;
}

/**
 * Downloads one file. Throws InputError, naming it, where the server refuses, where attempts run out (what has arrived
 * stays for the next call), and where the hash is wrong (it does not).
 */
export async function downloadFile(client: HttpClient, job: Download, options: DownloadOptions): Promise<Downloaded> {
  const partial = await PartialFile.open(job);
  try {
    let resumed = partial.position > 0;
    if (job.size !== undefined) options.onBytes?.(partial.position);
    for (;;) {
      await transferAll(client, job, partial, options);
      const hash = partial.finish();
      if (!job.hash || hash.hex === job.hash.hex) {
        await partial.moveIntoPlace();
        return { bytes: partial.position, hash };
      }
      if (!resumed) {
        await partial.remove();
        throw wrongHash(job.name, job.hash, hash);
      }
      // Bytes of an earlier call may have been damaged since, or be of a file that was replaced meanwhile.
      resumed = false;
      options.onBytes?.(-partial.position);
      await partial.startOver();
    }
  } finally {
    await partial.close();
  }
}

/** The error for contents that are not the expected ones. */
export function wrongHash(name: string, expected: ContentHash, found: ContentHash): InputError {
  return new InputError(
    `${name}: wrong contents, deleted: expected ${expected.algorithm} ${expected.hex}, found ${found.hex}`,
  );
}

async function transferAll(client: HttpClient, job: Download, partial: PartialFile, options: DownloadOptions) {
  const transfer = () => transferOnce(client, job, partial, options);
  try {
    await withRetries(job.name, options, transfer, () => partial.position);
  } catch (error) {
    if (!(error instanceof Unreachable) || partial.position === 0) throw error;
    throw new Unreachable(`${error.message}; the same command goes on after ${partial.position} bytes`);
  }
}

async function transferOnce(client: HttpClient, job: Download, partial: PartialFile, options: DownloadOptions) {
  const startOver = async () => {
    options.onBytes?.(-partial.position);
    await partial.startOver();
  };
  const { size } = job;
  if (partial.position > 0 && !partial.resumable) await startOver();
  if (size !== undefined && partial.position === size) return;
  const answer = await ask(client, job, partial, startOver);
  try {
    const range = answer.status === 206 ? contentRange(answer) : undefined;
    if (answer.status === 206 && range?.start !== partial.position) {
      await startOver();
      throw new TransferError('the server sent another part than the one asked for');
    }
    const validator = validatorOf(answer);
    // Servers that do not know If-Range continue a file that is another one by now.
    if (answer.status === 206 && partial.validator !== null && validator !== null && validator !== partial.validator) {
      await startOver();
      throw new TransferError('the file on the server has changed');
    }
    // A server without ranges, or with other contents by now, sends the whole.
    if (answer.status === 200 && partial.position > 0) await startOver();
    const total = range?.total ?? wholeLength(answer);
    if (size !== undefined && total !== undefined && total !== size) {
      throw new TransferError(`expected ${size} bytes, the server has ${total}`);
    }
    const most = size ?? total ?? job.limit;
    if (most > job.limit) throw new InputError(`${job.name}: ${most} bytes, over the limit of ${job.limit}`);
    const expected = size ?? total;
    if (expected !== undefined) await requireSpace(job.path, expected - partial.position);
    await partial.remember(validator);
    if (size === undefined && total !== undefined) options.onTotal?.(total, partial.position);
    for await (const chunk of answer.body) {
      if (partial.position + chunk.length > most) {
        await startOver();
        throw new TransferError(`the server sent more than ${most} bytes`);
      }
      await partial.append(chunk);
      options.onBytes?.(chunk.length);
    }
    if (expected !== undefined && partial.position < expected) {
      throw new TransferError(`the connection ended after ${partial.position} of ${expected} bytes`);
    }
  } finally {
    answer.cancel();
  }
}

async function ask(client: HttpClient, job: Download, partial: PartialFile, startOver: () => Promise<void>) {
  const { position, validator } = partial;
  try {
    return await client.get(job.url, {
      ...(position > 0 && { range: `bytes=${position}-` }),
      ...(position > 0 && validator !== null && { 'if-range': validator }),
    });
  } catch (error) {
    if (!(error instanceof HttpRefusal && error.status === 416)) throw error;
    // The partial file is longer than what the server has.
    await startOver();
    throw new TransferError('the server has fewer bytes than had arrived');
  }
}

/** `bytes 100-199/200`; a total of * is unknown. */
function contentRange(answer: Answer): { start: number; total?: number } | undefined {
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.header('content-range') ?? '') ?? [];
  if (start === undefined) return undefined;
  return { start: Number(start), ...(total !== '*' && { total: Number(total) }) };
}

function wholeLength(answer: Answer): number | undefined {
  const length = answer.header('content-length');
  return length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined;
}

/** What may stand in If-Range (RFC 9110, section 13.1.5): a strong entity tag, else a date. */
function validatorOf(answer: Answer): string | null {
  const tag = answer.header('etag');
  if (tag?.startsWith('"')) return tag;
  return answer.header('last-modified') ?? null;
}

/** The file that grows, with the hash of what is in it. */
class PartialFile {
  #hash: Hash;

  private constructor(
    private readonly job: Download,
    private readonly file: FileHandle,
    /** Bytes in it. */
    public position: number,
    public validator: string | null,
  ) {
    this.#hash = this.#newHash();
  }

  /** Opens what an earlier call left, if it is of the same contents, else an empty file. */
  static async open(job: Download): Promise<PartialFile> {
    const { path, partial, sidecar } = places(job.path);
    return naming(path, 'cannot be written', async () => {
      const known = await readSidecar(sidecar);
      const ours = known?.contents === contentsOf(job) ? known : undefined;
      if (!ours) await rm(partial, { force: true });
      const file = await open(partial, 'a');
      const { size } = await stat(partial);
      const opened = new PartialFile(job, file, size, ours?.validator ?? null);
      if (size > (job.size ?? job.limit)) await opened.startOver();
      await hashFile(opened.#hash, partial, opened.position);
      return opened;
    });
  }

  /** Whether a continuation can be told from another file's: by the validator, or by the hash in the end. */
  get resumable(): boolean {
    return this.validator !== null || this.job.hash !== undefined;
  }

  async append(chunk: Uint8Array): Promise<void> {
    await naming(this.job.path, 'cannot be written', async () => {
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await this.file.write(chunk, done, chunk.length - done);
        this.#hash.update(chunk.subarray(done, done + bytesWritten));
        done += bytesWritten;
        this.position += bytesWritten;
      }
    });
  }

  async startOver(): Promise<void> {
    await naming(this.job.path, 'cannot be written', () => this.file.truncate(0));
    this.position = 0;
    this.validator = null;
    this.#hash = this.#newHash();
  }

  /** Notes whose contents these are, before any of them are written. */
  async remember(validator: string | null): Promise<void> {
    this.validator = validator;
    const note: Sidecar = { contents: contentsOf(this.job), validator };
    const { path, sidecar } = places(this.job.path);
    await naming(path, 'cannot be written', () => writeFile(sidecar, JSON.stringify(note)));
  }

  /** The hash of the whole. */
  finish(): ContentHash {
    return { algorithm: this.#algorithm, hex: this.#hash.digest('hex') };
  }

  async moveIntoPlace(): Promise<void> {
    const { path, partial, sidecar } = places(this.job.path);
    await naming(path, 'cannot be written', async () => {
      await this.file.sync();
      await rename(partial, path);
      await rm(sidecar, { force: true });
    });
  }

  async remove(): Promise<void> {
    const { path, partial, sidecar } = places(this.job.path);
    await naming(path, 'cannot be removed', async () => {
      await rm(partial, { force: true });
      await rm(sidecar, { force: true });
    });
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  get #algorithm(): ContentHash['algorithm'] {
    return this.job.hash?.algorithm ?? 'sha-256';
  }

  #newHash(): Hash {
    return startHash(this.#algorithm, this.job.size ?? 0);
  }
}

function places(path: string) {
  return { path, partial: `${path}.part`, sidecar: `${path}.part.json` };
}

function contentsOf({ hash, url }: Download): string {
  return hash?.hex ?? shownUrl(url);
}

async function readSidecar(path: string): Promise<Sidecar | undefined> {
  if (!(await exists(path))) return undefined;
  try {
    const { contents, validator } = JSON.parse(await readText(path)) as Record<string, unknown>;
    if (typeof contents !== 'string') return undefined;
    return { contents, validator: typeof validator === 'string' ? validator : null };
  } catch {
    // Cut off in the middle: nothing is known then.
    return undefined;
  }
}
