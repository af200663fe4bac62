/** Names of the files in a model folder. */

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
