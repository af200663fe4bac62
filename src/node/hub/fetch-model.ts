/**
 * A model directory from the Hugging Face hub: which of a repository's files make one, each from the hub's cache on this
 * machine where it is there, else by download, all checked by their hashes.
 */
import { constants, copyFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CONFIG_FILES, shardFileNames, VOCABULARY_FILES, WEIGHT_FILES } from '../../clip/checkpoint/index.js';
import { InputError } from '../../errors.js';
import { exists, readDescription, readText } from '../checkpoint-files.js';
import { growDirectory, removeDeadLock } from '../growing-directory.js';
import { requireSpace } from '../make-folder.js';
import { openModelDirectory } from '../model-directory.js';
import { naming } from '../system-error.js';
import { type ContentHash, fileHash, sha256 } from './content-hash.js';
import { type DownloadOptions, downloadFile } from './download.js';
import { type HttpClient, HttpRefusal } from './http.js';
import { cachedFile, cachedRepository } from './hub-cache.js';
import { explained, fileUrl, isCommit, type RemoteFile, type Repository, readRepository } from './repository.js';
import { Unreachable } from './retry.js';

export interface ModelRequest {
  readonly id: string;
  /** A branch, tag or commit. */
  readonly revision: string;
  /** SHA-256 of files that must be what they are. */
  readonly pins: ReadonlyMap<string, string>;
  readonly endpoint: URL;
  /** The hub's cache on this machine; undefined to leave it alone. */
  readonly cache: string | undefined;
}

export interface FetchOptions extends DownloadOptions {
  /** Hears of what a user may want to know. */
  readonly onNote?: (note: string) => void;
}

export interface FetchedFile {
  readonly name: string;
  readonly bytes: number;
  readonly hash: ContentHash;
  /** Whether the hash was known beforehand, and is that one. */
  readonly checked: boolean;
  readonly from: 'hub' | 'cache' | 'earlier call';
}

export interface FetchedModel {
  readonly commit: string;
  readonly files: readonly FetchedFile[];
}

/** Files that a model directory is better with. */
const WELCOME = ['vocab.json', 'preprocessor_config.json', 'tokenizer_config.json', 'special_tokens_map.json'] as const;

/** Configurations, vocabularies and indexes of shards are smaller, weights of every ViT CLIP too. */
const MAX_SMALL_BYTES = 64 * 2 ** 20;
const MAX_WEIGHT_BYTES = 64 * 2 ** 30;

/**
 * Makes the model directory `out`. Throws InputError where the repository is not a CLIP's, where the hub cannot be reached,
 * and for contents with a wrong hash. Files that are complete by then stay for the next call.
 */
export async function fetchModel(
  client: HttpClient,
  request: ModelRequest,
  out: string,
  options: FetchOptions,
): Promise<FetchedModel> {
  const repository = pinned(await findRepository(client, request, options), request);
  const small = smallFiles(repository, request);
  const { commit } = repository;
  const there = await alreadyThere(out, repository, small);
  if (there) {
    await removeDeadLock(out);
    return { commit, files: there };
  }
  const fetched: FetchedFile[] = [];
  await growDirectory(out, async (directory) => {
    const take = async (names: readonly string[], limit: number) => {
      await requireSpace(out, await missingBytes(repository, request, names, directory));
      options.onTotal?.(
        names.reduce((sum, name) => sum + fileOf(repository, name).size, 0),
        0,
      );
      for (const name of names) {
        fetched.push(await takeFile(client, request, repository, name, directory, limit, options));
      }
    };
    await take(small, MAX_SMALL_BYTES);
    // Before the weights are asked for.
    await readDescription(directory);
    await take(await weightFiles(repository, directory), MAX_WEIGHT_BYTES);
    await removeOthers(
      directory,
      fetched.map(({ name }) => name),
    );
    await using model = await openModelDirectory(directory);
    await model.tokenizer();
  });
  return { commit, files: fetched };
}

/** What an earlier call has completed; undefined where anything is missing or different. */
async function alreadyThere(
  out: string,
  repository: Repository,
  small: readonly string[],
): Promise<FetchedFile[] | undefined> {
  const found: FetchedFile[] = [];
  const look = async (names: readonly string[]): Promise<boolean> => {
    for (const name of names) {
      const path = join(out, name);
      const file = fileOf(repository, name);
      const hash = (await exists(path)) ? await checkedHash(path, file) : undefined;
      if (!hash) return false;
      found.push({ name, bytes: file.size, hash, checked: file.hash !== undefined, from: 'earlier call' });
    }
    return true;
  };
  return (await look(small)) && (await look(await weightFiles(repository, out))) ? found : undefined;
}

/** A commit's files may all be in the cache, and then the hub need not be asked; else it is the fallback. */
async function findRepository(client: HttpClient, request: ModelRequest, options: FetchOptions): Promise<Repository> {
  const { id, revision, endpoint, cache } = request;
  const cached = cache === undefined ? undefined : await cachedRepository(cache, id, revision);
  if (cached && isCommit(revision) && isComplete(cached)) return cached;
  try {
    return await readRepository(client, endpoint, id, revision, options);
  } catch (error) {
    if (!(error instanceof Unreachable) || !cached) throw error;
    options.onNote?.(`${error.message}; taking ${id} at ${cached.commit.slice(0, 12)} from the cache ${cache}`);
    return cached;
  }
}

function isComplete({ files }: Repository): boolean {
  const whole = WEIGHT_FILES.some((name) => !name.endsWith('.json') && files.has(name));
  return whole && VOCABULARY_FILES.some((name) => files.has(name)) && CONFIG_FILES.some((name) => files.has(name));
}

/** The repository with the pinned hashes in the place of the listed ones. Throws InputError where they differ. */
function pinned(repository: Repository, { id, pins, endpoint }: ModelRequest): Repository {
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

/** Configuration, vocabulary and the weights' index, if that is how they come. */
function smallFiles({ id, files }: Repository, { endpoint }: ModelRequest): string[] {
  const config = CONFIG_FILES.filter((name) => files.has(name));
  if (config.length === 0) throw new InputError(`${id}: no config.json at ${endpoint.host}; is this a CLIP?`);
  const vocabulary = VOCABULARY_FILES.find((name) => files.has(name));
  if (vocabulary === undefined) {
    throw new InputError(
      `${id}: neither merges.txt nor tokenizer.json at ${endpoint.host}, without which texts cannot be tokenized`,
    );
  }
  const weights = WEIGHT_FILES.find((name) => files.has(name));
  if (weights === undefined) {
    throw new InputError(
      `${id}: no weights in PyTorch's or safetensors' format at ${endpoint.host}; expected model.safetensors or pytorch_model.bin`,
    );
  }
  const index = weights.endsWith('.json') ? [weights] : [];
  return [...config, vocabulary, ...WELCOME.filter((name) => files.has(name)), ...index];
}

async function weightFiles({ files }: Repository, directory: string): Promise<readonly string[]> {
  const weights = WEIGHT_FILES.find((name) => files.has(name))!;
  if (!weights.endsWith('.json')) return [weights];
  return shardFileNames(await readText(join(directory, weights)), weights);
}

function fileOf({ id, files }: Repository, name: string): RemoteFile {
  const file = files.get(name);
  if (!file) throw new InputError(`${id}: ${name} is missing, though the index of shards names it`);
  return file;
}

/** Bytes of some files that neither an earlier call nor the cache has. */
async function missingBytes(
  repository: Repository,
  { cache }: ModelRequest,
  names: readonly string[],
  directory: string,
): Promise<number> {
  const sizeAt = async (path: string) => (await stat(path).catch(() => undefined))?.size ?? 0;
  let missing = 0;
  for (const name of names) {
    const file = fileOf(repository, name);
    // A copy may share the blocks of the cache's file.
    if (cache !== undefined && (await cachedFile(cache, repository, name, file)) !== undefined) continue;
    const path = join(directory, name);
    missing += Math.max(0, file.size - (await sizeAt(path)) - (await sizeAt(`${path}.part`)));
  }
  return missing;
}

async function takeFile(
  client: HttpClient,
  { id, endpoint, cache, revision }: ModelRequest,
  repository: Repository,
  name: string,
  directory: string,
  limit: number,
  options: FetchOptions,
): Promise<FetchedFile> {
  const file = fileOf(repository, name);
  const path = join(directory, name);
  const checked = file.hash !== undefined;
  const earlier = (await exists(path)) ? await checkedHash(path, file) : undefined;
  if (earlier) {
    options.onBytes?.(file.size);
    return { name, bytes: file.size, hash: earlier, checked, from: 'earlier call' };
  }
  const cached = cache === undefined ? undefined : await cachedFile(cache, repository, name, file);
  if (cached !== undefined) {
    const hash = await copyChecked(cached, path, file);
    if (hash) {
      options.onBytes?.(file.size);
      return { name, bytes: file.size, hash, checked, from: 'cache' };
    }
    options.onNote?.(`${cached}: not what its name says, passed over`);
  }
  const url = fileUrl(endpoint, repository, name);
  try {
    const { bytes, hash } = await downloadFile(client, { url, path, name, ...file, limit }, options);
    return { name, bytes, hash, checked, from: 'hub' };
  } catch (error) {
    throw error instanceof HttpRefusal ? explained(error, `${id}: ${name}`, revision, endpoint) : error;
  }
}

/** Removes what earlier calls left that is no part of the model: of another revision, or of a call that was killed between two steps. */
async function removeOthers(directory: string, names: readonly string[]): Promise<void> {
  await naming(directory, 'cannot be written', async () => {
    for (const name of await readdir(directory)) {
      if (!names.includes(name)) await rm(join(directory, name), { recursive: true, force: true });
    }
  });
}

/** Copies a file of the cache, and removes the copy again unless its hash is right. */
async function copyChecked(source: string, path: string, file: RemoteFile): Promise<ContentHash | undefined> {
  const temporary = `${path}.copy`;
  // Shares the disk's blocks where the file system can.
  await naming(path, 'cannot be written', () => copyFile(source, temporary, constants.COPYFILE_FICLONE));
  const hash = await checkedHash(temporary, file);
  if (hash) await naming(path, 'cannot be written', () => rename(temporary, path));
  else await rm(temporary, { force: true });
  return hash;
}

/** The hash of a file on the disk; undefined where it is not the expected one. */
async function checkedHash(path: string, { size, hash: expected }: RemoteFile): Promise<ContentHash | undefined> {
  const status = await naming(path, 'cannot be read', () => stat(path));
  if (status.size !== size) return undefined;
  const found = await fileHash(path, expected?.algorithm ?? 'sha-256', size);
  return expected === undefined || found.hex === expected.hex ? found : undefined;
}
