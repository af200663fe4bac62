/**
 * The two hashes by which the Hugging Face hub names contents: SHA-256 for files in large-file storage, and git's blob id,
 * SHA-1 over `blob <size>\0` and the bytes, for small ones.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { naming } from '../system-error.js';

export interface ContentHash {
  readonly algorithm: 'sha-256' | 'git-sha-1';
  /** Lower-case hexadecimal. */
  readonly hex: string;
}

export function sha256(hex: string): ContentHash {
  return { algorithm: 'sha-256', hex };
}

/** A hash as the hub gives it, by its length; undefined for anything else. */
export function contentHash(hex: string): ContentHash | undefined {
  if (/^[0-9a-f]{64}$/.test(hex)) return sha256(hex);
  return /^[0-9a-f]{40}$/.test(hex) ? { algorithm: 'git-sha-1', hex } : undefined;
}

/** A running hash. Git's needs the size of the whole beforehand. */
export function startHash(algorithm: ContentHash['algorithm'], size: number): Hash {
  return algorithm === 'sha-256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}

/** Feeds the first `length` bytes of a file to a hash. */
export async function hashFile(hash: Hash, path: string, length: number): Promise<void> {
  if (length === 0) return;
  await naming(path, 'cannot be read', async () => {
    for await (const chunk of createReadStream(path, { end: length - 1, highWaterMark: 2 ** 20 })) {
      hash.update(chunk as Buffer);
    }
  });
}

/** The hash of a whole file. */
export async function fileHash(path: string, algorithm: ContentHash['algorithm'], size: number): Promise<ContentHash> {
  const hash = startHash(algorithm, size);
  await hashFile(hash, path, size);
  return { algorithm, hex: hash.digest('hex') };
}
