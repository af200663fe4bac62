/**
 * TaskRes (Yu et al., "Task Residual for Tuning Vision-Language Models", CVPR 2023): a residual x, from 0 on, beside the text features.
 *
 *     logits = scale cos(f, T + alpha x)
 *
 * T is not normalised, as in the published code: alpha is relative to its length.
 */
import type { OptionsOf } from '../../ptdpc/options.js';
import { AdamW, addScaled, normalizeRows } from '../../tensor/index.js';
import { fitAsCoOp, halfSquares } from './descend.js';
import { TASKRES } from './facts.js';
import {
  compared,
  type FeatureJob,
  type FeatureLearner,
  type FeatureModel,
  type FeatureStart,
} from './feature-learner.js';

type Names = 'texts' | 'residual';
type Numbers = 'scale' | 'alpha' | 'weightDecay';

const model: FeatureModel<Names, Numbers> = {
  tensors: ['texts', 'residual'],
  learned: ['residual'],
  shapes: ({ classes, joint }) => ({ texts: [classes, joint], residual: [classes, joint] }),
  logits: (f, { texts, residual }, { scale, alpha }) =>
    compared(f, normalizeRows(addScaled(residual, texts, alpha)), scale),
  penalty: ({ residual }, { weightDecay }) => halfSquares([residual], weightDecay),
  activations: () => 0,
};

export const taskRes: FeatureLearner<typeof TASKRES.fields> = {
  ...TASKRES,
  model,
  start: async (job, options) => startOf(job, options),
  // Adam: its weight decay is part of the gradient, not of the update.
  fit: async (job, options) =>
    await fitAsCoOp(
      job,
      model,
      startOf(job, options),
      options,
      (parameters) => new AdamW(parameters, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }),
    ),
};

function startOf(
  { classes, width, rawTexts, scale }: FeatureJob,
  { alpha, weightDecay }: OptionsOf<typeof TASKRES.fields>,
): FeatureStart<Names, Numbers> {
  const shape = [classes, width];
  return {
    tensors: { texts: { shape, data: rawTexts }, residual: { shape, data: new Float32Array(rawTexts.length) } },
    constants: { scale, alpha, weightDecay },
  };
}
