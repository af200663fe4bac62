/** A run made up for tests: the record of one, and what its epochs leave. */
import { sha256 } from '../../src/node/feature-segment.js';

import { contentHash, type RunImage } from '../../src/node/run-images.js';
import type { PromptsRecord } from '../../src/node/run-record.js';
import { type EpochMetrics, type StepMetrics, type TrainingState, tuningOptions } from '../../src/ptdpc/index.js';

/** Of the run's prompts: classes, tokens, width. */
export const RUN_SHAPE = [2, 3, 4];
export const RUN_SIZE = 24;

/** The images of a split: files named after their content, of the first class and then of the second. */
export function runImagesOf(split: RunImage['split'], contents: readonly string[]): RunImage[] {
  return contents.map((content, i) => {
    const name = i < contents.length / 2 ? 'awe' : 'great_joy';
    return { split, class: name, sha256: sha256(content), path: `${split}/${name}/${content}.jpg` };
  });
}

/** The hash that run.json has of such images. */
export function contentOf(images: readonly RunImage[]): string {
  const labels = Int32Array.from(images, (image) => Number(image.class !== 'awe'));
  return contentHash({ labels, hashes: images.map(({ sha256 }) => sha256) });
}

export const RUN_IMAGES = runImagesOf('train', ['a', 'b', 'c', 'd', 'e', 'f', 'g']);

/** The contents of run.json: five epochs, two classes, nothing that is really there. */
export function runRecord(overrides: Partial<PromptsRecord> = {}): PromptsRecord {
  return {
    learner: 'prompts',
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
    images: { train: 7, val: null, trainSha256: contentOf(RUN_IMAGES), valSha256: null },
    device: { kind: 'cpu', description: 'CPU' },
    memory: 1,
    strict: false,
    truncated: 'skip',
    truncatedRead: [],
    skipped: [],
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

/** What has been learned in it, as a file has it. */
export function learnedAfter(epochs: number) {
  return { shape: RUN_SHAPE, prompts: stateAfter(epochs).prompts };
}

/** Metrics of an epoch of one step. */
export function stepOf(epoch: number): StepMetrics {
  return { type: 'step', epoch, step: epoch, loss: 1 / (epoch + 3), lr: 0.1 };
}

export function epochOf(epoch: number): EpochMetrics {
  return { type: 'epoch', epoch, trainLoss: 1 / 3, trainAccuracy: 0.5, valLoss: null, valAccuracy: null };
}
