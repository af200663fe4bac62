/**
 * Makes a model directory from a repository on the Hugging Face hub. Each file is copied from the local hub cache or downloaded,
 * and checked by its hash.
 */
import { createHash } from 'node:crypto';
import { constants, copyFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CONFIG_FILES, shardFileNames, VOCABULARY_FILES, WEIGHT_FILES } from '../../clip/checkpoint/index.js';
import { ARCHITECTURES, firstDifference, type ModelDescription } from '../../clip/config.js';
import { clipPreprocessing, samePreprocessing } from '../../clip/image/preprocessing.js';
import { InputError } from '../../errors.js';
import { growDirectory, removeDeadLock } from '../atomic.js';
import { exists, readDescription, readText } from '../checkpoint-files.js';
import { type ContentHash, hashFile, sha256 } from '../file-source.js';
import { openEncoder } from '../image-encoder.js';
import { requireSpace } from '../make-folder.js';
import { openModelDirectory } from '../model-directory.js';
import { naming } from '../system-error.js';
import { type DownloadOptions, downloadFile } from './download.js';
import { type HttpClient, HttpStatusError, RetriesExhausted } from './http.js';
import { MERGES_SHA256 } from './published-models.js';
import {
  cachedFile,
  cachedRepository,
  explained,
  fileUrl,
  isCommit,
  isOwnCache,
  type RemoteFile,
  type Repository,
  readRepository,
} from './repository.js';

export interface ModelRequest {
  readonly id: string;
  /** A branch, tag or commit. */
  readonly revision: string;
  /** Required SHA-256 hashes, by file name. */
  readonly pins: ReadonlyMap<string, string>;
  /** The published model that it must be, by its name. */
  readonly published?: string | undefined;
  /** Whether it is another encoder than a CLIP: no vocabulary is needed then. */
  readonly isEncoder?: boolean | undefined;
  readonly endpoint: URL;
  /** The local hub cache; undefined to ignore it. */
  readonly cache: string | undefined;
}

export interface FetchOptions extends DownloadOptions {
  /** Called with what a user may want to know, a line each. */
  readonly onNote?: (note: string) => void;
}

export interface FetchedFile {
  readonly name: string;
  readonly bytes: number;
  readonly hash: ContentHash;
  /** Whether the hub or a pin gave a hash to compare with. */
  readonly checked: boolean;
  readonly from: 'hub' | 'publisher' | 'cache' | 'earlier call';
}

export interface FetchedModel {
  readonly commit: string;
  readonly files: readonly FetchedFile[];
}

/** Taken if present: other software wants them. */
const OPTIONAL_FILES = [
  'vocab.json',
  'preprocessor_config.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
] as const;

/** Above every configuration, vocabulary and index of shards. */
const MAX_SMALL_BYTES = 64 * 2 ** 20;
/** Above the weights of every CLIP. */
export const MAX_WEIGHT_BYTES = 64 * 2 ** 30;

/**
 * Creates the model directory `out`. Throws InputError if the repository is not a CLIP's, the hub cannot be reached, or a hash is
 * wrong. Complete files and partial downloads stay for the next call.
 */
export async function fetchModel(
  client: HttpClient,
  request: ModelRequest,
  out: string,
  options: FetchOptions,
): Promise<FetchedModel> {
  const repository = withPins(await findRepository(client, request, options), request);
  const { commit } = repository;
  const small = smallFiles(repository, request);
  const existing = await existingFiles(repository, small, out);
  if (existing) {
    await removeDeadLock(out);
    return { commit, files: existing };
  }
  const fetched: FetchedFile[] = [];
  await growDirectory(out, async (directory) => {
    const take = async (files: readonly RemoteFile[], limit: number) => {
      await requireSpace(out, await missingBytes(repository, request, files, directory));
      options.onTotal?.(
        files.reduce((sum, { size }) => sum + size, 0),
        0,
      );
      for (const file of files) {
        const taken =
          (await existingFile(file, directory)) ??
          (await copyFromCache(repository, request, file, directory, options)) ??
          (await download(client, repository, request, file, directory, limit, options));
        if (taken.from !== 'hub') options.onBytes?.(taken.bytes);
        fetched.push(taken);
      }
    };
    await take(small, MAX_SMALL_BYTES);
    if (!request.isEncoder) {
      // A configuration that is not a CLIP's is refused before the weights are requested.
      const description = await readDescription(directory);
      if (request.published !== undefined) await requirePublished(directory, description, request.published);
    }
    await take(await weightFiles(repository, directory), MAX_WEIGHT_BYTES);
    await removeOthers(directory, new Set(fetched.map(({ name }) => name)));
    if (request.isEncoder) {
      await using _encoder = await openEncoder(directory, { features: 'pooled' });
      return;
    }
    await using model = await openModelDirectory(directory);
    await model.tokenizer();
  });
  return { commit, files: fetched };
}

/** Asks the hub, unless the cache has the whole commit. If the hub cannot be reached, the cache has to do. */
async function findRepository(client: HttpClient, request: ModelRequest, options: FetchOptions): Promise<Repository> {
  const { id, revision, endpoint, cache, published, isEncoder = false } = request;
  // The names of a cache's files vouch for their contents, so it must be ours; a published model's files are known from elsewhere.
  const vouches = cache !== undefined && (published !== undefined || (await isOwnCache(cache, id)));
  const cached = vouches ? await cachedRepository(cache, id, revision) : undefined;
  if (cached && isCommit(revision) && isComplete(cached, isEncoder)) return cached;
  try {
    return await readRepository(client, endpoint, id, revision, options);
  } catch (error) {
    if (!(error instanceof RetriesExhausted) || !cached) throw error;
    options.onNote?.(`${error.message}; using ${id} at ${cached.commit.slice(0, 12)} from the cache ${cache}`);
    return cached;
  }
}

function isComplete({ files }: Repository, isEncoder: boolean): boolean {
  const whole = WEIGHT_FILES.some((name) => !name.endsWith('.json') && files.has(name));
  return (
    whole &&
    (isEncoder || VOCABULARY_FILES.some((name) => files.has(name))) &&
    CONFIG_FILES.some((name) => files.has(name))
  );
}

/** Replaces listed hashes by pinned ones. Throws InputError if they differ. */
function withPins(repository: Repository, { id, pins, endpoint }: ModelRequest): Repository {
  const files = new Map(repository.files);
  for (const [name, hex] of pins) {
    const file = files.get(name);
    if (!file) throw new InputError(`${id}: ${endpoint.host} has no ${name} at commit ${repository.commit}`);
    if (file.hash?.algorithm === 'sha-256' && file.hash.hex !== hex) {
      throw new InputError(`${id}: ${name} should have SHA-256 ${hex}, ${endpoint.host} has ${file.hash.hex}`);
    }
    files.set(name, { ...file, hash: sha256(hex) });
  }
  return { ...repository, files };
}

/** Throws InputError unless the files in `directory` beside the weights are those of the published model `name`. */
export async function requirePublished(
  directory: string,
  description: ModelDescription | undefined,
  name: string,
): Promise<void> {
  const expected = ARCHITECTURES.get(name)!;
  const { config, preprocessing } = description ?? {};
  const difference = config && firstDifference(config, expected);
  if (!config || difference !== undefined)
    throw new InputError(
      `config.json: it is not that of ${name}: ${difference ?? 'there is none'}; is this mirror right?`,
    );
  if (preprocessing && !samePreprocessing(preprocessing, clipPreprocessing(expected.vision.imageSize)))
    throw new InputError(`preprocessor_config.json: it is not that of ${name}; is this mirror right?`);
  const path = join(directory, 'merges.txt');
  const text = (await exists(path)) ? await readText(path) : '';
  const merges = text.split(/\r?\n/).filter((line, i) => line !== '' && !(i === 0 && line.startsWith('#version')));
  if (createHash('sha256').update(merges.join('\n')).digest('hex') !== MERGES_SHA256)
    throw new InputError("merges.txt: it is not CLIP's vocabulary; is this mirror right?");
}

/** Configuration, vocabulary, optional files, and the index of sharded weights. */
function smallFiles({ id, files }: Repository, { endpoint, isEncoder }: ModelRequest): RemoteFile[] {
  const present = (names: readonly string[]) => names.flatMap((name) => files.get(name) ?? []);
  const config = present(CONFIG_FILES);
  if (config.length === 0) throw new InputError(`${id}: no config.json at ${endpoint.host}; is this a CLIP?`);
  const vocabulary = isEncoder ? [] : present(VOCABULARY_FILES).slice(0, 1);
  if (vocabulary.length === 0 && !isEncoder) {
    throw new InputError(
      `${id}: neither merges.txt nor tokenizer.json at ${endpoint.host}, without which texts cannot be tokenized; if it is another image encoder, pass --encoder`,
    );
  }
  const [weights] = present(WEIGHT_FILES);
  if (weights === undefined) {
    throw new InputError(
      `${id}: no PyTorch or safetensors weights at ${endpoint.host}; expected model.safetensors or pytorch_model.bin`,
    );
  }
  const index = weights.name.endsWith('.json') ? [weights] : [];
  return [...config, ...vocabulary, ...present(OPTIONAL_FILES), ...index];
}

/** The weights, or the shards that the index in `directory` names. */
async function weightFiles({ id, files }: Repository, directory: string): Promise<RemoteFile[]> {
  const weights = WEIGHT_FILES.find((name) => files.has(name))!;
  const names = weights.endsWith('.json')
    ? shardFileNames(await readText(join(directory, weights)), weights)
    : [weights];
  return names.map((name) => {
    const file = files.get(name);
    if (!file) throw new InputError(`${id}: ${name} is missing, though the index of shards names it`);
    return file;
  });
}

/** Bytes that neither the cache nor earlier calls have. */
async function missingBytes(
  repository: Repository,
  { cache }: ModelRequest,
  files: readonly RemoteFile[],
  directory: string,
): Promise<number> {
  const sizeAt = async (path: string) => (await stat(path).catch(() => undefined))?.size ?? 0;
  let missing = 0;
  for (const file of files) {
    // A copy of a cached file may share its blocks.
    if (cache !== undefined && (await cachedFile(cache, repository, file)) !== undefined) continue;
    const path = join(directory, file.name);
    missing += Math.max(0, file.size - (await sizeAt(path)) - (await sizeAt(`${path}.part`)));
  }
  return missing;
}

/** The model's files, if `out` has all of them; otherwise undefined. */
async function existingFiles(repository: Repository, small: readonly RemoteFile[], out: string) {
  const found: FetchedFile[] = [];
  const find = async (files: readonly RemoteFile[]): Promise<boolean> => {
    for (const file of files) {
      const existing = await existingFile(file, out);
      if (!existing) return false;
      found.push(existing);
    }
    return true;
  };
  return (await find(small)) && (await find(await weightFiles(repository, out))) ? found : undefined;
}

async function existingFile(file: RemoteFile, directory: string): Promise<FetchedFile | undefined> {
  const path = join(directory, file.name);
  const hash = (await exists(path)) ? await checkedHash(path, file) : undefined;
  return hash && fetchedFile(file, hash, 'earlier call');
}

/** Copies the file from the cache. Undefined if it is not there or damaged. */
async function copyFromCache(
  repository: Repository,
  { cache }: ModelRequest,
  file: RemoteFile,
  directory: string,
  { onNote }: FetchOptions,
): Promise<FetchedFile | undefined> {
  const source = cache === undefined ? undefined : await cachedFile(cache, repository, file);
  if (source === undefined) return undefined;
  const path = join(directory, file.name);
  const copy = `${path}.copy`;
  return naming(path, 'cannot be written', async () => {
    // Shares the disk's blocks if the file system can.
    await copyFile(source, copy, constants.COPYFILE_FICLONE);
    const hash = await checkedHash(copy, file);
    if (hash) {
      await rename(copy, path);
      return fetchedFile(file, hash, 'cache');
    }
    await rm(copy, { force: true });
    onNote?.(`${source}: damaged, its hash is wrong; downloading ${file.name} instead`);
    return undefined;
  });
}

async function download(
  client: HttpClient,
  repository: Repository,
  { id, endpoint, revision }: ModelRequest,
  file: RemoteFile,
  directory: string,
  limit: number,
  options: FetchOptions,
): Promise<FetchedFile> {
  const url = fileUrl(endpoint, repository, file);
  const job = { ...file, url, path: join(directory, file.name), limit };
  try {
    return fetchedFile(file, (await downloadFile(client, job, options)).hash, 'hub');
  } catch (error) {
    throw error instanceof HttpStatusError ? explained(error, `${id}: ${file.name}`, revision, endpoint) : error;
  }
}

function fetchedFile({ name, size, hash: expected }: RemoteFile, hash: ContentHash, from: FetchedFile['from']) {
  return { name, bytes: size, hash, checked: expected !== undefined, from };
}

/** The hash of a file on disk; undefined if it is not the expected one. */
async function checkedHash(path: string, { size, hash: expected }: RemoteFile): Promise<ContentHash | undefined> {
  const status = await naming(path, 'cannot be read', () => stat(path));
  if (status.size !== size) return undefined;
  const found = await hashFile(path, expected?.algorithm ?? 'sha-256', size);
  return expected === undefined || found.hex === expected.hex ? found : undefined;
}

/** Removes files of another revision and partial files, which earlier calls may have left. */
async function removeOthers(directory: string, names: ReadonlySet<string>): Promise<void> {
  await naming(directory, 'cannot be written', async () => {
    for (const name of await readdir(directory)) {
      if (!names.has(name)) await rm(join(directory, name), { recursive: true, force: true });
    }
  });
}
