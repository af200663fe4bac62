/**
 * Hashes of files: SHA-256, by which weights and large files on the Hugging Face hub are known, and git's blob id (SHA-1 over
 * `blob <size>\0` and the bytes), by which the hub knows small files.
 */
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { naming } from './system-error.js';

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

// Evaluated rather than loaded from a file, so that it also runs where the program is one bundled file.
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

/**
 * SHA-256, in hexadecimal, of the concatenated files. Runs on its own thread, since hashing large weights takes about as long as
 * reading them. Throws InputError naming the file that cannot be read.
 */
export async function hashFiles(paths: readonly string[]): Promise<string> {
  for (const path of paths) await naming(path, 'cannot be read', () => access(path, constants.R_OK));
  return naming(paths.join(', '), 'cannot be read', async () => {
    const thread = new Worker(HASH_THREAD, { eval: true, workerData: paths });
    // Rejects if the thread throws.
    const [hex] = (await once(thread, 'message')) as [string];
    return hex;
  });
}
