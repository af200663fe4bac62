/** A model folder of the user's: which of its files make the model, and the model opened from them without a weight being read. */

import {
  type ByteSource,
  blobSource,
  CONFIG_FILES,
  IDS_FILE,
  MAX_TEXT_BYTES,
  openCheckpoint,
  shardFileNames,
  VOCABULARY_FILES,
  WEIGHT_FILES,
} from '../../../src/clip/checkpoint/index.js';
import { DESCRIPTION_FILES, describeModel } from '../../../src/clip/config.js';
import { decodeText } from '../../../src/clip/text-file.js';
import { readEncoder } from '../../../src/encoders/index.js';
import { InputError } from '../../../src/errors.js';
import { hashWeights, type ModelSource, openModel } from '../../../src/ptdpc/index.js';
import type { ModelFolder } from '../../protocol-model.js';
import type { Watched } from './watched-source.js';
import { watchedSource } from './watched-source.js';

/** A model whose weights are still in their files. */
export interface OpenFolder {
  readonly source: ModelSource;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
}

/**
 * Opens a folder's model and checks its shapes and its vocabulary. `watched` is called for every read. Throws InputError naming the file that is
 * missing or faulty.
 */
export async function openModelFolder(folder: ModelFolder, watched: Watched): Promise<OpenFolder> {
  const files = new Map(folder.files.map(({ path, file }) => [path, file]));
  const config: Record<string, string> = {};
  for (const name of DESCRIPTION_FILES) {
    if (files.has(name)) config[name] = decodeText(await smallFile(files, name), name);
  }
  // Before anything else, so that a model that is not a CLIP is reported as that.
  try {
    if (!describeModel(new Map(Object.entries(config))))
      throw new InputError(`${folder.name}: ${withoutConfig(folder)}`);
  } catch (error) {
    throw (await otherEncoder(files, watched)) ?? error;
  }
  const weightsName = WEIGHT_FILES.find((name) => files.has(name));
  if (weightsName === undefined)
    throw new InputError(`${folder.name}: no weights in this folder; expected model.safetensors or pytorch_model.bin`);
  const weights = await weightFiles(files, weightsName);
  const vocabularyName = VOCABULARY_FILES.find((name) => files.has(name));
  if (vocabularyName === undefined) {
    throw new InputError(
      `${folder.name}: no merges.txt or tokenizer.json in this folder, so class words cannot be read; put the checkpoint's there`,
    );
  }
  const sources = weights.map(([name, file]) => watchedSource(blobSource(name, file), watched));
  const hasIds = vocabularyName === 'merges.txt' && files.has(IDS_FILE);
  const source = await openModel({
    config,
    weights: sources,
    vocabulary: await smallFile(files, vocabularyName),
    vocabularyIds: hasIds ? decodeText(await smallFile(files, IDS_FILE), IDS_FILE) : undefined,
  });
  // Read now, so that a faulty one is reported before the weights are loaded.
  await source.tokenizer();
  return {
    source: { ...source, hash: remembered(() => hashWeights(sources)) },
    files: weights.map(([name, { size }]) => ({ name, bytes: size })),
  };
}

type Files = ReadonlyMap<string, File>;

/** That the folder holds another image encoder, if it does: of a CLIP this page needs both towers. */
async function otherEncoder(files: Files, watched: Watched): Promise<InputError | undefined> {
  const [weights, ...others] = [...files].filter(([name]) => /^[^/]+\.(?:safetensors|pth?|bin)$/.test(name));
  if (!weights || others.length > 0) return undefined;
  const [name, file] = weights;
  try {
    const encoder = readEncoder(await openCheckpoint(watchedSource(blobSource(name, file), watched)));
    return (
      encoder &&
      new InputError(
        `${name}: ${encoder.architecture}, an image encoder without texts; this page takes a CLIP, and npx ptdpc probe --model <path> trains a linear layer on this one`,
      )
    );
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** The one file with all weights, or the index and its shards. */
async function weightFiles(files: Files, name: string): Promise<[string, File][]> {
  const file = files.get(name)!;
  if (!name.endsWith('.json')) return [[name, file]];
  const shards = shardFileNames(decodeText(await smallFile(files, name), name), name);
  const found = shards.map((shard): [string, File] => {
    const part = files.get(shard);
    if (!part) throw new InputError(`${name}: it names ${shard}, which is not in this folder`);
    return [shard, part];
  });
  return [[name, file], ...found];
}

async function smallFile(files: Files, name: string): Promise<Uint8Array> {
  const file = files.get(name)!;
  if (file.size > MAX_TEXT_BYTES)
    throw new InputError(`${name}: expected at most ${MAX_TEXT_BYTES} bytes, found ${file.size}`);
  const source: ByteSource = blobSource(name, file);
  return source.read(0, file.size);
}

/** The message for a folder without a model. */
function withoutConfig({ files }: ModelFolder): string {
  const below = files.find(({ path }) => CONFIG_FILES.some((name) => path.endsWith(`/${name}`)));
  const hint = below ? `; there is one in ${below.path.slice(0, below.path.lastIndexOf('/'))}: choose that folder` : '';
  return `not a model folder, it has no config.json${hint}`;
}

function remembered<T>(compute: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => {
    value ??= compute();
    return value;
  };
}
