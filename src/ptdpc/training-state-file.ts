/** The training state between two epochs, from which a run resumes, as a safetensors file. */
import { type ByteSource, openCheckpoint } from '../clip/checkpoint/index.js';
import { InputError } from '../errors.js';
import type { TuningOptions } from './options.js';
import { safetensorsBytes } from './prompts-file.js';
import type { TrainingState } from './train.js';

/** Number of state tensors: velocity; first and second moments. */
const STATE_TENSORS = { sgd: 1, adamw: 2 } as const;

/** `metricsBytes`: length of metrics.jsonl in this state; anything after it belongs to an unfinished epoch. */
export async function encodeTrainingState(state: TrainingState, metricsBytes: number): Promise<Uint8Array> {
  const { epochs, prompts, optimizer, best } = state;
  const tensors = optimizer.tensors.map((data, i) => [`optimizer.${i}`, [data.length], data] as const);
  const metadata = {
    ...{ epochs, steps: optimizer.steps, metricsBytes, tensors: tensors.length },
    ...(best && { bestEpochs: best.epochs, bestAccuracy: best.valAccuracy }),
  };
  const kept = best ? [['best', [best.prompts.length], best.prompts] as const] : [];
  return safetensorsBytes(
    [['prompts', [prompts.length], prompts], ...tensors, ...kept],
    new Map(Object.entries(metadata).map(([key, value]) => [key, String(value)])),
  );
}

/** Throws InputError if the file is damaged or does not fit the run's optimiser and prompts of `size` numbers. */
export async function decodeTrainingState(
  source: ByteSource,
  size: number,
  optimizerKind: TuningOptions['optimizer'],
): Promise<{ state: TrainingState; metricsBytes: number }> {
  const checkpoint = await openCheckpoint([source]);
  const number = (key: string): number => {
    const value = Number(checkpoint.metadata.get(key));
    if (!Number.isSafeInteger(value) || value < 1) throw new InputError(`${source.name}: damaged metadata "${key}"`);
    return value;
  };
  const read = async (name: string): Promise<Float32Array> => {
    const data = await checkpoint.read(name);
    if (!(data instanceof Float32Array) || data.length !== size) {
      throw new InputError(`${source.name}: expected ${size} numbers in "${name}", found ${data.length}`);
    }
    return data;
  };
  const count = number('tensors');
  if (count !== STATE_TENSORS[optimizerKind])
    throw new InputError(`${source.name}: expected the state of ${optimizerKind}, found ${count} tensors`);
  const tensors: Float32Array[] = [];
  for (let i = 0; i < count; i++) tensors.push(await read(`optimizer.${i}`));
  const optimizer = { steps: number('steps'), tensors };
  const state: TrainingState = { epochs: number('epochs'), prompts: await read('prompts'), optimizer };
  if (checkpoint.has('best')) {
    const valAccuracy = Number(checkpoint.metadata.get('bestAccuracy'));
    if (!(valAccuracy >= 0 && valAccuracy <= 1))
      throw new InputError(`${source.name}: damaged metadata "bestAccuracy"`);
    state.best = { epochs: number('bestEpochs'), valAccuracy, prompts: await read('best') };
  }
  return { state, metricsBytes: number('metricsBytes') };
}
