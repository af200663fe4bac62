/**
 * Checkpoint files. Reads safetensors (whole or sharded), PyTorch's ZIP archives and TorchScript archives, lazily and without
 * executing or trusting anything in them; writes safetensors. In reading order:
 *
 * - `byte-source`, `dtype`, `strided-tensor`: bytes, and tensors stored in them
 * - `checkpoint`: the interface that the formats implement
 * - `safetensors`, `safetensors-writer`, `shards`; `npy`: writes NumPy's files
 * - `zip`, `pickle` (with `pickle-*`), `torch-pickle`, `torch`
 * - `open-checkpoint`: detects the format
 * - `canonical-names`, `canonical-clip`: one naming scheme for all CLIPs
 * - `vit-names`: the same for vision transformers with timm's names
 * - `convert`: writes a model directory
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
export { type NpyArray, numberArray, textArray, writeNpy, writeNpz } from './npy.js';
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
