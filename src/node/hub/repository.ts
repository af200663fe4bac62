/**
 * A model repository: its files at one commit, with sizes and hashes, as the Hugging Face hub lists them or as the local cache of
 * Hugging Face's own tools, which is only read, holds them.
 *
 *     GET /api/models/<id>/revision/<revision>?blobs=true
 *     { "sha": "<commit>", "siblings": [{ "rfilename", "size", "blobId", "lfs": { "sha256", "size" } }, ...] }
 *     GET /<id>/resolve/<commit>/<file>, which redirects to where the file is stored
 *
 *     <cache>/models--<owner>--<name>/refs/<revision>            the commit that a branch pointed to
 *                                     snapshots/<commit>/<file>  a link into blobs, or the file itself where links are not supported
 *                                     blobs/<hash>               contents, by SHA-256 or git's blob id
 */
import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../../errors.js';
import { type ContentHash, contentHash } from '../file-source.js';
import { requirePrivateFolder } from '../own-files.js';
import { type HttpClient, HttpStatusError, type RetryOptions, shownUrl, withRetries } from './http.js';

export interface RemoteFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  readonly hash: ContentHash | undefined;
}

export interface Repository {
  readonly id: string;
  readonly commit: string;
  readonly files: ReadonlyMap<string, RemoteFile>;
}

/** A real list takes a few kilobytes. */
const MAX_LIST_BYTES = 16 * 2 ** 20;

/** Returns `owner/name`. Throws InputError for anything else: ids become paths. */
export function requireRepositoryId(id: string): string {
  const isName = /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(id) && !id.includes('..') && id.length <= 96;
  if (isName) return id;
  throw new InputError(
    `${JSON.stringify(id)}: expected ViT-B/32, ViT-B/16, ViT-L/14 or a model of the Hugging Face hub such as openai/clip-vit-base-patch32`,
  );
}

/** Returns a branch, tag or commit. Throws InputError for what would not be a path below the cache's `refs`. */
export function requireRevision(revision: string): string {
  if (/^[\w./-]{1,200}$/.test(revision) && !revision.split('/').some((part) => /^\.*$/.test(part))) return revision;
  throw new InputError(`--revision ${JSON.stringify(revision)}: expected a branch, a tag or a commit`);
}

export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** Asks the hub at `endpoint`. Throws InputError if there is no such model, no access to it, or no hub. */
export async function readRepository(
  client: HttpClient,
  endpoint: URL,
  id: string,
  revision: string,
  retries: RetryOptions,
): Promise<Repository> {
  const url = below(endpoint, `api/models/${id}/revision/${encodeURIComponent(revision)}?blobs=true`);
  try {
    const text = await withRetries(id, retries, () => readList(client, url));
    const repository = parseRepository(text, id, shownUrl(url));
    if (isCommit(revision) && repository.commit !== revision)
      throw new InputError(
        `${id}: asked ${endpoint.host} for commit ${revision}, which answered with ${repository.commit}`,
      );
    return repository;
  } catch (error) {
    throw error instanceof HttpStatusError ? explained(error, id, revision, endpoint) : error;
  }
}

/** The address of a file. */
export function fileUrl(endpoint: URL, { id, commit }: Repository, { name }: RemoteFile): URL {
  return below(endpoint, `${id}/resolve/${commit}/${encodeURIComponent(name)}`);
}

/** Says what a status means. The hub also answers 401 for names that do not exist, so as not to reveal private ones. */
export function explained(error: HttpStatusError, id: string, revision: string, endpoint: URL): InputError {
  const where = `${id} (revision ${revision}) at ${endpoint.host}`;
  if (error.status === 401 || error.status === 403) {
    return new InputError(
      `${where}: access denied (${error.status}); check the name, or set HF_TOKEN to a token that may read this private or gated model`,
    );
  }
  return error.status === 404 ? new InputError(`${where}: there is no such model or revision (404)`) : error;
}

function below(endpoint: URL, path: string): URL {
  return new URL(path, endpoint.href.endsWith('/') ? endpoint : `${endpoint.href}/`);
}

async function readList(client: HttpClient, url: URL): Promise<string> {
  const response = await client.get(url);
  try {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body) {
      bytes += chunk.length;
      if (bytes > MAX_LIST_BYTES)
        throw new InputError(`${shownUrl(url)}: the list of files is over ${MAX_LIST_BYTES} bytes`);
      chunks.push(chunk);
    }
    return new TextDecoder().decode(Buffer.concat(chunks));
  } finally {
    response.cancel();
  }
}

function parseRepository(text: string, id: string, what: string): Repository {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InputError(`${what}: expected a list of files in JSON, found something else; is this a hub?`);
  }
  const { sha, siblings } = asObject(value);
  if (typeof sha !== 'string' || !isCommit(sha) || !Array.isArray(siblings)) {
    throw new InputError(`${what}: expected a commit ("sha") and its files ("siblings"); is this a hub?`);
  }
  const files = new Map<string, RemoteFile>();
  for (const sibling of siblings) {
    const { rfilename, size, blobId, lfs } = asObject(sibling);
    const { sha256, oid } = asObject(lfs);
    if (typeof rfilename !== 'string' || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) continue;
    const hex = [sha256, oid, blobId].find((hash) => typeof hash === 'string');
    files.set(rfilename, { name: rfilename, size, hash: hex === undefined ? undefined : contentHash(hex as string) });
  }
  return { id, commit: sha, files };
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** $HF_HUB_CACHE, else $HF_HOME/hub, else $XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub. */
export function hubCacheDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = env;
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  return HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(home, 'hub');
}

/** The files of a revision that the cache holds; undefined if there are none. */
export async function cachedRepository(cache: string, id: string, revision: string): Promise<Repository | undefined> {
  const folder = cacheFolder(cache, id);
  const commit = isCommit(revision)
    ? revision
    : (await readFile(join(folder, 'refs', revision), 'utf8').catch(() => '')).trim();
  if (!isCommit(commit)) return undefined;
  const snapshot = join(folder, 'snapshots', commit);
  const files = new Map<string, RemoteFile>();
  for (const name of await readdir(snapshot).catch(() => [])) {
    const file = await describe(folder, join(snapshot, name));
    if (file) files.set(name, file);
  }
  return files.size > 0 ? { id, commit, files } : undefined;
}

/**
 * The path of a cached file that may be the wanted one, by name and size; its hash remains to be checked. Others may write to a shared cache:
 * without a hash from elsewhere, nothing vouches for what it holds, and a link in it may lead to a private file, so only links into its blobs
 * count.
 */
export async function cachedFile(
  cache: string,
  { id, commit }: Repository,
  { name, size, hash }: RemoteFile,
): Promise<string | undefined> {
  const folder = cacheFolder(cache, id);
  const candidates = [join(folder, 'snapshots', commit, name)];
  if (hash) candidates.unshift(join(folder, 'blobs', hash.hex));
  for (const path of candidates) {
    const target = await blobOrFile(folder, path);
    if (target?.size === size) return target.path;
  }
  return undefined;
}

function cacheFolder(cache: string, id: string): string {
  return join(cache, `models--${id.replaceAll('/', '--')}`);
}

/** A link leads to a blob, whose name is its hash. Undefined for folders, broken links and links to other places. */
async function describe(folder: string, path: string): Promise<RemoteFile | undefined> {
  const file = await blobOrFile(folder, path);
  if (!file) return undefined;
  return { name: basename(path), size: file.size, hash: file.isBlob ? contentHash(basename(file.path)) : undefined };
}

/** A regular file of a model's folder in the cache: the one at `path`, or the blob that a link there leads to. */
async function blobOrFile(
  folder: string,
  path: string,
): Promise<{ path: string; size: number; isBlob: boolean } | undefined> {
  try {
    const isLink = (await lstat(path)).isSymbolicLink();
    const target = isLink ? await realpath(path) : path;
    if (isLink && dirname(target) !== (await realpath(join(folder, 'blobs')))) return undefined;
    const status = await lstat(target);
    return status.isFile() ? { path: target, size: status.size, isBlob: isLink } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether nobody else can have written to a model's folder in the cache. */
export async function isOwnCache(cache: string, id: string): Promise<boolean> {
  try {
    for (const folder of [cache, cacheFolder(cache, id)]) await requirePrivateFolder(folder);
    return true;
  } catch {
    return false;
  }
}
