/** SHA-256 of large files, on a thread of its own: it takes as long as reading them, and there is a second core. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { naming } from './system-error.js';
import { workerFile } from './worker-file.js';

/** In hexadecimal, of the files one after the other. Throws InputError naming the one that cannot be read. */
export async function hashFiles(paths: readonly string[]): Promise<string> {
  const file = workerFile('hash-worker');
  if (!file) return hashFilesHere(paths);
  for (const path of paths) await naming(path, 'cannot be read', () => access(path, constants.R_OK));
  const worker = new Worker(file, { workerData: paths });
  // Rejects with the thread's error, if there is one.
  const [hash] = (await once(worker, 'message')) as [string];
  return hash;
}

/** The same on this thread. */
export async function hashFilesHere(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) {
    await naming(path, 'cannot be read', async () => {
      for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
    });
  }
  return hash.digest('hex');
}
