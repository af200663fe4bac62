/**
 * Reads a model directory: Hugging Face's layout, as downloaded or as `ptdpc convert` writes it.
 *
 *     config.json           sizes and activation; or OpenCLIP's open_clip_config.json
 *     preprocessor_config.json   how pictures are prepared, where not as for OpenAI's models
 *     model.safetensors     weights (or shards with an index, or pytorch_model.bin)
 *     merges.txt            vocabulary (or tokenizer.json); one with no merges after its first line means one token a byte
 *     vocab.json            ids of its tokens, start and end among them
 */
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type CanonicalClip, IDS_FILE, VOCABULARY_FILES } from '../clip/checkpoint/index.js';
import { type ClipConfig, type ModelDescription, validateShapes } from '../clip/config.js';
import { clipPreprocessing, type Preprocessing } from '../clip/image/index.js';
import { ClipTokenizer } from '../clip/tokenizer/index.js';
import { InputError } from '../errors.js';
import { modelIdentity } from '../ptdpc/index.js';
import {
  exists,
  findCheckpoint,
  openCheckpointFiles,
  readDescription,
  readSmallFile,
  readText,
} from './checkpoint-files.js';
import { hashWeights } from './file-hashes.js';
import { naming } from './system-error.js';

/** A model directory, opened. */
export interface ModelDirectory extends AsyncDisposable {
  readonly directory: string;
  readonly config: ClipConfig;
  /** How it wants its pictures. */
  readonly preprocessing: Preprocessing;
  /** What its small files say, and which of them says it. */
  readonly description: ModelDescription;
  /** The weights, read as they are asked for, until `close`. */
  readonly clip: CanonicalClip;
  /** The tokenizer. Throws InputError if the directory has no vocabulary. */
  tokenizer(): Promise<ClipTokenizer>;
  /** `modelIdentity` of the weights: of the one file, or of the shards one after the other. Computed once. */
  hash(): Promise<string>;
  /** Closes its files. */
  close(): Promise<void>;
}

/** Where model directories come from. */
const FETCH = 'download a model with npx ptdpc fetch ViT-B/32 --out clip-vit-b32';
const CONVERT = 'make one from a checkpoint with npx ptdpc convert';

/**
 * Opens a model directory and checks its weights against its config.json. `cacheDirectory`: where the hash of its weights is kept (see
 * `defaultCacheDirectory`). Default: nowhere. Throws InputError naming what is wrong.
 */
export async function openModelDirectory(directory: string, cacheDirectory?: string): Promise<ModelDirectory> {
  const status = await naming(directory, 'cannot be opened', () => stat(directory)).catch((error: unknown) => {
    if (error instanceof InputError) throw new InputError(`${error.message}; ${FETCH}`);
    throw error;
  });
  if (!status.isDirectory()) {
    throw new InputError(`${directory}: expected a model directory, found a file; ${CONVERT}`);
  }
  const description = await readDescription(directory);
  if (!description) {
    throw new InputError(`${directory}: not a model directory, it has no config.json; ${FETCH}, or ${CONVERT}`);
  }
  const { config, preprocessing } = description;
  const { weights } = await findCheckpoint(directory);
  const { checkpoint, close } = await openCheckpointFiles(weights);
  let clip: CanonicalClip;
  try {
    clip = validateShapes(checkpoint, config);
  } catch (error) {
    await close();
    throw error;
  }
  let tokenizer: Promise<ClipTokenizer> | undefined;
  let hash: Promise<string> | undefined;
  return {
    directory,
    config,
    preprocessing,
    description,
    clip,
    tokenizer: () => {
      tokenizer ??= readTokenizer(directory, config);
      return tokenizer;
    },
    hash: () => {
      hash ??= hashWeights(weights, cacheDirectory).then((weights) =>
        modelIdentity(weights, preprocessing, clipPreprocessing(preprocessing.size)),
      );
      return hash;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The tokenizer of a model directory, without opening its weights. */
export async function readTokenizer(directory: string, config: ClipConfig): Promise<ClipTokenizer> {
  const path = await vocabularyIn(directory);
  if (path === undefined) {
    throw new InputError(
      `${join(directory, 'merges.txt')}: missing, so texts cannot be tokenized; put the checkpoint's merges.txt or tokenizer.json there, or convert with --vocab`,
    );
  }
  return readVocabulary(path, config);
}

/** The file in a folder that holds its vocabulary; undefined if there is none. */
export async function vocabularyIn(directory: string): Promise<string | undefined> {
  for (const name of VOCABULARY_FILES) {
    const path = join(directory, name);
    if (await exists(path)) return path;
  }
  return undefined;
}

/**
 * A tokenizer for a model from a vocabulary file of any kind, gzip-compressed or not. The vocab.json beside a merges.txt says which ids
 * its tokens have.
 */
export async function readVocabulary(path: string, { text }: ClipConfig): Promise<ClipTokenizer> {
  const { vocabularySize, sot, eot } = text;
  const beside = join(dirname(path), IDS_FILE);
  const vocabJson = basename(path) === 'merges.txt' && (await exists(beside)) ? await readText(beside) : undefined;
  return ClipTokenizer.fromVocabularyFile(await readSmallFile(path), path, { vocabularySize, sot, eot, vocabJson });
}
