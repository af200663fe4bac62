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

/** Configurations, ours and OpenCLIP's. */
export const CONFIG_FILES = ['config.json', 'open_clip_config.json'] as const;

/** Far above any text file of a model folder (an index of shards, a vocabulary); as objects, JSON can take twenty times as much. */
export const MAX_TEXT_BYTES = 16 * 2 ** 20;
