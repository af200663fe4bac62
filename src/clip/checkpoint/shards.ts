/**
 * Checkpoints split over several files in Hugging Face's way: `model-00001-of-00002.safetensors`, ... and
 * `model.safetensors.index.json` (or the same with `pytorch_model.bin`), whose `weight_map` maps tensors to files.
 */
import { InputError } from '../../errors.js';
import { type Checkpoint, requireTensor } from './checkpoint.js';
import { quoted } from './quoted.js';

/**
 * Parses an index file into tensor name -> file name, in the index's order. Throws `InputError` if a file name is not
 * that of a file of weights, since an index must not name others.
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
    // A file of any other name could be one that some program reads, such as .npmrc.
    if (typeof file !== 'string' || !/^\w[\w.-]{0,200}\.(?:safetensors|bin|pth?)$/.test(file)) {
      throw new InputError(
        `${fileName}: tensor ${quoted(tensor)} is mapped to ${quoted(file)}, which is not the name of a shard, such as model-00001-of-00002.safetensors`,
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
 * Joins shards into one checkpoint. With an index, `weightMap` determines each tensor's shard and `name` is the index
 * file; without one, the result has all tensors of all shards, and names must be unique. Throws `InputError` for a
 * missing shard, a tensor missing from the shard in the index, and shards of different formats.
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
      `${other.name}: shards of one checkpoint must have the same format, found ${other.format} and ${format}`,
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
      throw new InputError(`${shard.name}: tensor ${quoted(tensor)} is missing, but ${name} says it is in this file`);
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

/** Weights, in order of preference: Hugging Face's, then OpenCLIP's. */
export const WEIGHT_FILES = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
  'open_clip_model.safetensors',
  'open_clip_pytorch_model.bin',
] as const;

/** Configurations; a model folder has at least one. */
export const CONFIG_FILES = ['config.json', 'open_clip_config.json'] as const;

/** Vocabularies, in order of preference: Hugging Face's, OpenAI's, and the only file that newer versions of transformers save. */
export const VOCABULARY_FILES = [
  'merges.txt',
  'bpe_simple_vocab_16e6.txt.gz',
  'bpe_simple_vocab_16e6.txt',
  'tokenizer.json',
] as const;

/** The ids of a vocabulary's tokens, beside its merges. */
export const IDS_FILE = 'vocab.json';

/** Far above any text file of a model folder (shard index, vocabulary). Parsed JSON can take 20 times the size of its text. */
export const MAX_TEXT_BYTES = 16 * 2 ** 20;
