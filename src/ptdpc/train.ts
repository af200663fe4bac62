/** The training loop: epochs of batches, a learning rate for each epoch, validation, and a resumable state after every epoch. */
import { InputError } from '../errors.js';
import { AdamW, type Optimizer, type OptimizerState, Sgd, type Tensor } from '../tensor/index.js';
import { span } from '../trace.js';
import { argmax, type Evaluation, evaluate } from './evaluate.js';
import { allFinite, NonFiniteError } from './features.js';
import { imagesOfEpoch, type LabelledFeatures, pick, requireVotes, slice } from './labelled-features.js';
import { joined, type LearnedModel, partsOf } from './learned-numbers.js';
import { ADAMW, SGD_MOMENTUM } from './options.js';
import type { PromptModel } from './prompt-model.js';
import { epochOrder } from './random.js';
import { type BatchResult, predictLogits, type StartedBatch, startGradient } from './step.js';
import { learningRateAt, type TrainingOptions } from './training-options.js';

/** Metrics of a step. */
export interface StepMetrics {
  type: 'step';
  epoch: number;
  /** Step in the whole run, from 0. */
  step: number;
  loss: number;
  lr: number;
}

/** Metrics of an epoch. */
export interface EpochMetrics {
  type: 'epoch';
  epoch: number;
  /** Means over the epoch's images, each measured when its batch was processed. */
  trainLoss: number;
  trainAccuracy: number;
  /**
   * Validation cross-entropy (of plain logits; with `loss: 'kl'` the divergence from the votes) and accuracy after the epoch; null without
   * validation images.
   */
  valLoss: number | null;
  valAccuracy: number | null;
}

/** Everything that the next epoch depends on. */
export interface TrainingState {
  /** Completed epochs. */
  epochs: number;
  /** All learned numbers: the prompts, and what else a learner has. */
  prompts: Float32Array;
  /** Each of its tensors holds as many. */
  optimizer: OptimizerState;
  /** With `keep: 'best'`: the best epoch so far. */
  best?: BestEpoch | undefined;
}

/** The epoch with the best validation accuracy. */
export interface BestEpoch {
  /** Its number, from 1. */
  epochs: number;
  valAccuracy: number;
  prompts: Float32Array;
}

/** The prompts to keep in this state: the best epoch's if recorded, else the latest. */
export function keptPrompts(state: TrainingState): Pick<BestEpoch, 'epochs' | 'prompts'> {
  return state.best ?? state;
}

/** What a training waits for between two steps. */
export type Pause<Model = PromptModel> = (model: Model) => Promise<void>;

/** Training and validation images as a model takes them: as features, or as pictures. */
export interface TrainingImages {
  /** Class of each training image. */
  readonly labels: Int32Array;
  /** Whether there are validation images. */
  readonly validates: boolean;
  /** Adds the gradient of the mean loss of these training images, by their places, to the parameters' gradients. `epoch` is counted from 0. */
  gradient(epoch: number, images: Int32Array): Promise<StartedBatch>;
  /**
   * Evaluates on the validation images, with the loss that counts there; without any, on the first training image, in case the last update ruined what is
   * learned. Throws NonFiniteError if a logit is NaN or infinite.
   */
  evaluate(): Promise<{ readonly seen: Evaluation; readonly loss: number }>;
}

/** A training job of any model. */
export interface ModelTraining<Model extends LearnedModel> {
  model: Model;
  options: TrainingOptions;
  images: TrainingImages;
  /** Bytes for activations, in addition to the weights. */
  memory: number;
  /** The state to resume from. */
  resume?: TrainingState | undefined;
  signal?: AbortSignal | undefined;
  /**
   * Called before every step with its number in the whole run, from 0. If it returns a function, training pauses: once the last step's
   * results have been told, the function is called with the model, whose prompts are those after exactly `step` steps and may be
   * looked at, and training continues when its promise resolves. Aborting ends a pause. Results do not depend on pauses.
   */
  beforeStep?: ((step: number) => Pause<Model> | undefined) | undefined;
  /** Called after every step, with the number of its images. */
  onStep?: (metrics: StepMetrics, images: number) => void;
  /** Called after every epoch, with the metrics on the validation images; training continues when the returned promise resolves. */
  onEpoch?: (metrics: EpochMetrics, state: TrainingState, validation: Evaluation | undefined) => Promise<void> | void;
}

/** A training job on features. */
export interface Training extends Omit<ModelTraining<PromptModel>, 'images'> {
  train: LabelledFeatures;
  validation?: LabelledFeatures | undefined;
}

/** The loss or the prompts are NaN: the learning rate was too high for these images. */
export class TrainingDiverged extends InputError {}

/** Steps per epoch, including a smaller last batch. */
export function stepsPerEpoch(images: number, batchSize: number): number {
  return Math.ceil(images / batchSize);
}

/** Trains a model's prompts on features; see `trainModel`. */
export async function trainPrompts({ train, validation, ...training }: Training): Promise<void> {
  const { model, memory } = training;
  const images: TrainingImages = {
    labels: train.labels,
    validates: validation !== undefined,
    gradient: (epoch, chosen) =>
      startGradient(model, pick(imagesOfEpoch(train, epoch), chosen, 0, chosen.length, model.joint), memory),
    evaluate: async () => {
      const seen = await evaluateOn(model, validation ?? slice(train, 0, 1, model.joint), memory);
      return { seen, loss: validation ? validationLoss(model, seen) : seen.loss };
    },
  };
  await trainModel({ ...training, images });
}

/**
 * Trains the model's prompts in place. The order of images depends only on seed and epoch, so that a resumed run continues exactly.
 * `onEpoch` is only called with prompts that give finite logits. With `keep: 'best'`, the model ends up with the prompts of the best epoch;
 * this requires validation images, else InputError. Throws TrainingDiverged if the loss or the prompts become NaN, NonFiniteError if the
 * first loss is NaN (before any update), and the signal's reason if aborted (between steps).
 */
export async function trainModel<Model extends LearnedModel>(training: ModelTraining<Model>): Promise<void> {
  const { model, options, images, memory, resume } = training;
  const { validates } = images;
  if (options.keep === 'best' && !validates)
    throw new InputError('--keep best: expected validation images to choose an epoch by, found none');
  let best = resume?.best;
  // Covers all steps, so that memory freed by one is reused by the next.
  using _limit = model.engine.workWithin(memory);
  using optimizer = createOptimizer(model, options);
  if (resume) {
    model.write(resume.prompts);
    optimizer.restore(inParts(resume.optimizer, model.parameters));
  }
  for (let epoch = resume?.epochs ?? 0; epoch < options.epochs; epoch++) {
    using _epoch = span('epoch', { epoch: epoch + 1 });
    const learned = await trainEpoch(training, optimizer, epoch);
    const state: TrainingState = {
      epochs: epoch + 1,
      prompts: await model.read(),
      optimizer: inOne(await optimizer.state(), model.parameters.length),
    };
    const last = (epoch + 1) * stepsPerEpoch(images.labels.length, options.batchSize) - 1;
    let evaluated: Awaited<ReturnType<TrainingImages['evaluate']>>;
    try {
      evaluated = await images.evaluate();
    } catch (error) {
      if (!(error instanceof NonFiniteError)) throw error;
      throw divergence('the logits became NaN or infinite', options, epoch, last);
    }
    if (![state.prompts, ...state.optimizer.tensors].every(allFinite))
      throw divergence('the prompts became NaN or infinite', options, epoch, last);
    const { seen, loss } = evaluated;
    const metrics: EpochMetrics = {
      type: 'epoch',
      epoch,
      ...learned,
      valLoss: validates ? loss : null,
      valAccuracy: validates ? seen.accuracy : null,
    };
    if (options.keep === 'best' && (!best || seen.accuracy > best.valAccuracy))
      best = { epochs: epoch + 1, valAccuracy: seen.accuracy, prompts: state.prompts };
    await training.onEpoch?.(metrics, best ? { ...state, best } : state, validates ? seen : undefined);
  }
  if (best) model.write(best.prompts);
}

/** The state of an optimiser of several parameters, with those of each kind joined: all velocities, or all first and all second moments. */
function inOne({ steps, tensors }: OptimizerState, parameters: number): OptimizerState {
  const kinds = tensors.length / parameters;
  const of = (kind: number) => tensors.slice(kind * parameters, (kind + 1) * parameters);
  return { steps, tensors: Array.from({ length: kinds }, (_, kind) => joined(of(kind))) };
}

/** The inverse of `inOne`. */
function inParts({ steps, tensors }: OptimizerState, parameters: readonly Tensor[]): OptimizerState {
  return { steps, tensors: tensors.flatMap((all) => partsOf(all, parameters)) };
}

/**
 * One pass over the training images. Results are collected while the next step is being queued, so that the device need not wait for the
 * host between steps.
 */
async function trainEpoch<Model extends LearnedModel>(
  { model, options, images, signal, beforeStep, onStep }: ModelTraining<Model>,
  optimizer: Optimizer,
  epoch: number,
): Promise<Pick<EpochMetrics, 'trainLoss' | 'trainAccuracy'>> {
  const { classes } = model;
  const count = images.labels.length;
  const order = options.shuffle
    ? epochOrder(count, options.seed, epoch)
    : Int32Array.from({ length: count }, (_, i) => i);
  const lr = learningRateAt(options, epoch);
  let lossSum = 0;
  let correct = 0;
  const collect = ({ loss, logits }: BatchResult, labels: Int32Array, step: number) => {
    if (!Number.isFinite(loss)) {
      if (step > 0) throw divergence(`the loss became ${loss}`, options, epoch, step);
      throw new NonFiniteError(
        `the loss is ${loss} before the first update: features or weights are damaged (ptdpc verify checks a model)`,
      );
    }
    labels.forEach((label, i) => {
      correct += Number(argmax(logits.subarray(i * classes, (i + 1) * classes)) === label);
    });
    lossSum += loss * labels.length;
    onStep?.({ type: 'step', epoch, step, loss, lr }, labels.length);
  };
  let last = Promise.resolve();
  try {
    for (let start = 0; start < count; start += options.batchSize) {
      if (signal) await letEventsIn();
      signal?.throwIfAborted();
      const step = epoch * stepsPerEpoch(count, options.batchSize) + start / options.batchSize;
      const pause = beforeStep?.(step);
      if (pause) {
        await last;
        await unlessAborted(pause(model), signal);
      }
      const chosen = order.subarray(start, start + options.batchSize);
      using _step = span('step', { step, images: chosen.length });
      const { result } = await images.gradient(epoch, chosen);
      update(optimizer, lr);
      model.zeroGrad();
      const previous = last;
      last = result.then((values) =>
        collect(
          values,
          chosen.map((image) => images.labels[image] ?? -1),
          step,
        ),
      );
      // It is awaited a step later, but may fail before.
      last.catch(() => {});
      await previous;
    }
    await last;
  } finally {
    await last.catch(() => {});
  }
  return { trainLoss: lossSum / count, trainAccuracy: correct / count };
}

function update(optimizer: Optimizer, learningRate: number): void {
  using _ = span('update');
  optimizer.step(learningRate);
}

/** `step` is the one whose loss or update is not finite. */
function divergence(what: string, options: TrainingOptions, epoch: number, step: number): TrainingDiverged {
  return new TrainingDiverged(
    `${what} in epoch ${epoch + 1} of ${options.epochs}, at step ${step}: try a smaller --lr than ${options.learningRate}`,
  );
}

/** With the loss `kl` the same measure as in training; otherwise the cross-entropy of plain logits. */
function validationLoss({ options }: PromptModel, seen: Evaluation): number {
  return options.loss === 'kl' ? requireVotes(seen.distribution ?? undefined).kullbackLeibler : seen.loss;
}

/** Evaluates prompts on labelled images. Throws NonFiniteError if a logit is NaN or infinite. */
export async function evaluateOn(model: PromptModel, images: LabelledFeatures, memory: number) {
  using _ = span('validate', { images: images.labels.length });
  return evaluate(await predictLogits(model, images.features, memory), images.labels, model.classes, images.votes);
}

/** Creates the optimiser named in the options for a model's parameters. The caller disposes it. */
export function createOptimizer(
  { parameters }: LearnedModel,
  { optimizer, weightDecay = 0 }: Pick<TrainingOptions, 'optimizer' | 'weightDecay'>,
): Optimizer {
  if (optimizer === 'adamw') return new AdamW(parameters, ADAMW);
  return new Sgd(parameters, { momentum: SGD_MOMENTUM, weightDecay });
}

/** Waits for `pause`, but no longer than until the signal is aborted; then throws its reason. */
async function unlessAborted(pause: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return pause;
  let abort = () => {};
  const aborted = new Promise<void>((resolve) => {
    abort = resolve;
    signal.addEventListener('abort', abort);
    if (signal.aborted) resolve();
  });
  try {
    await Promise.race([pause, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
  signal.throwIfAborted();
}

/** Yields to the event loop. Aborting needs an event (a key, a click, a timer), but a device on this thread never waits for one. */
function letEventsIn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
