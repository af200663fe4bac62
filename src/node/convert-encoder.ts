/**
 * `ptdpc convert` of an encoder that is no CLIP: a folder with the tensors that its features need, under their names in the checkpoint, and
 * its preprocessing. Every command opens it as it opens the checkpoint.
 */
import { readFloat32, type SafetensorsEntry, writeSafetensors } from '../clip/checkpoint/index.js';
import { parsePreprocessing, preprocessorJson } from '../clip/config.js';
import { describePreprocessing, type Preprocessing } from '../clip/image/index.js';
import { type EncoderConfig, isRandom, RANDOM_WEIGHTS } from '../encoders/index.js';
import { InputError } from '../errors.js';
import { halvesFromFloat32 } from '../kernels/index.js';
import { createDirectoryAtomically, directorySink, requireNothingAt } from './atomic.js';
import { readText } from './checkpoint-files.js';
import type { ConversionOptions } from './convert-checkpoint.js';
import { type Events, SILENT } from './events.js';
import { openFrozen } from './image-encoder.js';
import { requireSpace } from './make-folder.js';

/** The result of a conversion. */
export interface EncoderConversion {
  readonly architecture: string;
  readonly config: EncoderConfig;
  readonly preprocessing: Preprocessing;
  /** Numbers written. */
  readonly weights: number;
  /** Names of tensors that the features do not need. */
  readonly unused: readonly string[];
}

/** Makes the folder `out`. Throws InputError if the checkpoint is of no family of src/encoders, or `out` exists. */
export async function convertEncoder(
  path: string,
  out: string,
  { dtype, preprocessing: file }: Pick<ConversionOptions, 'dtype' | 'preprocessing'>,
  events: Events = SILENT,
): Promise<EncoderConversion> {
  await requireNothingAt(out);
  await using encoder = await openFrozen(path);
  if (!encoder) throw new InputError(`${path}: expected the checkpoint of an image encoder, found another one`);
  const { architecture, config, weights } = encoder;
  const preprocessing =
    file === undefined ? encoder.preprocessing : parsePreprocessing(await readText(file), file, config.imageSize);
  const { stored } = weights;
  const names = [...new Set(weights.names().map((name) => weights.storedName(name)))];
  const used = new Set(names);
  const sizes = names.map((name) => stored.shape(name).reduce((size, axis) => size * axis, 1));
  const count = sizes.reduce((sum, size) => sum + size, 0);
  const entries = names.map((name): SafetensorsEntry => {
    const shape = stored.shape(name);
    // Norms and biases lose more by it than they weigh.
    const type = dtype === 'f16' && shape.length > 1 ? 'F16' : 'F32';
    return { name, dtype: type, shape, read: async () => bytesOf(await readFloat32(stored, name), type, name, path) };
  });
  await requireSpace(out, count * 4);
  await createDirectoryAtomically(out, async (folder) => {
    const sink = directorySink(folder);
    using bar = events.progress(names.length, 'converting', 'tensors');
    try {
      const said = new Map([['format', 'pt'], ...(isRandom(weights) ? [[...RANDOM_WEIGHTS] as const] : [])] as const);
      await writeSafetensors(entries, said, async (chunk) => {
        await sink.write('model.safetensors', chunk);
        bar.tick(1);
      });
      await sink.write('preprocessor_config.json', new TextEncoder().encode(preprocessorJson(preprocessing)));
    } finally {
      await sink.close();
    }
  });
  const unused = stored.names().filter((name) => !used.has(name));
  if (unused.length > 0) events.say(`left out, not needed for features: ${unused.join(', ')}`);
  events.say(
    `${out}: ${architecture}, ${(count / 1e6).toFixed(1)} M weights in ${dtype}; pictures: ${describePreprocessing(preprocessing)}`,
  );
  return { architecture, config, preprocessing, weights: count, unused };
}

function bytesOf(values: Float32Array, type: 'F16' | 'F32', name: string, path: string): Uint8Array {
  if (type === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const halves = halvesFromFloat32(values);
  if (halves.some((half, i) => (half & 0x7fff) === 0x7c00 && Number.isFinite(values[i])))
    throw new InputError(
      `${path}: tensor "${name}" holds numbers that half precision cannot; convert with --dtype f32`,
    );
  return new Uint8Array(halves.buffer);
}
