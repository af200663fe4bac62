/**
 * A checkpoint spread over several files, as Hugging Face splits large ones: `model-00001-of-00002.safetensors`, ... and
 * `model.safetensors.index.json` (or the same with `pytorch_model.bin`), whose `weight_map` says which file has which
 * tensor.
 */
import { InputError } from '../../errors.js';
import { type Checkpoint, requireTensor } from './checkpoint.js';
import { quoted } from './quoted.js';

/**
 * Reads an index file. Returns tensor name -> file name, in the index's order. Throws `InputError` if a file name is
 * not a plain name: an index must not send its reader to other folders.
 */
export function parseShardIndex(text: string, fileName: string): Map<string, string> {
  let index: unknown;
  try {
    index = JSON.parse(text);
  } catch {
    throw new InputError(`${fileName}: not valid JSON`);
  }
  const weightMap = typeof index === 'object' && index !== null && 'weight_map' in index ? index.weight_map : undefined;
  if (typeof weightMap !== 'object' || weightMap === null || Array.isArray(weightMap)) {
    throw new InputError(`${fileName}: expected a checkpoint index with a "weight_map", found other JSON`);
  }
  const shards = new Map<string, string>();
  for (const [tensor, file] of Object.entries(weightMap) as [string, unknown][]) {
    if (typeof file !== 'string' || !/^[^/\\:\0]+$/.test(file) || file === '.' || file === '..') {
      throw new InputError(
        `${fileName}: tensor ${quoted(tensor)} is mapped to ${quoted(file)}, which is not a plain file name`,
      );
    }
    shards.set(tensor, file);
  }
  return shards;
}

/** The files that an index needs beside it, each once, in order of first use. */
export function shardFileNames(text: string, fileName: string): string[] {
  return [...new Set(parseShardIndex(text, fileName).values())];
}

/**
 * Joins shards into one checkpoint. With an index, `weightMap` decides where each tensor is read and `name` is the
 * index file; without one, all tensors of all shards are taken and a name may occur only once. Throws `InputError` for a
 * missing shard, a tensor that is not where the index says, and shards of different formats.
 */
export function joinShards(
  shards: readonly Checkpoint[],
  name: string,
  weightMap?: ReadonlyMap<string, string>,
): Checkpoint {
  const format = shards[0]?.format;
  const other = shards.find((shard) => shard.format !== format);
  if (format === undefined) throw new InputError(`${name}: the files that hold its tensors are missing`);
  if (other)
    throw new InputError(
      `${other.name}: shards of one checkpoint share a format, found ${other.format} beside ${format}`,
    );
  const owners = weightMap ? ownersByIndex(shards, name, weightMap) : ownersByContent(shards);
  const find = (tensor: string): Checkpoint => requireTensor(owners, tensor, name);
  return {
    name,
    format,
    metadata: new Map(shards.flatMap((shard) => [...shard.metadata])),
    names: () => [...owners.keys()],
    has: (tensor) => owners.has(tensor),
    shape: (tensor) => find(tensor).shape(tensor),
    dtype: (tensor) => find(tensor).dtype(tensor),
    read: async (tensor, rows, halves) => find(tensor).read(tensor, rows, halves),
  };
}

function ownersByIndex(
  shards: readonly Checkpoint[],
  name: string,
  weightMap: ReadonlyMap<string, string>,
): Map<string, Checkpoint> {
  const byFile = new Map(shards.map((shard) => [shard.name.split(/[/\\]/).at(-1) ?? '', shard]));
  const owners = new Map<string, Checkpoint>();
  for (const [tensor, file] of weightMap) {
    const shard = byFile.get(file);
    if (!shard) throw new InputError(`${name}: tensor ${quoted(tensor)} is in ${quoted(file)}, which was not given`);
    if (!shard.has(tensor))
      throw new InputError(`${shard.name}: tensor ${quoted(tensor)} is missing, ${name} says that it is here`);
    owners.set(tensor, shard);
  }
  return owners;
}

function ownersByContent(shards: readonly Checkpoint[]): Map<string, Checkpoint> {
  const owners = new Map<string, Checkpoint>();
  for (const shard of shards) {
    for (const tensor of shard.names()) {
      const first = owners.get(tensor);
      if (first) throw new InputError(`tensor ${quoted(tensor)} is both in ${first.name} and in ${shard.name}`);
      owners.set(tensor, shard);
    }
  }
  return owners;
}

/** Weights, best first: Hugging Face's, then OpenCLIP's. */
export const WEIGHT_FILES = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
  'open_clip_model.safetensors',
  'open_clip_pytorch_model.bin',
] as const;

/** Configurations, of which a model folder has one at least. */
export const CONFIG_FILES = ['config.json', 'open_clip_config.json'] as const;

/** Vocabularies, best first: Hugging Face's, OpenAI's, and what newer versions of transformers save alone. */
export const VOCABULARY_FILES = [
  'merges.txt',
  'bpe_simple_vocab_16e6.txt.gz',
  'bpe_simple_vocab_16e6.txt',
  'tokenizer.json',
] as const;

/** The ids of a vocabulary's tokens, beside its merges. */
export const IDS_FILE = 'vocab.json';

/** Far above any text file of a model folder (an index of shards, a vocabulary); as objects, JSON can take twenty times as much. */
export const MAX_TEXT_BYTES = 16 * 2 ** 20;
