/** The training loop: epochs of batches, a step-wise learning rate, validation, and a state to resume from after every epoch. */
import { InputError } from '../errors.js';
import { AdamW, type Optimizer, type OptimizerState, Sgd } from '../tensor/index.js';
import { argmax, type Evaluation, evaluate } from './evaluate.js';
import { allFinite, NonFiniteError } from './features.js';
import { ADAMW, SGD_MOMENTUM, stepLearningRate, type TuningOptions } from './options.js';
import type { PromptModel } from './prompt-model.js';
import { epochOrder } from './random.js';
import { accumulateGradient, type LabelledFeatures, pick, predictLogits, slice } from './step.js';

/** How one step went. */
export interface StepMetrics {
  type: 'step';
  epoch: number;
  /** Counted from 0 over the whole run. */
  step: number;
  loss: number;
  lr: number;
}

/** How one epoch went. */
export interface EpochMetrics {
  type: 'epoch';
  epoch: number;
  /** Means over the epoch's images, each taken when its batch was visited. */
  trainLoss: number;
  trainAccuracy: number;
  /** Cross-entropy and accuracy of plain logits after the epoch; null without validation images. */
  valLoss: number | null;
  valAccuracy: number | null;
}

/** Everything that the next epoch depends on. */
export interface TrainingState {
  /** Epochs finished. */
  epochs: number;
  prompts: Float32Array;
  optimizer: OptimizerState;
  /** With `keep: 'best'`: the epoch that is best so far. */
  best?: BestEpoch | undefined;
}

/** The epoch of the best validation accuracy. */
export interface BestEpoch {
  /** Epochs finished with it. */
  epochs: number;
  valAccuracy: number;
  prompts: Float32Array;
}

/** The prompts of a training in this state: the best epoch's if those are kept, else the last one's. */
export function keptPrompts(state: TrainingState): Pick<BestEpoch, 'epochs' | 'prompts'> {
  return state.best ?? state;
}

/** Prompts to be tuned, on which images. */
export interface Training {
  model: PromptModel;
  options: TuningOptions;
  train: LabelledFeatures;
  validation?: LabelledFeatures | undefined;
  /** Bytes for activations, beside the weights. */
  memory: number;
  /** Continue from here instead of from the start. */
  resume?: TrainingState | undefined;
  signal?: AbortSignal | undefined;
  /** Called after every step, with the number of its images. */
  onStep?: (metrics: StepMetrics, images: number) => void;
  /** Called after every epoch, with its metrics on the validation images; training continues when the returned promise resolves. */
  onEpoch?: (metrics: EpochMetrics, state: TrainingState, validation: Evaluation | undefined) => Promise<void> | void;
}

/** The loss or the prompts are NaN: the learning rate was too high for these images. */
export class TrainingDiverged extends InputError {}

/** Steps of one epoch; a short last batch is kept. */
export function stepsPerEpoch(images: number, batchSize: number): number {
  return Math.ceil(images / batchSize);
}

/**
 * Trains the model's prompts in place. The order of images depends on seed and epoch only, so that a resumed run continues exactly.
 * `onEpoch` is only called with prompts that give finite logits. With `keep: 'best'` the model ends with the prompts of the best epoch; throws
 * InputError then without validation images. Throws TrainingDiverged if loss or prompts are NaN, NonFiniteError
 * if the first loss is NaN, before anything was learned, and the signal's reason if it is aborted (between steps).
 */
export async function trainPrompts(training: Training): Promise<void> {
  const { model, options, train, validation, memory, resume, signal } = training;
  if (options.keep === 'best' && !validation)
    throw new InputError('--keep best: expected validation images to choose an epoch by, found none');
  const count = train.labels.length;
  let best = resume?.best;
  // For all steps, so that memory freed by one is there for the next.
  using _limit = model.engine.workWithin(memory);
  using optimizer = createOptimizer(model, options);
  if (resume) {
    model.engine.backend.write(model.prompts.buffer, resume.prompts);
    optimizer.restore(resume.optimizer);
  }
  for (let epoch = resume?.epochs ?? 0; epoch < options.epochs; epoch++) {
    const order = options.shuffle ? epochOrder(count, options.seed, epoch) : undefined;
    const lr = stepLearningRate(options, epoch);
    let lossSum = 0;
    let correct = 0;
    for (let start = 0; start < count; start += options.batchSize) {
      if (signal) await letEventsIn();
      signal?.throwIfAborted();
      const batch = pick(train, order, start, Math.min(options.batchSize, count - start), model.prompts.columns);
      const { loss, logits } = await accumulateGradient(model, batch, memory);
      const step = epoch * stepsPerEpoch(count, options.batchSize) + start / options.batchSize;
      if (!Number.isFinite(loss)) {
        if (step > 0) throw divergence(`the loss became ${loss}`, options, epoch, step);
        throw new NonFiniteError(
          `the loss is ${loss} before anything was learnt: features or weights are not sound (ptdpc verify checks a model)`,
        );
      }
      optimizer.step(lr);
      model.prompts.zeroGrad();
      batch.labels.forEach((label, i) => {
        correct += Number(argmax(logits.subarray(i * model.classes, (i + 1) * model.classes)) === label);
      });
      lossSum += loss * batch.labels.length;
      training.onStep?.({ type: 'step', epoch, step, loss, lr }, batch.labels.length);
    }
    const state: TrainingState = {
      epochs: epoch + 1,
      prompts: await model.prompts.read(),
      optimizer: await optimizer.state(),
    };
    const last = (epoch + 1) * stepsPerEpoch(count, options.batchSize) - 1;
    let seen: Evaluation;
    try {
      // Without validation images, one of the others: the last update must not have ruined the prompts unseen.
      seen = await evaluateOn(model, validation ?? slice(train, 0, 1, model.prompts.columns), memory);
    } catch (error) {
      if (!(error instanceof NonFiniteError)) throw error;
      throw divergence('the logits became NaN or infinite', options, epoch, last);
    }
    if (![state.prompts, ...state.optimizer.tensors].every(allFinite))
      throw divergence('the prompts became NaN or infinite', options, epoch, last);
    const metrics: EpochMetrics = {
      type: 'epoch',
      epoch,
      trainLoss: lossSum / count,
      trainAccuracy: correct / count,
      valLoss: validation ? seen.loss : null,
      valAccuracy: validation ? seen.accuracy : null,
    };
    if (options.keep === 'best' && (!best || seen.accuracy > best.valAccuracy))
      best = { epochs: epoch + 1, valAccuracy: seen.accuracy, prompts: state.prompts };
    await training.onEpoch?.(metrics, best ? { ...state, best } : state, validation && seen);
  }
  if (best) model.engine.backend.write(model.prompts.buffer, best.prompts);
}

/** `step` is the one whose numbers, or whose update, are bad. */
function divergence(what: string, options: TuningOptions, epoch: number, step: number): TrainingDiverged {
  return new TrainingDiverged(
    `${what} in epoch ${epoch + 1} of ${options.epochs}, at step ${step}: try a smaller --lr than ${options.learningRate}`,
  );
}

/** Predictions for labelled images. Throws NonFiniteError if they are NaN. */
export async function evaluateOn(model: PromptModel, images: LabelledFeatures, memory: number) {
  return evaluate(await predictLogits(model, images.features, memory), images.labels, model.classes);
}

/** The optimiser that the options name, for the prompts of a model. Belongs to the caller. */
export function createOptimizer({ prompts }: PromptModel, { optimizer }: Pick<TuningOptions, 'optimizer'>): Optimizer {
  return optimizer === 'sgd' ? new Sgd([prompts], { momentum: SGD_MOMENTUM }) : new AdamW([prompts], ADAMW);
}

/** What aborts is an event (a key, a click, a timer), and a device that computes on this thread never waits for one by itself. */
function letEventsIn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
