/** Minimises a learner's cross-entropy by gradient steps on batches of features, in pieces that fit the memory: what four of the learners share. */

import { imagesOfEpoch, type LabelledFeatures, pick, slice } from '../../ptdpc/labelled-features.js';
import { epochOrder } from '../../ptdpc/random.js';
import { TrainingDiverged } from '../../ptdpc/train.js';
import { cosineRateAt } from '../../ptdpc/training-options.js';
import {
  addScaled,
  crossEntropy,
  type Engine,
  groupDot,
  type Optimizer,
  sumRows,
  type Tensor,
} from '../../tensor/index.js';
import {
  type FeatureJob,
  type FeatureModel,
  type FeatureStart,
  type FittedFeatures,
  type HostTensor,
  imagesAtOnce,
  openModel,
} from './feature-learner.js';

/** How it is trained. */
export interface Descent {
  readonly epochs: number;
  readonly batchSize: number;
  /** Of the order of images. */
  readonly seed: number;
  optimizer(parameters: readonly Tensor[]): Optimizer;
  /** The learning rate of a step: of `steps` in all, and of epoch `epoch`. */
  rate(at: { readonly epoch: number; readonly step: number; readonly steps: number }): number;
}

/** The learned tensors after the last epoch, and the others as they were. */
export async function descend<Names extends string, Numbers extends string>(
  job: FeatureJob,
  model: FeatureModel<Names, Numbers>,
  start: FeatureStart<Names, Numbers>,
  descent: Descent,
): Promise<Record<Names, HostTensor>> {
  const { engine, train, width, classes, memory } = job;
  const { epochs, batchSize, seed } = descent;
  const count = train.labels.length;
  const most = imagesAtOnce(engine, model, start.tensors, { classes, joint: width, images: count }, memory);
  using _limit = engine.workWithin(memory);
  using opened = openModel(engine, model, start.tensors, true);
  const { tensors } = opened;
  const parameters = model.learned.map((name) => tensors[name]);
  using optimizer = descent.optimizer(parameters);
  const perEpoch = Math.ceil(count / batchSize);
  const loss = lossOf(model, tensors, start.constants);
  for (let epoch = 0, step = 0; epoch < epochs; epoch++) {
    const order = epochOrder(count, seed, epoch);
    const images = imagesOfEpoch(train, epoch);
    for (let at = 0; at < count; at += batchSize, step++) {
      const batch = pick(images, order, at, Math.min(batchSize, count - at), width);
      const value = await addGradient(engine, loss, batch, width, most);
      if (!Number.isFinite(value))
        throw new TrainingDiverged(`the loss became ${value} in epoch ${epoch + 1} of ${epochs}: try a smaller --lr`);
      optimizer.step(descent.rate({ epoch, step, steps: epochs * perEpoch }));
      for (const parameter of parameters) parameter.zeroGrad();
      job.onStep?.({ step, steps: epochs * perEpoch, epoch, loss: value });
    }
    if (job.onEpoch) await job.onEpoch(await readLearned(model, start.tensors, tensors));
  }
  return await readLearned(model, start.tensors, tensors);
}

/** A whole fit by `descend` as CoOp's code trains: a cosine after one epoch of warm-up; nothing is chosen by validation. */
export async function fitAsCoOp<Names extends string, Numbers extends string>(
  job: FeatureJob,
  model: FeatureModel<Names, Numbers>,
  start: FeatureStart<Names, Numbers>,
  options: Pick<Descent, 'epochs' | 'batchSize' | 'seed'> & { readonly learningRate: number },
  optimizer: Descent['optimizer'],
): Promise<FittedFeatures> {
  const rate: Descent['rate'] = ({ epoch }) => cosineRateAt({ ...options, warmup: 1 }, epoch);
  const tensors = await descend(job, model, start, { ...options, optimizer, rate });
  return { ...start, tensors, choice: [], epochs: options.epochs };
}

/** The tensors of `start`, the learned ones as they are on the device now. */
export async function readLearned<Names extends string>(
  model: Pick<FeatureModel<Names>, 'learned'>,
  start: Readonly<Record<Names, HostTensor>>,
  tensors: Readonly<Record<Names, Tensor>>,
): Promise<Record<Names, HostTensor>> {
  const read = await Promise.all(
    model.learned.map(async (name) => [name, { shape: start[name].shape, data: await tensors[name].read() }] as const),
  );
  return { ...start, ...(Object.fromEntries(read) as Record<Names, HostTensor>) };
}

/** What is minimised: the mean cross-entropy of the logits, and a penalty. */
export interface Loss {
  logits(features: Tensor): Tensor;
  penalty(): Tensor | undefined;
}

export function lossOf<Names extends string, Numbers extends string>(
  model: FeatureModel<Names, Numbers>,
  tensors: Readonly<Record<Names, Tensor>>,
  constants: FeatureStart<Names, Numbers>['constants'],
): Loss {
  return {
    logits: (features) => model.logits(features, tensors, constants),
    penalty: () => model.penalty?.(tensors, constants),
  };
}

/**
 * Adds the gradient of a batch's loss to that of the parameters and returns the loss, summed in float64. `most` images at a time: the gradient is a sum
 * over images, so pieces add up.
 */
export async function addGradient(
  engine: Engine,
  { logits, penalty }: Loss,
  batch: LabelledFeatures,
  width: number,
  most: number,
): Promise<number> {
  const count = batch.labels.length;
  let sum = 0;
  for (let start = 0; start < count; start += most) {
    const { features, labels } = slice(batch, start, most, width);
    const { losses, extra } = engine.scope(() =>
      engine.withTape((tape) => {
        const scores = logits(engine.tensor(features, [labels.length, width]));
        const losses = crossEntropy(scores, engine.indices(labels));
        const mean = sumRows(losses.reshape([labels.length, 1]), 1 / count);
        // Once for the whole batch.
        const extra = start === 0 ? penalty() : undefined;
        tape.backward(extra ? addScaled(mean, extra) : mean);
        return { losses, extra };
      }),
    );
    try {
      const [own, added] = await Promise.all([losses.read(), extra?.read()]);
      for (const value of own) sum += value / count;
      sum += added?.[0] ?? 0;
    } finally {
      losses.dispose();
      extra?.dispose();
    }
  }
  return sum;
}

/** `decay` times half the squared norm: its gradient is the weight decay of PyTorch's SGD and Adam. */
export function halfSquares(parameters: readonly Tensor[], decay: number): Tensor {
  const sums = parameters.map((parameter) => {
    const flat = parameter.reshape([1, parameter.size]);
    return groupDot(flat, flat, decay / 2).reshape([1]);
  });
  return sums.reduce((total, one) => addScaled(one, total));
}
