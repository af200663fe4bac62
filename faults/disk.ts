/** Folders compared byte for byte. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { namesBelow } from './jobs/job.js';

/** SHA-256 of every file below a folder, by its path. */
export async function hashes(folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of await namesBelow(folder)) {
    const path = join(folder, name);
    if (!(await lstat(path)).isDirectory()) found.set(name, await sha256(path));
  }
  return found;
}

export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex');
}

/** Throws, naming the first difference, unless two folders hold the same files. */
export async function requireSameFolder(found: string, expected: string): Promise<void> {
  requireSame(await hashes(found), await hashes(expected));
}

export function requireSame(found: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): void {
  for (const name of expected.keys()) if (!found.has(name)) throw new Error(`${name} is missing`);
  for (const [name, hash] of found) {
    if (!expected.has(name)) throw new Error(`${name} should not be there`);
    if (expected.get(name) !== hash) throw new Error(`${name} is not that of an undisturbed call`);
  }
}
