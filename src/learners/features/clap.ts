/**
 * CLAP (Silva-Rodriguez et al., "A Closer Look at the Few-Shot Adaptation of Large Vision-Language Models", CVPR 2024): a linear probe that starts at the
 * text features and is held near them, more so for classes that zero-shot knows well. It needs no validation images.
 *
 *     logits = scale cos(f, W),  W = T at the start
 *     loss = cross-entropy + mean over classes of lambda_c |w_c - t_c|^2
 *
 * lambda_c is the mean zero-shot probability of class c on its own training images. T is not normalised, as in the published code.
 */

import { softmaxRows } from '../../ptdpc/evaluate.js';
import type { OptionsOf } from '../../ptdpc/options.js';
import { mul, normalizeRows, Sgd, square, sub, sum } from '../../tensor/index.js';
import { descend, warmCosineRate } from './descend.js';
import {
  classMeans,
  compared,
  type FeatureJob,
  type FeatureLearner,
  type FeatureModel,
  featureLogits,
} from './feature-learner.js';
import { DESCENT_FIELDS } from './fields.js';

type Names = 'texts' | 'weight' | 'multipliers';
type Numbers = 'scale';

const model: FeatureModel<Names, Numbers> = {
  tensors: ['texts', 'weight', 'multipliers'],
  learned: ['weight'],
  logits: (f, { weight }, { scale }) => compared(f, normalizeRows(weight), scale),
  activations: () => 0,
};

export const CLAP_FIELDS = DESCENT_FIELDS;
export type ClapOptions = OptionsOf<typeof CLAP_FIELDS>;
export const CLAP_DEFAULTS: ClapOptions = { learningRate: 0.1, epochs: 300, batchSize: 256, seed: 0 };

export const clap: FeatureLearner<typeof CLAP_FIELDS> = {
  model,
  fit: async (job, options) => {
    const { classes, width, rawTexts, scale } = job;
    const shape = [classes, width];
    const constants = { scale };
    const texts = { shape, data: rawTexts };
    const start = { tensors: { texts, weight: texts, multipliers: await multipliers(job) }, constants };
    const tensors = await descend(job, model, start, {
      ...options,
      optimizer: (parameters) => new Sgd(parameters, { momentum: 0.9 }),
      rate: ({ epoch }) => warmCosineRate(options.learningRate, epoch, options.epochs),
      penalty: ({ weight, texts, multipliers }) => {
        const distance = mul(square(sub(weight, texts)), multipliers);
        return mul(sum(distance), 1 / classes);
      },
    });
    return { tensors, constants, choice: [], epochs: options.epochs };
  },
};

/** lambda [classes, 1]. Throws InputError if a class has no training images. */
async function multipliers({ engine, classes, width, train, rawTexts, scale, memory }: FeatureJob) {
  const shape = [classes, width];
  const zeroShot = {
    tensors: {
      texts: { shape, data: rawTexts },
      weight: { shape, data: rawTexts },
      multipliers: { shape: [classes, 1], data: new Float32Array(classes) },
    },
    constants: { scale },
  };
  const sizes = { classes, joint: width, images: train.labels.length };
  const logits = await featureLogits(engine, model, zeroShot, train.features, sizes, memory);
  const means = classMeans({ features: softmaxRows(logits, classes), labels: train.labels }, classes, classes);
  return { shape: [classes, 1], data: Float32Array.from({ length: classes }, (_, c) => means[c * classes + c]!) };
}
