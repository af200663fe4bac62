/** Files of learned tokens of the image tower, prompts.safetensors of a run with such a learner. */
import type { ByteSource } from '../../clip/checkpoint/index.js';
import { openCheckpoint } from '../../clip/checkpoint/index.js';
import { InputError } from '../../errors.js';
import type { ImageOptions } from '../../learners/images/index.js';
import { IMAGE_PROMPTS_FORMAT, type NamedTensor, safetensorsBytes } from '../prompts-file.js';
import { learnedShapes, type TowerWidths } from './learned.js';

/** What such a file says, beside its tensors. */
export interface ImagePromptsFile {
  readonly options: ImageOptions;
  /** SHA-256 of the weights that they were trained with. */
  readonly modelHash: string;
  /** Number of epochs trained. */
  readonly epochs: number;
  /** As in `learnedShapes`. */
  readonly tensors: readonly NamedTensor[];
}

/** The bytes of prompts.safetensors. */
export function encodeImagePrompts({ options, modelHash, epochs, tensors }: ImagePromptsFile): Promise<Uint8Array> {
  const metadata = new Map([
    ['format', IMAGE_PROMPTS_FORMAT],
    ['version', '1'],
    ['options', JSON.stringify(options)],
    ['model_sha256', modelHash],
    ['epochs', String(epochs)],
  ]);
  return safetensorsBytes(tensors, metadata);
}

/** The learned numbers in the order of `learnedShapes`, and the epochs of their training. Throws InputError if they are not those of the options and the model. */
export async function decodeImagePrompts(
  source: ByteSource,
  options: ImageOptions,
  widths: TowerWidths,
): Promise<{ learned: Float32Array[]; epochs: number }> {
  const checkpoint = await openCheckpoint([source]);
  const format = checkpoint.metadata.get('format');
  if (format !== IMAGE_PROMPTS_FORMAT)
    throw new InputError(`${source.name}: expected the prompts of learner ${options.learner}, found format ${format}`);
  const epochs = Number(checkpoint.metadata.get('epochs'));
  if (!Number.isSafeInteger(epochs) || epochs < 1) throw new InputError(`${source.name}: damaged metadata "epochs"`);
  const learned: Float32Array[] = [];
  for (const [name, shape] of learnedShapes(options, widths)) {
    const found = checkpoint.has(name) ? checkpoint.shape(name) : undefined;
    if (found?.join() !== shape.join())
      throw new InputError(
        `${source.name}: expected "${name}" of shape [${shape.join(', ')}], found ${found ? `[${found.join(', ')}]` : 'none'}; train it again`,
      );
    const data = await checkpoint.read(name);
    if (!(data instanceof Float32Array)) throw new InputError(`${source.name}: expected float32 numbers in "${name}"`);
    learned.push(data);
  }
  return { learned, epochs };
}
