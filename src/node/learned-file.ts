/** learned.safetensors: every tensor that the logits of a learner on features are made of. */
import { openCheckpoint } from '../clip/checkpoint/index.js';
import { InputError } from '../errors.js';
import type { FeatureLearner, FeatureSizes, FittedFeatures, HostTensor } from '../learners/features/feature-learner.js';
import { safetensorsBytes } from '../ptdpc/index.js';
import { openFileSource } from './file-source.js';

/** The name of the file in a run. */
export const LEARNED_FILE = 'learned.safetensors';

/** The bytes of the file. */
export function learnedBytes(
  { name, model }: FeatureLearner,
  { tensors }: Pick<FittedFeatures, 'tensors'>,
): Promise<Uint8Array> {
  return safetensorsBytes(
    model.tensors.map((tensor) => [tensor, tensors[tensor]!.shape, tensors[tensor]!.data] as const),
    new Map([
      ['format', 'ptdpc-features'],
      ['learner', name],
    ]),
  );
}

/** The tensors of a learner. Throws InputError if they are missing, or not of these sizes. */
export async function readLearned(
  path: string,
  { model, title }: FeatureLearner,
  sizes: FeatureSizes,
): Promise<Record<string, HostTensor>> {
  await using source = await openFileSource(path);
  const checkpoint = await openCheckpoint([source]);
  const tensors: Record<string, HostTensor> = {};
  for (const [name, shape] of Object.entries(model.shapes(sizes))) {
    const found = checkpoint.shape(name);
    if (found.join() !== shape.join())
      throw new InputError(
        `${path}: expected ${name} of ${title} with shape [${shape.join(', ')}], found [${found.join(', ')}]; train it again`,
      );
    const data = await checkpoint.read(name);
    if (!(data instanceof Float32Array))
      throw new InputError(`${path}: expected ${name} of ${title} in float32; train it again`);
    tensors[name] = { shape, data };
  }
  return tensors;
}
