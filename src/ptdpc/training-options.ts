/** What the training loop takes of a learner's options, and the learning rate of each epoch. */
import { stepLearningRate, type TuningOptions } from './options.js';

/** What the training loop takes of a learner's options. */
export type TrainingOptions = Pick<
  TuningOptions,
  'optimizer' | 'learningRate' | 'epochs' | 'batchSize' | 'shuffle' | 'seed' | 'keep'
> & {
  /** Of SGD: this multiple of the parameters is added to their gradient. */
  readonly weightDecay?: number;
} & (Pick<TuningOptions, 'stepSize' | 'gamma'> | CosineSchedule);

/** A cosine to zero after some epochs at a small constant rate. */
export interface CosineSchedule {
  /** Epochs at `WARMUP_RATE` before. */
  readonly warmup: number;
}

/** Learning rate of the warm-up epochs of a cosine schedule. */
export const WARMUP_RATE = 1e-5;

/** Learning rate of an epoch (counted from 0): of StepLR, or of a cosine after a warm-up. */
export function learningRateAt(options: TrainingOptions, epoch: number): number {
  return 'warmup' in options ? cosineRateAt(options, epoch) : stepLearningRate(options, epoch);
}

/**
 * The cosine after a constant warm-up as Dassl, the library that CoOp trains with, makes it: it starts when the warm-up ends and is yet as long as the
 * training, so that it does not reach its end.
 */
export function cosineRateAt(
  { warmup, learningRate, epochs }: CosineSchedule & Pick<TuningOptions, 'learningRate' | 'epochs'>,
  epoch: number,
): number {
  if (epoch < warmup) return WARMUP_RATE;
  return cosineRate(learningRate, epoch - warmup, epochs);
}

/** Half a cosine from `base` down to 0 over so many steps: PyTorch's CosineAnnealingLR. */
export function cosineRate(base: number, step: number, steps: number): number {
  return (base * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}
