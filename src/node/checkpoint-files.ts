/**
 * Which files make a checkpoint: one file, the shards behind an index file, or what a folder from the Hugging Face hub
 * holds. Opening them, and reading what lies beside the weights.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  type Checkpoint,
  MAX_TEXT_BYTES,
  openCheckpoint,
  shardFileNames,
  WEIGHT_FILES,
} from '../clip/checkpoint/index.js';
import { DESCRIPTION_FILES, describeModel, type ModelDescription } from '../clip/config.js';
import { decodeText } from '../clip/text-file.js';
import { InputError } from '../errors.js';
import { span } from '../trace.js';
import { type FileSource, openFileSource } from './file-source.js';
import { errorCode, explained, kindOfFile, naming } from './system-error.js';

export interface CheckpointFiles {
  /** The file with all weights, or the index file followed by the shards. */
  readonly weights: readonly string[];
  /** The folder whose config.json and vocabulary belong to these weights; undefined for a file on its own. */
  readonly directory: string | undefined;
}

/** A file with the beginning of its SHA-256 in its name, as torch.hub keeps them and `ptdpc fetch` writes them. */
const HASHED_FILE = /-[0-9a-f]{8,64}\.pth?$/;

/** Finds the weights at `path`: a file, an index of shards, or a folder. Throws InputError naming what is missing. */
export async function findCheckpoint(path: string): Promise<CheckpointFiles> {
  const status = await naming(path, 'cannot be opened', () => stat(path));
  if (!status.isDirectory()) {
    const isNamed = WEIGHT_FILES.some((name) => name === basename(path));
    return { weights: await withShards(path), directory: isNamed ? dirname(path) : undefined };
  }
  for (const name of WEIGHT_FILES) {
    const file = join(path, name);
    if (await exists(file)) return { weights: await withShards(file), directory: path };
  }
  const [hashed, ...others] = (await readdir(path)).filter((name) => HASHED_FILE.test(name));
  if (hashed !== undefined && others.length === 0) return { weights: [join(path, hashed)], directory: path };
  throw new InputError(`${path}: no weights in this folder; expected model.safetensors or pytorch_model.bin`);
}

/** Opens the files of a checkpoint. Close it after the last read. */
export async function openCheckpointFiles(
  weights: readonly string[],
): Promise<{ checkpoint: Checkpoint; close(): Promise<void> }> {
  const sources: FileSource[] = [];
  const close = async () => {
    await Promise.all(sources.splice(0).map((source) => source.close()));
  };
  try {
    for (const path of weights) sources.push(await openFileSource(path));
    return { checkpoint: await openCheckpoint(sources), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a model folder says of its model; undefined if it has no configuration. Throws as `describeModel`. */
export async function readDescription(directory: string): Promise<ModelDescription | undefined> {
  const files = new Map<string, string>();
  for (const name of DESCRIPTION_FILES) {
    const path = join(directory, name);
    if (await exists(path)) files.set(name, await readText(path));
  }
  return describeModel(files, (name) => join(directory, name));
}

/** The most bytes of a file that is parsed as a whole and grows with images or classes: V8's longest string. */
export const MAX_DATA_BYTES = 2 ** 29 - 24;

/** A small file's bytes. Throws InputError naming it if it cannot be read or has more than `most` bytes. */
export async function readSmallFile(path: string, most = MAX_TEXT_BYTES): Promise<Uint8Array> {
  using _ = span('read', { file: path });
  const status = await naming(path, 'cannot be opened', () => stat(path));
  if (!status.isFile()) throw new InputError(`${path}: expected a file, found ${kindOfFile(status)}`);
  if (status.size > most) {
    throw new InputError(`${path}: expected at most ${most} bytes, found ${status.size}`);
  }
  return await naming(path, 'cannot be read', () => readFile(path));
}

/** A small text file. Throws InputError as `readSmallFile` and `decodeText` do. */
export async function readText(path: string, most = MAX_TEXT_BYTES): Promise<string> {
  return decodeText(await readSmallFile(path, most), path);
}

/** Whether there is something at `path`. Throws InputError if that cannot be told. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw new InputError(`${path}: cannot be opened (${explained(error)})`);
  }
}

async function withShards(path: string): Promise<string[]> {
  if (!path.endsWith('.json')) return [path];
  const shards = shardFileNames(await readText(path), path);
  return [path, ...shards.map((name) => join(dirname(path), name))];
}
