/** A run made up for tests: the record of one, and what its epochs leave. */
import type { RunRecord } from '../../src/node/run-directory.js';
import { type EpochMetrics, type StepMetrics, type TrainingState, tuningOptions } from '../../src/ptdpc/index.js';

/** Of the run's prompts: classes, tokens, width. */
export const RUN_SHAPE = [2, 3, 4];
export const RUN_SIZE = 24;

/** The contents of run.json: five epochs, two classes, nothing that is really there. */
export function runRecord(overrides: Partial<RunRecord> = {}): RunRecord {
  return {
    program: '0.1.0',
    node: 'v20',
    options: tuningOptions('paper', { epochs: 5 }),
    classes: [
      { folder: 'awe', word: 'awe' },
      { folder: 'great_joy', word: 'great joy' },
    ],
    model: { directory: '/model', sha256: 'abc' },
    data: '/data',
    dataset: { setting: 'folders', origin: { kind: 'given' } },
    images: { train: 7, val: null },
    device: { kind: 'cpu', description: 'CPU' },
    memory: 1,
    strict: false,
    ...overrides,
  };
}

/** The state after so many epochs, with numbers of its own. */
export function stateAfter(epochs: number): TrainingState {
  return {
    epochs,
    prompts: new Float32Array(RUN_SIZE).fill(epochs + 0.1),
    optimizer: { steps: epochs, tensors: [new Float32Array(RUN_SIZE).fill(-epochs)] },
  };
}

/** Metrics of an epoch of one step. */
export function stepOf(epoch: number): StepMetrics {
  return { type: 'step', epoch, step: epoch, loss: 1 / (epoch + 3), lr: 0.1 };
}

export function epochOf(epoch: number): EpochMetrics {
  return { type: 'epoch', epoch, trainLoss: 1 / 3, trainAccuracy: 0.5, valLoss: null, valAccuracy: null };
}
