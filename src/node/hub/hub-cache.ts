/**
 * The cache that Hugging Face's own tools keep, read only:
 *
 *     <cache>/models--<owner>--<name>/refs/<revision>            the commit that a branch was at
 *                                     snapshots/<commit>/<file>  a link into blobs, or the file itself where links cannot be
 *                                     blobs/<hash>               contents by SHA-256 or git's blob id
 */
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { contentHash } from './content-hash.js';
import { isCommit, type RemoteFile, type Repository } from './repository.js';

/** $HF_HUB_CACHE, else $HF_HOME/hub, else $XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub. */
export function hubCacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = env;
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  return HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(home, 'hub');
}

/** The files of one revision that the cache holds; undefined where it has none. */
export async function cachedRepository(cache: string, id: string, revision: string): Promise<Repository | undefined> {
  const commit = isCommit(revision) ? revision : await readReference(join(folderOf(cache, id), 'refs', revision));
  if (commit === undefined) return undefined;
  const snapshot = join(folderOf(cache, id), 'snapshots', commit);
  const files = new Map<string, RemoteFile>();
  for (const name of await readdir(snapshot).catch(() => [])) {
    const file = await describe(join(snapshot, name));
    if (file) files.set(name, file);
  }
  return files.size > 0 ? { id, commit, files } : undefined;
}

/** A file of the cache that should be the wanted one; undefined where there is none. Its hash is for the caller to check. */
export async function cachedFile(
  cache: string,
  { id, commit }: Repository,
  name: string,
  { size, hash }: RemoteFile,
): Promise<string | undefined> {
  const folder = folderOf(cache, id);
  const candidates = [join(folder, 'snapshots', commit, name)];
  if (hash) candidates.unshift(join(folder, 'blobs', hash.hex));
  for (const path of candidates) {
    const status = await stat(path).catch(() => undefined);
    if (status?.isFile() && status.size === size) return path;
  }
  return undefined;
}

function folderOf(cache: string, id: string): string {
  return join(cache, `models--${id.replaceAll('/', '--')}`);
}

async function readReference(path: string): Promise<string | undefined> {
  const text = (await readFile(path, 'utf8').catch(() => '')).trim();
  return isCommit(text) ? text : undefined;
}

/** A link's target is named by its contents' hash. */
async function describe(path: string): Promise<RemoteFile | undefined> {
  try {
    const [status, target] = [await stat(path), await realpath(path)];
    if (!status.isFile()) return undefined;
    const isBlob = basename(dirname(target)) === 'blobs';
    return { size: status.size, hash: isBlob ? contentHash(basename(target)) : undefined };
  } catch {
    // A link whose blob is gone.
    return undefined;
  }
}
