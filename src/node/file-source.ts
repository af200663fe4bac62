/** Random access to files on disk for checkpoint readers, which do not depend on Node, and the hashes of files. */
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { type BigIntStats, closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { access, constants, type FileHandle, open, stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { type ByteSource, requireRange } from '../clip/checkpoint/byte-source.js';
import { InputError } from '../errors.js';
import { span } from '../trace.js';
import { explained, isSystemError, kindOfFile, naming } from './system-error.js';

/** A `ByteSource` over an open file. Close it, or declare it with `await using`. */
export interface FileSource extends ByteSource, AsyncDisposable {
  close(): Promise<void>;
}

/** Node refuses single reads of 2 GiB or more. */
const MAX_READ_BYTES = 2 ** 30;

/** Opens a file for reading by range. Throws InputError naming `path` if it is not a readable file. */
export async function openFileSource(path: string): Promise<FileSource> {
  const file = await naming(path, 'cannot be opened', async () => {
    // Checked before opening: opening a pipe would wait for a writer.
    const status = await stat(path);
    if (!status.isFile()) throw new InputError(`${path}: expected a file, found ${kindOfFile(status)}`);
    return open(path, 'r');
  });
  try {
    const { size } = await file.stat();
    const close = () => file.close();
    return { name: path, size, read: readFrom(file, path, size), close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function readFrom(file: FileHandle, path: string, size: number): ByteSource['read'] {
  return async (offset, length) => {
    requireRange(path, size, offset, length);
    using _ = span('read', { file: path, bytes: length });
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await readChunk(file, path, bytes, done, offset + done);
      if (bytesRead === 0)
        throw new InputError(`${path}: ended after ${offset + done} bytes, it had ${size} when opened`);
      done += bytesRead;
    }
    return bytes;
  };
}

async function readChunk(file: FileHandle, path: string, bytes: Uint8Array, start: number, position: number) {
  try {
    return await file.read(bytes, start, Math.min(bytes.length - start, MAX_READ_BYTES), position);
  } catch (error) {
    throw new InputError(`${path}: cannot be read at byte ${position} (${explained(error)})`);
  }
}

/**
 * What tells a file from others and from its other states: it changes whenever the file is written to, or another takes its place, since nobody
 * but the system sets a ctime. Times in nanoseconds.
 */
export const stampOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(' ');

/** The stamp of the file at a path. Throws InputError naming it. */
export async function stampAt(path: string): Promise<string> {
  return await naming(path, 'cannot be opened', async () => stampOf(await stat(path, { bigint: true })));
}

/**
 * Fills `bytes` from a place in a file, if the file still has this stamp. For few bytes, which come from memory most of the time: in this
 * thread that is several times faster than three turns through the pool of threads.
 */
export function readAt(path: string, stamp: string, offset: number, bytes: Uint8Array): boolean {
  try {
    const file = openSync(path, 'r');
    try {
      const isSame = stampOf(fstatSync(file, { bigint: true })) === stamp;
      return isSame && readSync(file, bytes, 0, bytes.length, offset) === bytes.length;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

// Hashes of files: SHA-256, by which weights and large files on the Hugging Face hub are known, and git's blob id (SHA-1 over
// `blob <size>\0` and the bytes), by which the hub knows small files.

export interface ContentHash {
  readonly algorithm: 'sha-256' | 'git-sha-1';
  /** Lower-case hexadecimal. */
  readonly hex: string;
}

export function sha256(hex: string): ContentHash {
  return { algorithm: 'sha-256', hex };
}

/** Tells the algorithm from the length of the hash; undefined if `hex` is neither. */
export function contentHash(hex: string): ContentHash | undefined {
  if (/^[0-9a-f]{64}$/.test(hex)) return sha256(hex);
  return /^[0-9a-f]{40}$/.test(hex) ? { algorithm: 'git-sha-1', hex } : undefined;
}

/** A running hash of a file of `size` bytes; only git's hash depends on the size. */
export function startHash(algorithm: ContentHash['algorithm'], size: number): Hash {
  return algorithm === 'sha-256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}

/** Adds the first `length` bytes of a file to a hash. */
export async function hashBytesOf(path: string, length: number, hash: Hash): Promise<void> {
  if (length === 0) return;
  await naming(path, 'cannot be read', async () => {
    for await (const chunk of createReadStream(path, { end: length - 1, highWaterMark: 2 ** 20 })) {
      hash.update(chunk as Buffer);
    }
  });
}

/** The hash of a file of `size` bytes. */
export async function hashFile(path: string, algorithm: ContentHash['algorithm'], size: number): Promise<ContentHash> {
  const hash = startHash(algorithm, size);
  await hashBytesOf(path, size, hash);
  return { algorithm, hex: hash.digest('hex') };
}

// Evaluated rather than loaded from a file, so that it also runs if the program is one bundled file.
const HASH_THREAD = `
  const { createHash } = require('node:crypto');
  const { createReadStream } = require('node:fs');
  const { parentPort, workerData } = require('node:worker_threads');
  (async () => {
    const hash = createHash('sha256');
    for (const path of workerData) {
      for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk);
    }
    parentPort.postMessage(hash.digest('hex'));
  })();`;

/** Hashed in about 20 ms. */
const SMALL_BYTES = 16 * 2 ** 20;

/**
 * SHA-256, in hexadecimal, of the concatenated files. Runs on its own thread, since hashing large weights takes about as long as
 * reading them. Throws InputError naming the file that cannot be read.
 */
export async function hashFiles(paths: readonly string[]): Promise<string> {
  using _ = span('read', { hash: paths.join(', ') });
  let bytes = 0;
  for (const path of paths) {
    await naming(path, 'cannot be read', () => access(path, constants.R_OK));
    bytes += (await naming(path, 'cannot be read', () => stat(path))).size;
  }
  // Starting a thread would take longer.
  if (bytes < SMALL_BYTES) {
    const hash = createHash('sha256');
    for (const path of paths) await hashBytesOf(path, Number.POSITIVE_INFINITY, hash);
    return hash.digest('hex');
  }
  return await naming(paths.join(', '), 'cannot be read', async () => {
    const thread = new Worker(HASH_THREAD, { eval: true, workerData: paths });
    // Rejects if the thread throws.
    const [hex] = (await once(thread, 'message')) as [string];
    return hex;
  });
}
