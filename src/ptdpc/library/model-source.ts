/** The parts of a CLIP, and opening one from files in memory or from a browser's file objects. */
import { createSHA256, sha256 } from 'hash-wasm';
import {
  type ByteSource,
  blobSource,
  bytesSource,
  type CanonicalClip,
  openCheckpoint,
} from '../../clip/checkpoint/index.js';
import { type ClipConfig, describeModel, validateShapes } from '../../clip/config.js';
import {
  clipPreprocessing,
  describePreprocessing,
  type Preprocessing,
  samePreprocessing,
} from '../../clip/image/index.js';
import { ClipTokenizer } from '../../clip/tokenizer/index.js';
import { InputError } from '../../errors.js';
import type { AnyPromptsFile } from '../prompts-file.js';

/** A CLIP's parts, from any source: `openModel` gives one from bytes, `openModelDirectory` of `ptdpc/node` one from a folder. */
export interface ModelSource {
  /** Every size, and the activation. */
  readonly config: ClipConfig;
  /** How its images are preprocessed. */
  readonly preprocessing: Preprocessing;
  /** The weights, read on demand. */
  readonly clip: CanonicalClip;
  /** The tokenizer. Throws InputError if there is no vocabulary. */
  tokenizer(): Promise<ClipTokenizer>;
  /** `modelIdentity`, by which tuned prompts recognise their model. */
  hash(): Promise<string>;
}

/** The files of a model directory, in memory or as Blobs. */
export interface ModelFiles {
  /**
   * Text of config.json or of open_clip_config.json; or texts by file name, of these and of preprocessor_config.json, without which
   * images are preprocessed as for OpenAI's models.
   */
  readonly config: string | Readonly<Record<string, string>>;
  /** model.safetensors or a PyTorch file: its bytes, a Blob, or sources of bytes (shards, with or without their index). */
  readonly weights: Uint8Array | Blob | ByteSource | readonly ByteSource[];
  /** merges.txt, tokenizer.json, or OpenAI's bpe_simple_vocab_16e6.txt.gz. Without it, texts cannot be read. */
  readonly vocabulary?: Uint8Array | undefined;
  /** Text of the vocab.json beside merges.txt, if there is one: the ids of its tokens. */
  readonly vocabularyIds?: string | undefined;
  /** SHA-256 of the weights, if known. Otherwise it is computed when needed, which reads all of them once. */
  readonly sha256?: string | undefined;
}

/**
 * Opens a CLIP from its files and checks its weights against its configuration. The caller closes the sources. Throws InputError
 * naming what is wrong.
 */
export async function openModel(files: ModelFiles): Promise<ModelSource> {
  const described = describeModel(
    new Map(typeof files.config === 'string' ? [['config.json', files.config]] : Object.entries(files.config)),
  );
  if (!described) throw new InputError('config: expected the text of config.json or of open_clip_config.json');
  const { config, preprocessing } = described;
  const sources = sourcesOf(files.weights);
  const clip = validateShapes(await openCheckpoint(sources), config);
  let tokenizer: ClipTokenizer | undefined;
  let hash: Promise<string> | undefined;
  return {
    config,
    preprocessing,
    clip,
    tokenizer: async () => {
      const { vocabulary } = files;
      if (!vocabulary) throw new InputError('this model was opened without a vocabulary, so texts cannot be tokenized');
      const { vocabularySize, sot, eot } = config.text;
      const options = { vocabularySize, sot, eot, vocabJson: files.vocabularyIds };
      tokenizer ??= ClipTokenizer.fromVocabularyFile(vocabulary, 'vocabulary', options);
      return tokenizer;
    },
    hash: () => {
      const weights = files.sha256 === undefined ? hashWeights(sources) : Promise.resolve(files.sha256);
      hash ??= weights.then((weights) => modelIdentity(weights, preprocessing, clipPreprocessing(preprocessing.size)));
      return hash;
    },
  };
}

/** Throws InputError if `prompts` were trained with another model. `what` names them. */
export async function requireSameModel(
  what: string,
  { modelHash }: Pick<AnyPromptsFile, 'modelHash'>,
  model: ModelSource & { readonly directory?: string },
): Promise<void> {
  const hash = await model.hash();
  if (hash === modelHash) return;
  throw new InputError(
    `${what}: made with another model, or with images prepared in another way (SHA-256 ` +
      `${modelHash.slice(0, 12)}..., ${model.directory ?? model.clip.name} has ${hash.slice(0, 12)}...)`,
  );
}

/**
 * What identifies a model's features, in hexadecimal: the SHA-256 of its weights, or, if its preprocessing is not the `usual`
 * one of its kind, that of both together.
 */
export async function modelIdentity(weights: string, how: Preprocessing, usual: Preprocessing): Promise<string> {
  return samePreprocessing(how, usual) ? weights : sha256(`${weights} ${describePreprocessing(how)}`);
}

function sourcesOf(weights: ModelFiles['weights']): readonly ByteSource[] {
  if (weights instanceof Uint8Array) return [bytesSource('model.safetensors', weights)];
  if (weights instanceof Blob)
    return [blobSource(weights instanceof File ? weights.name : 'model.safetensors', weights)];
  return 'read' in weights ? [weights] : weights;
}

/** Bytes read at a time. */
const HASH_BYTES = 2 ** 22;

/**
 * SHA-256 of weights in hexadecimal, by which tuned prompts recognise their model: of the one file, or of the shards one after the other,
 * without the index. They are read piece by piece: `crypto.subtle` would need all of them at once.
 */
export async function hashWeights(sources: readonly ByteSource[]): Promise<string> {
  const hash = await createSHA256();
  for (const { size, read } of sources.filter(({ name }) => !name.endsWith('.json'))) {
    for (let at = 0; at < size; at += HASH_BYTES) hash.update(await read(at, Math.min(HASH_BYTES, size - at)));
  }
  return hash.digest('hex');
}
