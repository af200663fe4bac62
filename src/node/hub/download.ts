/**
 * Downloads one file. The bytes go to a partial file beside the target, which later attempts and later runs of the program
 * continue; the target appears when the file is complete and its hash is right.
 *
 *     <path>.part        the bytes received so far
 *     <path>.part.json   the expected hash (or the URL), and the server's validator for If-Range
 */
import type { Hash } from 'node:crypto';
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';
import { InputError } from '../../errors.js';
import { exists, readText } from '../checkpoint-files.js';
import { type ContentHash, hashBytesOf, startHash } from '../file-source.js';
import { requireSpace } from '../make-folder.js';
import { naming } from '../system-error.js';
import {
  type HttpClient,
  type HttpResponse,
  HttpStatusError,
  RetriesExhausted,
  type RetryOptions,
  shownUrl,
  TransferError,
  withRetries,
} from './http.js';

export interface Download {
  readonly url: URL;
  /** The target, in an existing folder. */
  readonly path: string;
  /** Names the file in messages. */
  readonly name: string;
  /** In bytes, if known. */
  readonly size?: number | undefined;
  /** Of the whole file; `hex` may be its beginning only, of at least eight digits. */
  readonly hash?: ContentHash | undefined;
  /** The most bytes to accept. */
  readonly limit: number;
}

export interface DownloadOptions extends RetryOptions {
  /** Called when a size that was not known becomes known, with the bytes already there. */
  readonly onTotal?: (bytes: number, done: number) => void;
  /** Called as bytes arrive; with a negative number if bytes received earlier had to be discarded. */
  readonly onBytes?: (bytes: number) => void;
}

export interface Downloaded {
  readonly bytes: number;
  /** The hash of the file: by the expected hash's algorithm, otherwise SHA-256. */
  readonly hash: ContentHash;
}

/**
 * Downloads one file. Throws InputError naming it if the server refuses, if all attempts fail (the partial file stays for the
 * next run), or if the hash is wrong (the partial file is deleted).
 */
export async function downloadFile(client: HttpClient, job: Download, options: DownloadOptions): Promise<Downloaded> {
  const partial = await PartialFile.open(job, options.onBytes);
  try {
    if (job.size !== undefined) options.onBytes?.(partial.position);
    for (let resumed = partial.position > 0; ; resumed = false) {
      await transfer(client, job, partial, options);
      const hash = partial.digest();
      if (!job.hash || hash.hex.startsWith(job.hash.hex)) {
        await partial.moveIntoPlace();
        return { bytes: partial.position, hash };
      }
      if (!resumed) {
        await partial.remove();
        const expected = `${job.hash.algorithm} ${job.hash.hex}`;
        throw new InputError(`${job.name}: wrong contents, deleted: expected ${expected}, found ${hash.hex}`);
      }
      // Bytes kept from an earlier run may have been damaged since; one download from the start decides.
      await partial.restart();
    }
  } finally {
    await partial.close();
  }
}

async function transfer(client: HttpClient, job: Download, partial: PartialFile, options: DownloadOptions) {
  const attempt = () => transferOnce(client, job, partial, options);
  try {
    await withRetries(job.name, options, attempt, () => partial.position);
  } catch (error) {
    if (!(error instanceof RetriesExhausted) || partial.position === 0) throw error;
    throw new RetriesExhausted(`${error.message}; run the same command to continue after ${partial.position} bytes`);
  }
}

async function transferOnce(client: HttpClient, job: Download, partial: PartialFile, options: DownloadOptions) {
  if (partial.position > 0 && !partial.resumable) await partial.restart();
  if (job.size !== undefined && partial.position === job.size) return;
  const response = await requestRest(client, job, partial);
  try {
    const total = await checkResponse(job, partial, response);
    const most = total ?? job.limit;
    if (most > job.limit) throw new InputError(`${job.name}: ${most} bytes, over the limit of ${job.limit}`);
    if (total !== undefined) await requireSpace(job.path, total - partial.position);
    await partial.writeNote(validatorOf(response));
    if (job.size === undefined && total !== undefined) options.onTotal?.(total, partial.position);
    for await (const chunk of response.body) {
      if (partial.position + chunk.length > most) throw await partial.rejected(`the server sent over ${most} bytes`);
      await partial.append(chunk);
    }
    if (total !== undefined && partial.position < total) {
      throw new TransferError(`the connection ended after ${partial.position} of ${total} bytes`);
    }
  } finally {
    response.cancel();
  }
}

async function requestRest(client: HttpClient, job: Download, partial: PartialFile): Promise<HttpResponse> {
  const { position, validator } = partial;
  try {
    return await client.get(job.url, {
      ...(position > 0 && { range: `bytes=${position}-` }),
      ...(position > 0 && validator !== null && { 'if-range': validator }),
    });
  } catch (error) {
    if (!(error instanceof HttpStatusError && error.status === 416)) throw error;
    throw await partial.rejected('the server has fewer bytes than were received earlier');
  }
}

/** Makes sure that the body continues the partial file. Returns the size of the whole, if known. */
async function checkResponse(job: Download, partial: PartialFile, response: HttpResponse): Promise<number | undefined> {
  const isPart = response.status === 206;
  const range = isPart ? contentRange(response) : undefined;
  if (isPart && range?.start !== partial.position) {
    throw await partial.rejected('the server sent another range than requested');
  }
  const validator = validatorOf(response);
  // A server that ignores If-Range continues with the bytes of a file that has changed.
  if (isPart && partial.validator !== null && validator !== null && validator !== partial.validator) {
    throw await partial.rejected('the file on the server has changed');
  }
  // The server does not support ranges, or the file has changed: this is the whole file.
  if (!isPart && partial.position > 0) await partial.restart();
  const total = range?.total ?? contentLength(response);
  if (job.size !== undefined && total !== undefined && total !== job.size) {
    throw new TransferError(`expected ${job.size} bytes, the server has ${total}`);
  }
  return job.size ?? total;
}

/** Parses `bytes 100-199/200`; a total of * is unknown. */
function contentRange(response: HttpResponse): { start: number; total?: number } | undefined {
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.header('content-range') ?? '') ?? [];
  if (start === undefined) return undefined;
  return { start: Number(start), ...(total !== '*' && { total: Number(total) }) };
}

/** Of a 200 response; a 206's is the length of the part. */
function contentLength(response: HttpResponse): number | undefined {
  const length = response.header('content-length');
  const isWhole = response.status === 200 && length !== undefined && /^\d+$/.test(length);
  return isWhole ? Number(length) : undefined;
}

/** What If-Range accepts (RFC 9110, section 13.1.5): a strong entity tag, else a date. */
function validatorOf(response: HttpResponse): string | null {
  const tag = response.header('etag');
  if (tag?.startsWith('"')) return tag;
  return response.header('last-modified') ?? null;
}

/** The partial file, with the hash of its bytes. */
class PartialFile {
  #hash: Hash;

  private constructor(
    private readonly job: Download,
    private readonly file: FileHandle,
    /** Its length in bytes. */
    public position: number,
    public validator: string | null,
    private readonly onBytes: (bytes: number) => void,
  ) {
    this.#hash = this.#startHash();
  }

  /** Continues what an earlier run left if it is part of the same file; otherwise starts empty. */
  static async open(job: Download, onBytes: (bytes: number) => void = () => {}): Promise<PartialFile> {
    return naming(job.path, 'cannot be written', async () => {
      const note = await readNote(job);
      if (!note) await rm(partOf(job), { force: true });
      const file = await open(partOf(job), 'a');
      const { size } = await file.stat();
      const opened = new PartialFile(job, file, size, note?.validator ?? null, onBytes);
      if (size > (job.size ?? job.limit)) await opened.#clear();
      await hashBytesOf(partOf(job), opened.position, opened.#hash);
      return opened;
    });
  }

  /** Whether bytes of another file would be noticed: by the validator now, or by the hash in the end. */
  get resumable(): boolean {
    return this.validator !== null || this.job.hash !== undefined;
  }

  async append(chunk: Uint8Array): Promise<void> {
    await naming(this.job.path, 'cannot be written', () => this.file.appendFile(chunk));
    this.#hash.update(chunk);
    this.position += chunk.length;
    this.onBytes(chunk.length);
  }

  /** Discards all bytes. */
  async restart(): Promise<void> {
    this.onBytes(-this.position);
    await this.#clear();
  }

  /** Discards all bytes and returns the error that says why. */
  async rejected(reason: string): Promise<TransferError> {
    await this.restart();
    return new TransferError(reason);
  }

  /** Records what the bytes are part of, before any are written. */
  async writeNote(validator: string | null): Promise<void> {
    this.validator = validator;
    const note = JSON.stringify({ contents: contentsOf(this.job), validator });
    await naming(this.job.path, 'cannot be written', () => writeFile(noteOf(this.job), note));
  }

  /** The hash of the whole file. Ends the running hash. */
  digest(): ContentHash {
    return { algorithm: this.#algorithm, hex: this.#hash.digest('hex') };
  }

  async moveIntoPlace(): Promise<void> {
    await naming(this.job.path, 'cannot be written', async () => {
      await this.file.sync();
      await rename(partOf(this.job), this.job.path);
      await rm(noteOf(this.job), { force: true });
    });
  }

  async remove(): Promise<void> {
    await naming(this.job.path, 'cannot be removed', async () => {
      await rm(partOf(this.job), { force: true });
      await rm(noteOf(this.job), { force: true });
    });
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  async #clear(): Promise<void> {
    await naming(this.job.path, 'cannot be written', () => this.file.truncate(0));
    this.position = 0;
    this.validator = null;
    this.#hash = this.#startHash();
  }

  get #algorithm(): ContentHash['algorithm'] {
    return this.job.hash?.algorithm ?? 'sha-256';
  }

  #startHash(): Hash {
    return startHash(this.#algorithm, this.job.size ?? 0);
  }
}

const partOf = ({ path }: Download) => `${path}.part`;
const noteOf = ({ path }: Download) => `${path}.part.json`;
const contentsOf = ({ hash, url }: Download) => hash?.hex ?? shownUrl(url);

/** The note beside a partial file; undefined if there is none, it was cut off, or it is about another file. */
async function readNote(job: Download): Promise<{ validator: string | null } | undefined> {
  if (!(await exists(noteOf(job)))) return undefined;
  try {
    const { contents, validator } = JSON.parse(await readText(noteOf(job))) as Record<string, unknown>;
    if (contents !== contentsOf(job)) return undefined;
    return { validator: typeof validator === 'string' ? validator : null };
  } catch {
    return undefined;
  }
}
