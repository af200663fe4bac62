/** The options that the learners of the image tower share. */
import { numberIn } from '../../ptdpc/options.js';
import type { TrainingOptions } from '../../ptdpc/training-options.js';
import { CONTEXT_DEFAULTS, CONTEXT_FIELDS, type ContextOptions } from '../prompts/context.js';

const { context: _, initWords: __, loss: ___, ...training } = CONTEXT_FIELDS;
const { loss: ____, ...defaults } = CONTEXT_DEFAULTS;

/** Depth and training. */
export const IMAGE_FIELDS = {
  depth: numberIn(
    { least: 1, whole: true },
    { flag: '--depth <n>', help: 'layers with learned tokens of their own: 1 for the input alone' },
  ),
  ...training,
};

/** The training of MaPLe's published code: that of CoOp's, shorter and by smaller steps. */
export const IMAGE_DEFAULTS = { ...defaults, epochs: 5, batchSize: 4 } as const;

/** How the learned tokens are trained. */
export function imageTraining(options: Omit<ContextOptions, 'context' | 'initWords' | 'loss'>): TrainingOptions {
  const { learningRate, weightDecay, warmup, epochs, batchSize, shuffle, seed, keep } = options;
  return { optimizer: 'sgd', learningRate, weightDecay, warmup, epochs, batchSize, shuffle, seed, keep };
}
