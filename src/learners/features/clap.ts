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
import { mul, normalizeRows, Sgd, square, sub, sum } from '../../tensor/index.js';
import { fitAsCoOp } from './descend.js';
import { CLAP } from './facts.js';
import {
  classMeans,
  compared,
  type FeatureJob,
  type FeatureLearner,
  type FeatureModel,
  type FeatureStart,
  featureLogits,
} from './feature-learner.js';

type Names = 'texts' | 'weight' | 'multipliers';
type Numbers = 'scale';

const model: FeatureModel<Names, Numbers> = {
  tensors: ['texts', 'weight', 'multipliers'],
  learned: ['weight'],
  shapes: ({ classes, joint }) => ({
    ...{ texts: [classes, joint], weight: [classes, joint], multipliers: [classes, 1] },
  }),
  logits: (f, { weight }, { scale }) => compared(f, normalizeRows(weight), scale),
  penalty: ({ weight, texts, multipliers }) =>
    mul(sum(mul(square(sub(weight, texts)), multipliers)), 1 / multipliers.size),
  activations: () => 0,
};

export const clap: FeatureLearner<typeof CLAP.fields> = {
  ...CLAP,
  model,
  start: startOf,
  fit: async (job, options) =>
    await fitAsCoOp(job, model, await startOf(job), options, (parameters) => new Sgd(parameters, { momentum: 0.9 })),
};

async function startOf(job: FeatureJob): Promise<FeatureStart<Names, Numbers>> {
  const { engine, classes, width, train, rawTexts, scale, memory } = job;
  const texts = { shape: [classes, width], data: rawTexts };
  const known = (data: Float32Array) => ({ texts, weight: texts, multipliers: { shape: [classes, 1], data } });
  const zeroShot = { tensors: known(new Float32Array(classes)), constants: { scale } };
  const sizes = { classes, joint: width, images: train.labels.length };
  const logits = await featureLogits(engine, model, zeroShot, train.features, sizes, memory);
  const means = classMeans({ features: softmaxRows(logits, classes), labels: train.labels }, classes, classes);
  return { ...zeroShot, tensors: known(Float32Array.from({ length: classes }, (_, c) => means[c * classes + c]!)) };
}
