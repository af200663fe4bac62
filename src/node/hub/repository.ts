/**
 * What a model repository of the Hugging Face hub holds: its files with sizes and hashes, of one commit.
 *
 *     GET /api/models/<id>/revision/<revision>?blobs=true
 *     { "sha": "<commit>", "siblings": [{ "rfilename", "size", "blobId", "lfs": { "sha256", "size" } }, ...] }
 *
 * Files themselves are at /<id>/resolve/<commit>/<file>, which redirects to wherever they are stored.
 */
import { InputError } from '../../errors.js';
import { type ContentHash, contentHash } from './content-hash.js';
import { type HttpClient, HttpRefusal, shownUrl } from './http.js';
import { type Retries, withRetries } from './retry.js';

export interface RemoteFile {
  readonly size: number;
  readonly hash: ContentHash | undefined;
}

export interface Repository {
  readonly id: string;
  /** The commit that the files are of. */
  readonly commit: string;
  readonly files: ReadonlyMap<string, RemoteFile>;
}

/** A list of files is a few kilobytes; this is for a server that sends something else. */
const MAX_LIST_BYTES = 16 * 2 ** 20;

const COMMIT = /^[0-9a-f]{40}$/;

/** `owner/name`, or `name` for the hub's oldest models. Throws InputError for anything else: it becomes part of paths. */
export function requireRepositoryId(id: string): string {
  const isName = /^(?:[\w-][\w.-]*\/)?[\w-][\w.-]*$/.test(id) && !id.includes('..') && id.length <= 96;
  if (isName) return id;
  throw new InputError(
    `${JSON.stringify(id)}: expected ViT-B/32, ViT-B/16, ViT-L/14 or a model of the Hugging Face hub such as openai/clip-vit-base-patch32`,
  );
}

/** A branch, tag or commit. Throws InputError for what could lead out of the cache's folder of names. */
export function requireRevision(revision: string): string {
  if (/^[\w./-]{1,200}$/.test(revision) && !revision.split('/').some((part) => /^\.*$/.test(part))) return revision;
  throw new InputError(`--revision ${JSON.stringify(revision)}: expected a branch, a tag or a commit`);
}

export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

/** Asks the hub at `endpoint`. Throws InputError where there is no such model, or no access to it. */
export async function readRepository(
  client: HttpClient,
  endpoint: URL,
  id: string,
  revision: string,
  retries: Retries,
): Promise<Repository> {
  const url = below(endpoint, `api/models/${id}/revision/${encodeURIComponent(revision)}?blobs=true`);
  try {
    const text = await withRetries(id, retries, () => readText(client, url));
    return parseRepository(text, id, shownUrl(url));
  } catch (error) {
    throw error instanceof HttpRefusal ? explained(error, id, revision, endpoint) : error;
  }
}

/** Where a file of a repository is. */
export function fileUrl(endpoint: URL, { id, commit }: Repository, file: string): URL {
  return below(endpoint, `${id}/resolve/${commit}/${encodeURIComponent(file)}`);
}

/** What the hub's refusals mean: it answers 401 to unknown names too, lest it tell which private ones exist. */
export function explained(error: HttpRefusal, id: string, revision: string, endpoint: URL): InputError {
  const where = `${id} (revision ${revision}) at ${endpoint.host}`;
  if (error.status === 401 || error.status === 403) {
    return new InputError(
      `${where}: no access (${error.status}); the name is wrong, or the model is private or gated: set HF_TOKEN to a token that may read it`,
    );
  }
  return error.status === 404 ? new InputError(`${where}: there is no such model or revision (404)`) : error;
}

function below(endpoint: URL, path: string): URL {
  return new URL(path, endpoint.href.endsWith('/') ? endpoint : `${endpoint.href}/`);
}

async function readText(client: HttpClient, url: URL): Promise<string> {
  const answer = await client.get(url);
  try {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of answer.body) {
      bytes += chunk.length;
      if (bytes > MAX_LIST_BYTES)
        throw new InputError(`${shownUrl(url)}: a list of files of over ${MAX_LIST_BYTES} bytes`);
      chunks.push(chunk);
    }
    return new TextDecoder().decode(Buffer.concat(chunks));
  } finally {
    answer.cancel();
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
  if (typeof sha !== 'string' || !COMMIT.test(sha) || !Array.isArray(siblings)) {
    throw new InputError(`${what}: expected a commit ("sha") and its files ("siblings"); is this a hub?`);
  }
  const files = new Map<string, RemoteFile>();
  for (const sibling of siblings) {
    const { rfilename, size, blobId, lfs } = asObject(sibling);
    const { sha256, oid } = asObject(lfs);
    // Files in folders (onnx/model.onnx) are never ours to take.
    if (typeof rfilename !== 'string' || typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) continue;
    const hex = [sha256, oid, blobId].find((hash) => typeof hash === 'string');
    files.set(rfilename, { size, hash: hex === undefined ? undefined : contentHash(hex as string) });
  }
  return { id, commit: sha, files };
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
