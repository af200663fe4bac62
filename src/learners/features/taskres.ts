/**
 * TaskRes (Yu et al., "Task Residual for Tuning Vision-Language Models", CVPR 2023): a residual x, from 0 on, beside the text features.
 *
 *     logits = scale cos(f, T + alpha x)
 *
 * T is not normalised, as in the published code: alpha is relative to its length.
 */
import { numberIn, type OptionsOf } from '../../ptdpc/options.js';
import { cosineRateAt } from '../../ptdpc/training-options.js';
import { AdamW, addScaled, normalizeRows } from '../../tensor/index.js';
import { descend } from './descend.js';
import {
  compared,
  type FeatureJob,
  type FeatureLearner,
  type FeatureModel,
  type FeatureStart,
} from './feature-learner.js';
import { COMMON_DEFAULTS, COMMON_FIELDS, DESCENT_FIELDS, halfSquares, WEIGHT_DECAY_FIELD } from './fields.js';

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

export const TASKRES_FIELDS = {
  ...COMMON_FIELDS,
  alpha: numberIn({ least: 0, above: true }, { flag: '--alpha <x>', help: 'factor of the residual' }),
  ...DESCENT_FIELDS,
  weightDecay: WEIGHT_DECAY_FIELD,
};
export type TaskResOptions = OptionsOf<typeof TASKRES_FIELDS>;
export const TASKRES_DEFAULTS: TaskResOptions = {
  ...COMMON_DEFAULTS,
  ...{ alpha: 0.5, learningRate: 2e-3, epochs: 100, batchSize: 256, weightDecay: 5e-4 },
};

export const taskRes: FeatureLearner<typeof TASKRES_FIELDS> = {
  name: 'taskres',
  title: 'TaskRes',
  space: 'features',
  learns: "a residual beside each class's text feature",
  paper: {
    text: 'Yu et al., Task Residual for Tuning Vision-Language Models, CVPR 2023',
    url: 'https://arxiv.org/abs/2211.10277',
  },
  fields: TASKRES_FIELDS,
  defaults: TASKRES_DEFAULTS,
  sources: {
    alpha: 'train_regular.sh: 0.5 (1 for Flowers102)',
    learningRate: 'adam_lr2e-3_B256_ep100.yaml (ImageNet: 2e-4)',
    epochs: 'train_regular.sh: 100 for 1, 2 and 4 images per class; 200 for 8 and 16',
    batchSize: 'adam_lr2e-3_B256_ep100.yaml',
    weightDecay: "Dassl's default",
  },
  parameters: ({ classes, joint }) => classes * joint,
  model,
  publishedEpochs: (shots) => (shots < 8 ? 100 : 200),
  start: async (job, options) => startOf(job, options),
  fit: async (job, options) => {
    const start = startOf(job, options);
    const tensors = await descend(job, model, start, {
      ...options,
      // Adam: its weight decay is part of the gradient, not of the update.
      optimizer: (parameters) => new AdamW(parameters, { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }),
      rate: ({ epoch }) => cosineRateAt({ ...options, warmup: 1 }, epoch),
    });
    return { ...start, tensors, choice: [], epochs: options.epochs };
  },
};

function startOf(
  { classes, width, rawTexts, scale }: FeatureJob,
  { alpha, weightDecay }: TaskResOptions,
): FeatureStart<Names, Numbers> {
  const shape = [classes, width];
  return {
    tensors: { texts: { shape, data: rawTexts }, residual: { shape, data: new Float32Array(rawTexts.length) } },
    constants: { scale, alpha, weightDecay },
  };
}
