/** What runs of learners on features hold: `learned.safetensors`, every tensor that their logits are made of, and a probe's `probe.safetensors`. */
import { openCheckpoint } from '../clip/checkpoint/index.js';
import { InputError } from '../errors.js';
import type { FeatureLearner, FeatureSizes, FittedFeatures, HostTensor } from '../learners/features/feature-learner.js';
import { type LinearProbe, safetensorsBytes } from '../ptdpc/index.js';
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

/** The linear layer of a probe's run. */
export const PROBE_FILE = 'probe.safetensors';

/** The bytes of probe.safetensors. */
export function probeBytes({ classes, width, weight, bias }: LinearProbe): Promise<Uint8Array> {
  return safetensorsBytes(
    [
      ['weight', [classes, width], weight],
      ['bias', [classes], bias],
    ],
    new Map([['format', 'ptdpc-probe']]),
  );
}

/** The layer of a probe of so many classes. Throws InputError if there is none. */
export async function readProbe(path: string, classes: number): Promise<LinearProbe> {
  await using source = await openFileSource(path);
  const checkpoint = await openCheckpoint([source]);
  const [rows, width] = checkpoint.shape('weight');
  const [weight, bias] = [await checkpoint.read('weight'), await checkpoint.read('bias')];
  const isLayer = rows === classes && bias.length === classes && weight instanceof Float32Array;
  if (!isLayer || width === undefined || !(bias instanceof Float32Array))
    throw new InputError(`${path}: expected the linear layer of ${classes} classes in float32; train the probe again`);
  return { classes, width, weight, bias };
}
