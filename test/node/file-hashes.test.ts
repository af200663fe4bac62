/** Files that have not changed are neither read nor hashed again; those that have are. */
import { chmod, mkdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { clearCache } from '../../src/node/feature-cache.js';
import { sha256 } from '../../src/node/feature-segment.js';
import { FileHashes, HASHES_FILE, hashWeights, type SeenFile, seeFile } from '../../src/node/file-hashes.js';
import { scratchFolder } from './scratch.js';

const scratch = scratchFolder();
const statusOf = (path: string) => stat(path, { bigint: true });

/** A file as it will be seen in a while. */
async function settled(path: string): Promise<SeenFile> {
  return { path, status: await statusOf(path), at: Date.now() + 3_600_000 };
}

const seen = async (path: string): Promise<SeenFile> => (await seeFile(path))!;

test('a hash is known as long as size, times and inode are the same, by the next process too', async () => {
  const [cache, file] = [scratch('cache'), scratch('a.jpg')];
  await writeFile(file, 'one');
  const hashes = await FileHashes.open(cache);
  await hashes.note(await settled(file), sha256('one'));
  expect(hashes.known(await seen(file))).toBe(sha256('one'));
  await hashes.flush();
  expect((await stat(cache)).mode & 0o777).toBe(0o700);
  const again = await FileHashes.open(cache);
  expect(again.known(await seen(file))).toBe(sha256('one'));
  // Of the same size, and its mtime set back: the ctime is not.
  const { atime, mtime } = await stat(file);
  await writeFile(file, 'two');
  await utimes(file, atime, mtime);
  expect(again.known(await seen(file))).toBeUndefined();
  // Another file in its place.
  await writeFile(scratch('b.jpg'), 'one');
  await rename(scratch('b.jpg'), file);
  expect(again.known(await seen(file))).toBeUndefined();
});

test('what has changed just now is not noted, since its next change might have the same time', async () => {
  const file = scratch('now.jpg');
  await writeFile(file, 'one');
  const hashes = await FileHashes.open(scratch('cache'));
  await hashes.note(await seen(file), sha256('one'));
  expect(hashes.known(await seen(file))).toBeUndefined();
});

test('damaged lines are passed over; lists that others could have written are not believed', async () => {
  const [cache, file] = [scratch('shared'), scratch('c.jpg')];
  await writeFile(file, 'one');
  const hashes = await FileHashes.open(cache);
  await hashes.note(await settled(file), sha256('one'));
  await hashes.flush();
  const path = join(cache, HASHES_FILE);
  await writeFile(path, `nonsense\n1 2 3\n${await readFile(path, 'utf8')}1 2`);
  expect((await FileHashes.open(cache)).known(await seen(file))).toBe(sha256('one'));
  await chmod(cache, 0o777);
  expect((await FileHashes.open(cache)).known(await seen(file))).toBeUndefined();
  await chmod(cache, 0o700);
  await clearCache(cache);
  expect((await FileHashes.open(cache)).known(await seen(file))).toBeUndefined();
});

test('lines that no longer count are dropped when there are many', async () => {
  const cache = scratch('stale');
  await mkdir(cache, { mode: 0o700 });
  const line = (time: number) => `1 2 3 ${time} ${time} ${sha256(String(time))}\n`;
  await writeFile(join(cache, HASHES_FILE), Array.from({ length: 10_002 }, (_, i) => line(i)).join(''));
  await FileHashes.open(cache);
  expect(await readFile(join(cache, HASHES_FILE), 'utf8')).toBe(line(10_001));
});

test('what changes while it is read is not noted', async () => {
  const [cache, file] = [scratch('meanwhile'), scratch('d.jpg')];
  await writeFile(file, 'one');
  const hashes = await FileHashes.open(cache);
  const before = await settled(file);
  await writeFile(file, 'two');
  await hashes.note(before, sha256('two'));
  for (const one of [before, await seen(file)]) expect(hashes.known(one)).toBeUndefined();
});

test('weights are hashed once, and again when they have changed, also within the granularity of times', async () => {
  const [cache, file] = [scratch('weights'), scratch('model.safetensors')];
  const list = join(cache, HASHES_FILE);
  await writeFile(file, 'one');
  // Just written: each call reads it.
  expect(await hashWeights([file], cache)).toBe(sha256('one'));
  await expect(stat(list)).rejects.toThrow('ENOENT');
  const later = Date.now() + 3_600_000;
  const clock = vi.spyOn(Date, 'now').mockReturnValue(later);
  expect(await hashWeights([file], cache)).toBe(sha256('one'));
  // Another hash is put down, so that it shows whether it is believed.
  await writeFile(list, (await readFile(list, 'utf8')).replace(sha256('one'), sha256('other')));
  expect(await hashWeights([file], cache)).toBe(sha256('other'));
  expect(await hashWeights([file], undefined)).toBe(sha256('one'));
  // Hashing takes its time: what counts is when it began.
  clock.mockRestore();
  const { atime, mtime } = await stat(file);
  await writeFile(file, 'two');
  await utimes(file, atime, mtime);
  const slow = vi.spyOn(Date, 'now').mockReturnValueOnce(Date.now()).mockReturnValue(later);
  expect(await hashWeights([file], cache)).toBe(sha256('two'));
  slow.mockRestore();
  expect((await FileHashes.open(cache)).known(await seen(file))).toBeUndefined();
});

test('the index of shards is not hashed', async () => {
  const files = ['first', 'second'].map((name) => scratch(name));
  for (const file of files) await writeFile(file, file);
  const index = scratch('model.safetensors.index.json');
  expect(await hashWeights([index, ...files], scratch('sharded'))).toBe(sha256(files.join('')));
});
