/**
 * TaskRes (Yu et al., "Task Residual for Tuning Vision-Language Models", CVPR 2023): a residual x, from 0 on, beside the text features.
 *
 *     logits = scale cos(f, T + alpha x)
 *
 * T is not normalised, as in the published code: alpha is relative to its length.
 */
import { numberIn, type OptionsOf } from '../../ptdpc/options.js';
import { AdamW, addScaled, normalizeRows } from '../../tensor/index.js';
import { descend, warmCosineRate } from './descend.js';
import { compared, type FeatureLearner, type FeatureModel } from './feature-learner.js';
import { DESCENT_FIELDS, halfSquares, WEIGHT_DECAY_FIELD } from './fields.js';

type Names = 'texts' | 'residual';
type Numbers = 'scale' | 'alpha';

const model: FeatureModel<Names, Numbers> = {
  tensors: ['texts', 'residual'],
  learned: ['residual'],
  logits: (f, { texts, residual }, { scale, alpha }) =>
    compared(f, normalizeRows(addScaled(residual, texts, alpha)), scale),
  activations: () => 0,
};

export const TASKRES_FIELDS = {
  alpha: numberIn({ least: 0, above: true }, { flag: '--alpha <x>', help: 'factor of the residual' }),
  ...DESCENT_FIELDS,
  weightDecay: WEIGHT_DECAY_FIELD,
};
export type TaskResOptions = OptionsOf<typeof TASKRES_FIELDS>;
export const TASKRES_DEFAULTS: TaskResOptions = {
  ...{ alpha: 0.5, learningRate: 2e-3, epochs: 100, batchSize: 256, seed: 0, weightDecay: 5e-4 },
};

export const taskRes: FeatureLearner<typeof TASKRES_FIELDS> = {
  model,
  fit: async (job, options) => {
    const shape = [job.classes, job.width];
    const constants = { scale: job.scale, alpha: options.alpha };
    const start = {
      tensors: {
        texts: { shape, data: job.rawTexts },
        residual: { shape, data: new Float32Array(job.rawTexts.length) },
      },
      constants,
    };
    const tensors = await descend(job, model, start, {
      ...options,
      // Adam: its weight decay is part of the gradient, not of the update.
      optimizer: (parameters) => new AdamW(parameters, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }),
      rate: ({ epoch }) => warmCosineRate(options.learningRate, epoch, options.epochs),
      penalty: ({ residual }) => halfSquares([residual], options.weightDecay),
    });
    return { tensors, constants, choice: [], epochs: options.epochs };
  },
};
