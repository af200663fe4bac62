/**
 * A training with its folder: what the folder holds kept up to date, and an interrupted training resumed to the result of an uninterrupted one,
 * whatever it is that learns.
 */

import { counted } from '../errors.js';
import {
  type BestEpoch,
  type EpochMetrics,
  keptPrompts,
  type LearnedModel,
  type ModelTraining,
  stepsPerEpoch,
  TrainingDiverged,
  type TrainingOptions,
  type TrainingState,
} from '../ptdpc/index.js';
import type { Events } from './events.js';
import { type LearnedTensors, type RunClaim, RunDirectory } from './run-directory.js';
import type { RunImage } from './run-images.js';
import type { TrainingRecord } from './run-record.js';

/** A training that is ready to begin. */
export interface FolderTraining<Model extends LearnedModel> {
  /** Folder of the run. */
  readonly out: string;
  /** The caller's claim on that folder, where it has one already. */
  readonly claim?: Pick<RunClaim, 'requireHeld'> | undefined;
  readonly record: TrainingRecord;
  /** All images of the record. */
  readonly listed: readonly RunImage[];
  readonly model: Model;
  readonly options: TrainingOptions;
  /** Number of training images. */
  readonly images: number;
  /** What is learned, besides how many numbers: "one prompt of 8 tokens". */
  readonly what: string;
  /** Said before training. */
  readonly note?: string | undefined;
  readonly events: Events;
  /** The tensors of these learned numbers. */
  tensors(learned: Float32Array): LearnedTensors;
  train(hooks: Pick<ModelTraining<Model>, 'resume' | 'onStep' | 'onEpoch'>): Promise<void>;
  /** Called after each epoch with all that the next one depends on, before it is written. */
  readonly onState?: ((state: TrainingState) => Promise<void> | void) | undefined;
  /** Called after each epoch, once it is on disk. */
  readonly onEpoch?: ((metrics: EpochMetrics) => void) | undefined;
  /** Called at the end with what was learned, which is gone after it. */
  readonly use?: ((model: Model) => Promise<void>) | undefined;
}

/** Trains, resumes, or finds the run finished; returns the last epoch's metrics. Throws as `trainRun` does. */
export async function trainInFolder<Model extends LearnedModel>(
  training: FolderTraining<Model>,
): Promise<EpochMetrics> {
  const { out, record, listed, model, options, images, events } = training;
  await using own = training.claim ? undefined : await RunDirectory.claim(out, (line) => events.say(line));
  const claim = training.claim ?? own!;
  const run = await RunDirectory.open(out, record, listed, model.size);
  await run.begin();
  let last = await run.lastEpoch();
  const done = run.state?.epochs ?? 0;
  if (last && run.state && done >= options.epochs) {
    events.say(`${out}: all ${options.epochs} epochs are already done`);
    model.write(keptPrompts(run.state).prompts);
    await training.use?.(model);
    return last;
  }
  if (done > 0) events.say(`${out}: resuming after epoch ${done} of ${options.epochs}`);
  if (training.note) events.say(training.note);
  events.say(
    `training ${model.size.toLocaleString('en')} parameters (${training.what}) on ` +
      `${counted(images, 'image')} of ${model.classes} classes, ${counted(stepsPerEpoch(images, options.batchSize), 'step')} per epoch`,
  );
  using bar = events.progress((options.epochs - done) * images, 'training', 'images');
  const kept = () =>
    last
      ? `${out} keeps the prompts of epoch ${last.epoch + 1}; another --lr needs another --out`
      : `no epoch was finished, so ${out} can be reused with another --lr`;
  let best: BestEpoch | undefined;
  await training
    .train({
      resume: run.state,
      onStep: (metrics, count) => {
        run.step(metrics);
        bar.tick(count, `epoch ${metrics.epoch + 1}/${options.epochs}, loss ${metrics.loss.toFixed(4)}`);
      },
      onEpoch: async (metrics, state) => {
        best = state.best;
        await claim.requireHeld();
        await training.onState?.(state);
        await run.epoch(metrics, state, training.tensors(keptPrompts(state).prompts));
        last = metrics;
        training.onEpoch?.(metrics);
      },
    })
    .catch((error: unknown) => {
      throw error instanceof TrainingDiverged ? new TrainingDiverged(`${error.message}; ${kept()}`) : error;
    });
  if (!last) throw new Error('training ended without an epoch');
  if (best) events.say(`${out}: keeps the prompts of epoch ${best.epochs}, the best on the validation images`);
  await training.use?.(model);
  return last;
}
