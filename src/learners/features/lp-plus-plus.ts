/**
 * LP++ (Huang et al., "LP++: A Surprisingly Strong Linear Probe for Few-Shot CLIP", CVPR 2024): a linear probe that learns how much of each class's text
 * feature it contains, by gradient steps on all images at once whose sizes follow from the features.
 *
 *     logit_k = f . (w_k + alpha_k t_k)
 *     step of W: 4 N / lambda_max(F'F); step of alpha, every tenth time: N / (4 max_k sum_i (f_i . t_k)^2)
 *     start: w_k = sum of the features of class k, alpha = 250 mean_k mean_(i of class k) f_i . t_k
 */
import { TrainingDiverged } from '../../ptdpc/train.js';
import { add, matmul, mul, Sgd } from '../../tensor/index.js';
import { addGradient, lossOf, readLearned } from './descend.js';
import { LP_PLUS_PLUS } from './facts.js';
import {
  classMeans,
  type FeatureJob,
  type FeatureLearner,
  type FeatureModel,
  featureLogits,
  type HostTensor,
  imagesAtOnce,
  judged,
  openModel,
  type Trial,
} from './feature-learner.js';

type Names = 'texts' | 'weight' | 'alpha';

const model: FeatureModel<Names, never> = {
  tensors: ['texts', 'weight', 'alpha'],
  learned: ['weight', 'alpha'],
  shapes: ({ classes, joint }) => ({
    ...{ texts: [classes, joint], weight: [classes, joint], alpha: [classes] },
  }),
  // f.w + (f.t) alpha, which keeps the gradient of alpha a sum over images.
  logits: (f, { texts, weight, alpha }) =>
    add(matmul(f, weight, { transposeB: true }), mul(matmul(f, texts, { transposeB: true }), alpha)),
  activations: ({ classes }) => 6 * classes,
};

/**
 * With validation images, what is kept is the iteration that does best on them, of equally accurate ones the last as in the published code; without, the last.
 * The published code adds a bias that starts at random, and never clears the gradient of alpha; the paper has neither.
 */
export const lpPlusPlus: FeatureLearner<typeof LP_PLUS_PLUS.fields> = {
  ...LP_PLUS_PLUS,
  model,
  start: async (job) => ({ tensors: lpPlusPlusStart(job).tensors, constants: {} }),
  fit: async (job, { iterations, alphaEvery }) => {
    const { engine, train, validation, width, classes, memory } = job;
    const begin = lpPlusPlusStart(job);
    const sizes = { classes, joint: width, images: train.labels.length };
    const most = imagesAtOnce(engine, model, begin.tensors, sizes, memory);
    using opened = openModel(engine, model, begin.tensors, true);
    const { weight, alpha } = opened.tensors;
    using ofWeight = new Sgd([weight], { momentum: 0.9 });
    using ofAlpha = new Sgd([alpha], { momentum: 0 });
    const loss = lossOf(model, opened.tensors, {});
    const choice: Trial[] = [];
    let kept: Readonly<Record<Names, HostTensor>> = begin.tensors;
    for (let step = 0; step < iterations; step++) {
      const value = await within(() => addGradient(engine, loss, train, width, most));
      if (!Number.isFinite(value)) throw new TrainingDiverged(`the loss became ${value} in step ${step + 1} of LP++`);
      ofWeight.step(begin.weightStep);
      if ((step + 1) % alphaEvery === 0) ofAlpha.step(begin.alphaStep);
      weight.zeroGrad();
      alpha.zeroGrad();
      job.onStep?.({ step, steps: iterations, epoch: step, loss: value });
      if (!validation) continue;
      const now = await readLearned(model, begin.tensors, opened.tensors);
      const fitted = { tensors: now, constants: {} };
      const logits = await featureLogits(engine, model, fitted, validation.features, sizes, memory);
      const trial = judged(logits, validation.labels, classes, { iterations: step + 1 });
      if (choice.every(({ valAccuracy }) => trial.valAccuracy >= valAccuracy)) kept = now;
      choice.push(trial);
    }
    if (!validation) kept = await readLearned(model, begin.tensors, opened.tensors);
    return { tensors: kept, constants: {}, choice, epochs: iterations };

    async function within<T>(work: () => Promise<T>): Promise<T> {
      using _limit = engine.workWithin(memory);
      return await work();
    }
  },
};

/** Where LP++ starts, and its step sizes. Throws InputError if a class has no training images. */
export function lpPlusPlusStart({ train, texts, classes, width }: FeatureJob): {
  readonly tensors: Readonly<Record<Names, HostTensor>>;
  readonly weightStep: number;
  readonly alphaStep: number;
} {
  const { features, labels } = train;
  const count = labels.length;
  const means = classMeans(train, classes, width);
  const perClass = new Float64Array(classes);
  for (const label of labels) perClass[label]! += 1;
  const own = Array.from({ length: classes }, (_, k) => dot(means, texts, k * width, k * width, width));
  const alpha = (250 * own.reduce((sum, value) => sum + value, 0)) / classes;
  const squares = new Float64Array(classes);
  for (let i = 0; i < count; i++)
    for (let k = 0; k < classes; k++) squares[k]! += dot(features, texts, i * width, k * width, width) ** 2;
  return {
    tensors: {
      texts: { shape: [classes, width], data: texts },
      weight: {
        shape: [classes, width],
        data: means.map((mean, at) => mean * perClass[Math.floor(at / width)]!),
      },
      alpha: { shape: [classes], data: new Float32Array(classes).fill(alpha) },
    },
    weightStep: (4 * count) / largestEigenvalue(features, width),
    alphaStep: count / (4 * squares.reduce((most, value) => Math.max(most, value), 0)),
  };
}

function dot(a: Float32Array, b: Float32Array, atA: number, atB: number, length: number): number {
  let sum = 0;
  for (let d = 0; d < length; d++) sum += a[atA + d]! * b[atB + d]!;
  return sum;
}

/** The largest eigenvalue of F'F, F [rows, width], by power iteration to a relative change of 1e-9. */
export function largestEigenvalue(rows: Float32Array, width: number): number {
  let direction = Float64Array.from({ length: width }, (_, d) => 1 + d / width);
  let value = 0;
  for (let turn = 0; turn < 1000; turn++) {
    const next = new Float64Array(width);
    for (let at = 0; at < rows.length; at += width) {
      let product = 0;
      for (let d = 0; d < width; d++) product += rows[at + d]! * direction[d]!;
      for (let d = 0; d < width; d++) next[d]! += product * rows[at + d]!;
    }
    const length = Math.sqrt(next.reduce((sum, x) => sum + x * x, 0));
    const before = value;
    value = length / Math.sqrt(direction.reduce((sum, x) => sum + x * x, 0));
    if (length === 0 || Math.abs(value - before) <= 1e-9 * value) break;
    direction = next.map((x) => x / length);
  }
  return value;
}
