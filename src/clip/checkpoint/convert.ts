/**
 * Converts a checkpoint into a model directory in Hugging Face's layout, which transformers and other CLIP software load.
 * Works one tensor at a time, so peak memory is that of the largest tensor.
 */
import { InputError } from '../../errors.js';
import { halvesFromFloat32 } from '../../kernels/index.js';
import { type ClipConfig, clipTensors, configToJson, validateShapes } from '../config.js';
import type { CanonicalClip } from './canonical-clip.js';
import type { Checkpoint } from './checkpoint.js';
import type { DType } from './dtype.js';
import { type ByteSink, type SafetensorsEntry, writeSafetensors } from './safetensors-writer.js';

/** Options of a conversion. */
export interface ConvertOptions {
  /** Type of the written weights. `f16` keeps `logit_scale`, a single number whose exponential is used, in f32. */
  readonly dtype: 'f32' | 'f16';
}

/** Receives the files of a directory in order: all chunks of `model.safetensors`, then `config.json`. */
export type DirectorySink = (fileName: string, chunk: Uint8Array) => Promise<void> | void;

/**
 * Writes `model.safetensors` and `config.json`. The vocabulary (`merges.txt`) is not part of a checkpoint; the caller adds
 * it. Throws `InputError` if the checkpoint does not fit `config`, before anything is written.
 */
export async function convertToModelDirectory(
  checkpoint: Checkpoint,
  config: ClipConfig,
  options: ConvertOptions,
  sink: DirectorySink,
): Promise<void> {
  await writeClipSafetensors(checkpoint, config, options, (chunk) => sink('model.safetensors', chunk));
  const json = configToJson(config, options.dtype === 'f16' ? 'float16' : 'float32');
  await sink('config.json', new TextEncoder().encode(json));
}

/** Writes a CLIP's tensors under canonical names as one safetensors file. Throws like `convertToModelDirectory`. */
export async function writeClipSafetensors(
  checkpoint: Checkpoint,
  config: ClipConfig,
  options: ConvertOptions,
  sink: ByteSink,
): Promise<void> {
  const clip = validateShapes(checkpoint, config);
  const entries = clipTensors(config).map(({ name, shape }): SafetensorsEntry => {
    const dtype: DType = options.dtype === 'f16' && name !== 'logit_scale' ? 'F16' : 'F32';
    return { name, dtype, shape, read: () => readAs(clip, name, dtype) };
  });
  // transformers refuses a file without "format".
  await writeSafetensors(entries, new Map([['format', 'pt']]), sink);
}

async function readAs(clip: CanonicalClip, name: string, dtype: DType): Promise<Uint8Array> {
  const values = await clip.read(name);
  if (dtype === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const halves = halvesFromFloat32(values);
  const overflow = halves.findIndex((half, i) => (half & 0x7fff) === 0x7c00 && Number.isFinite(values[i]));
  if (overflow >= 0) {
    throw new InputError(
      `${clip.name}: tensor "${name}" holds ${values[overflow]}, which half precision cannot; convert to f32`,
    );
  }
  return new Uint8Array(halves.buffer);
}
