/**
 * Tip-Adapter, and Tip-Adapter-F (Zhang et al., "Tip-Adapter: Training-free Adaption of CLIP for Few-shot Classification", ECCV 2022). The training images
 * are a cache: its keys K [images, d] are their features, its values L [images, classes] their labels as rows with one 1.
 *
 *     logits = scale f T' + alpha exp(-beta (1 - f K')) L
 *
 * Tip-Adapter learns nothing; Tip-Adapter-F learns K.
 */
import { normalizedFeatures } from '../../ptdpc/features.js';
import type { LabelledFeatures } from '../../ptdpc/labelled-features.js';
import type { OptionsOf } from '../../ptdpc/options.js';
import { cosineRate } from '../../ptdpc/training-options.js';
import { AdamW, addScaled, affine, exp, matmul } from '../../tensor/index.js';
import { descend } from './descend.js';
import { TIP_ADAPTER, TIP_ADAPTER_F } from './facts.js';
import {
  compared,
  countCorrect,
  type FeatureJob,
  type FeatureLearner,
  type FeatureModel,
  type FeatureStart,
  type FittedFeatures,
  featureLogits,
  imagesAtOnce,
  judged,
  oneHot,
  openModel,
} from './feature-learner.js';

type Names = 'texts' | 'keys' | 'values';
type Numbers = 'scale' | 'alpha' | 'beta';
type Model = FeatureModel<Names, Numbers>;
type TipAdapterOptions = OptionsOf<typeof TIP_ADAPTER.fields>;

const learning = (learned: readonly Names[]): Model => ({
  tensors: ['texts', 'keys', 'values'],
  learned,
  shapes: ({ classes, joint, images }) => ({
    ...{ texts: [classes, joint], keys: [images, joint], values: [images, classes] },
  }),
  logits: (f, { texts, keys, values }, { scale, alpha, beta }) => {
    const affinity = exp(affine(matmul(f, keys, { transposeB: true }), beta, -beta));
    return addScaled(matmul(affinity, values), compared(f, texts, scale), alpha);
  },
  activations: ({ images }) => 7 * images,
});
const cache = learning([]);
const learnedCache = learning(['keys']);

/** What `auto` is without validation images, and during the training of Tip-Adapter-F: where the published code begins. */
export const TIP_START = { alpha: 1.17, beta: 1 } as const;

/** The published grid: `steps` values from 0.1 to below `most`. */
const GRID = { alpha: { most: 3, steps: 20 }, beta: { most: 7, steps: 200 } } as const;

/** Tip-Adapter. */
export const tipAdapter: FeatureLearner<typeof TIP_ADAPTER.fields> = {
  ...TIP_ADAPTER,
  model: cache,
  start: async (job, options) => startOf(job, options),
  fit: async (job, options) => await withRatios(job, cache, startOf(job, options), options, 0),
};

/** Tip-Adapter-F. The published code keeps the epoch with the best test accuracy; here it is the last. */
export const tipAdapterF: FeatureLearner<typeof TIP_ADAPTER_F.fields> = {
  ...TIP_ADAPTER_F,
  model: learnedCache,
  start: async (job, options) => startOf(job, options),
  fit: async (job, options) => {
    const start = startOf(job, options);
    const tensors = await descend(job, learnedCache, start, {
      ...options,
      optimizer: (keys) => new AdamW(keys, { beta1: 0.9, beta2: 0.999, epsilon: 1e-4, weightDecay: 0.01 }),
      rate: ({ step, steps }) => cosineRate(options.learningRate, step, steps),
    });
    return await withRatios(job, learnedCache, { ...start, tensors }, options, options.epochs);
  },
};

function startOf(
  { train, texts, classes, width, scale }: FeatureJob,
  options: TipAdapterOptions,
): FeatureStart<Names, Numbers> {
  const images = train.labels.length;
  return {
    tensors: {
      texts: { shape: [classes, width], data: texts },
      keys: { shape: [images, width], data: meanView(train, width) },
      values: { shape: [images, classes], data: oneHot(train.labels, classes) },
    },
    constants: { scale, ...given(options) },
  };
}

/** The mean of the views of each image, normalised, as the published code has it; without views the feature itself. */
function meanView({ features, views }: LabelledFeatures, width: number): Float32Array {
  if (!views || views.length === 0) return features;
  const sums = new Float32Array(features.length);
  for (const view of views) for (let i = 0; i < sums.length; i++) sums[i]! += view[i]!;
  return normalizedFeatures(sums, width);
}

function given({ alpha, beta }: TipAdapterOptions): { alpha: number; beta: number } {
  return {
    alpha: alpha === 'auto' ? TIP_START.alpha : alpha,
    beta: beta === 'auto' ? TIP_START.beta : beta,
  };
}

/** The fitted learner with the ratios of the grid that are most accurate on the validation images: of equal ones the first, by beta and then by alpha. */
async function withRatios(
  job: FeatureJob,
  model: Model,
  { tensors, constants }: FeatureStart<Names, Numbers>,
  options: TipAdapterOptions,
  epochs: number,
): Promise<FittedFeatures> {
  const { engine, train, validation, classes, width, memory } = job;
  const isGiven = options.alpha !== 'auto' && options.beta !== 'auto';
  if (!validation || isGiven) return { tensors, constants, choice: [], epochs };
  const { candidates, ...values } = await bestRatios(job, validation, model, { tensors, constants }, options);
  const fitted = { tensors, constants: { ...constants, ...values } };
  const sizes = { classes, joint: width, images: train.labels.length };
  const logits = await featureLogits(engine, model, fitted, validation.features, sizes, memory);
  return { ...fitted, choice: [judged(logits, validation.labels, classes, values)], candidates, epochs };
}

async function bestRatios(
  { engine, classes, width, memory, train }: FeatureJob,
  { features, labels }: LabelledFeatures,
  model: Model,
  host: FeatureStart<Names, Numbers>,
  options: TipAdapterOptions,
): Promise<{ alpha: number; beta: number; candidates: number }> {
  const betas = options.beta === 'auto' ? gridOf(GRID.beta) : [options.beta];
  const alphas = options.alpha === 'auto' ? gridOf(GRID.alpha) : [options.alpha];
  const pairs = betas.flatMap((beta) => alphas.map((alpha) => ({ alpha, beta })));
  const correct = new Int32Array(pairs.length);
  const sizes = { classes, joint: width, images: train.labels.length };
  const most = imagesAtOnce(engine, model, host.tensors, sizes, memory);
  using _limit = engine.workWithin(memory);
  using opened = openModel(engine, model, host.tensors, false);
  const { texts, keys, values } = opened.tensors;
  for (let start = 0; start < labels.length; start += most) {
    const some = features.subarray(start * width, (start + most) * width);
    const own = labels.subarray(start, start + most);
    using f = engine.scope(() => engine.tensor(some, [own.length, width]).share());
    using affinity = matmul(f, keys, { transposeB: true });
    using compare = compared(f, texts, host.constants.scale);
    const zeroShot = await compare.read();
    const logits = new Float32Array(zeroShot.length);
    for (const [i, beta] of betas.entries()) {
      // The two terms apart: every alpha only adds them up.
      using term = engine.scope(() => matmul(exp(affine(affinity, beta, -beta)), values));
      const cache = await term.read();
      for (const [j, alpha] of alphas.entries()) {
        for (let at = 0; at < logits.length; at++) logits[at] = zeroShot[at]! + alpha * cache[at]!;
        correct[i * alphas.length + j]! += countCorrect(logits, own, classes);
      }
    }
  }
  const best = pairs[correct.indexOf(correct.reduce((most, one) => Math.max(most, one), 0))]!;
  return { ...best, candidates: pairs.length };
}

function gridOf({ most, steps }: { most: number; steps: number }): number[] {
  return Array.from({ length: steps }, (_, i) => 0.1 + (i * (most - 0.1)) / steps);
}
