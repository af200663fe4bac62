/**
 * Checkpoint files: safetensors (whole or in shards), PyTorch's ZIP archives and TorchScript archives, read lazily and
 * without executing or trusting anything in them, and safetensors written. In reading order:
 *
 * - `byte-source`, `dtype`, `strided-tensor`: bytes, and tensors in bytes
 * - `checkpoint`: the one interface that everything below implements
 * - `safetensors`, `safetensors-writer`, `shards`
 * - `zip`, `pickle` (with `pickle-*`), `torch-pickle`, `torch`
 * - `open-checkpoint`: tells the formats apart
 * - `canonical-names`, `canonical-clip`: one naming for all CLIPs
 * - `vit-names`: the same for vision transformers in timm's naming
 * - `convert`: any of them to a model directory
 */

export { type ByteSource, blobSource, bytesSource } from './byte-source.js';
export { type CanonicalClip, canonicalClip } from './canonical-clip.js';
export { type Checkpoint, type CheckpointFormat, type RowRange, readFloat32 } from './checkpoint.js';
export {
  type ConvertOptions,
  convertToModelDirectory,
  type DirectorySink,
  writeClipSafetensors,
} from './convert.js';
export type { DType, TensorData } from './dtype.js';
export { float32FromBfloat16 } from './dtype.js';
export { openCheckpoint } from './open-checkpoint.js';
export { openSafetensors } from './safetensors.js';
export { type ByteSink, type SafetensorsEntry, writeSafetensors } from './safetensors-writer.js';
export {
  CONFIG_FILES,
  IDS_FILE,
  MAX_TEXT_BYTES,
  parseShardIndex,
  shardFileNames,
  VOCABULARY_FILES,
  WEIGHT_FILES,
} from './shards.js';
export { openTorch } from './torch.js';
