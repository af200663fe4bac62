/** A task that tunes prompts: one training for each learning rate, the choice between them, and the test images last. */
import { basename, join } from 'node:path';
import { InputError } from '../../errors.js';
import type { PromptOptions } from '../../learners/prompts/index.js';
import {
  bestRate,
  type EpochMetrics,
  type Evaluation,
  evaluateOn,
  holdOut,
  type PromptModel,
  type RateChoice,
  TrainingDiverged,
  type TrainingState,
} from '../../ptdpc/index.js';
import type { EncodedSplit } from '../encode-splits.js';
import { makeFolder } from '../make-folder.js';
import { removeOwn } from '../own-files.js';
import { OtherRun } from '../run-directory.js';
import { trainRun } from '../training-run.js';
import type { WorkContext } from './context.js';
import type { ExperimentFeatures } from './features.js';
import type { SettingData } from './setting-data.js';

/** A task of any kind: its name, which is that of its folder, its seed, and the folder of its data set. */
export interface WorkTask {
  readonly name: string;
  readonly seed: number;
  readonly root: string;
}

/** How prompts are tuned. */
export interface Tuning {
  /** One, or several for validation to choose from. */
  readonly rates: readonly number[];
  options(learningRate: number): PromptOptions;
  readonly watch?: TrainingWatch | undefined;
}

/** Looks on while a task trains, and changes nothing. `run` is the name of a run's folder. */
export interface TrainingWatch {
  /** Before a training begins or is resumed. */
  begin(run: string): void;
  /** After each epoch, before that is on disk: of a resumed training, every epoch was told. */
  epoch(run: string, state: TrainingState): Promise<void>;
}

/** A trained task: the run that counts, its evaluation on the test images, and the images. */
interface TunedTask {
  run: string;
  epochs: number;
  /** Learned numbers. */
  parameters: number;
  evaluation: Evaluation;
  train: EncodedSplit;
  validation: EncodedSplit | undefined;
  test: EncodedSplit;
}

/**
 * Runs the task. With several rates, each is trained and the one that does best on the validation images is evaluated; where the data
 * set has none, the choice is made on a tenth of the training images, and the rate chosen is trained once more on all of them.
 */
export async function tuneTask(
  place: WorkContext,
  task: WorkTask,
  tuning: Tuning,
  data: SettingData,
  features: ExperimentFeatures,
): Promise<TunedTask> {
  const { root } = task;
  const { rates: learningRates } = tuning;
  const { classes, train, val, test } = data;
  const folder = place.folder.runs(task.name);
  const training = new TaskTraining(place, task, tuning, data);
  const choice: RateChoice[] = [];
  let learningRate = learningRates[0]!;
  if (learningRates.length > 1) {
    const { fit, held } = val ? { fit: train, held: val } : holdOut(train, task.seed);
    if (held.length === 0)
      throw new InputError(
        `${task.name}: expected validation images to choose a learning rate by, or a class with two training images to hold one out of; found neither. Name one rate`,
      );
    const [fitted, heldOut] = await features.normalized(root, [fit, held], classes);
    for (const rate of learningRates) {
      const last = await training.run(join(folder, `lr-${rate}`), rate, fitted!, heldOut);
      if (last) choice.push({ learningRate: rate, valAccuracy: last.valAccuracy!, valLoss: last.valLoss! });
      else place.events.say(`${task.name}: learning rate ${rate} is left out: the loss became NaN`);
    }
    if (choice.length === 0) {
      throw new InputError(`${task.name}: training diverges at every learning rate (${learningRates.join(', ')})`);
    }
    learningRate = bestRate(choice);
  }
  const [trained, validated, tested] = await features.normalized(root, [train, val ?? [], test], classes);
  // Where the choice was made on a part of the training images, its runs have seen too little.
  const run = join(folder, val || learningRates.length === 1 ? `lr-${learningRate}` : 'final');
  let evaluation: Evaluation | undefined;
  let parameters = 0;
  const last = await training.run(run, learningRate, trained!, val ? validated : undefined, async (model) => {
    parameters = model.size;
    evaluation = await evaluateOn(model, tested!, place.memory);
  });
  const epochs = (last?.epoch ?? 0) + 1;
  if (!evaluation) throw new InputError(`${task.name}: training diverges at learning rate ${learningRate}`);
  return {
    run,
    epochs,
    parameters,
    evaluation,
    train: trained!,
    validation: val ? validated : undefined,
    test: tested!,
  };
}

/** The trainings of one task, which differ in learning rate and images. */
class TaskTraining {
  constructor(
    private readonly place: WorkContext,
    private readonly task: WorkTask,
    private readonly tuning: Tuning,
    private readonly data: SettingData,
  ) {}

  /** Trains, resumes, or finds the run finished. Returns the last epoch's metrics, or undefined if the training diverges. */
  async run(
    out: string,
    learningRate: number,
    train: EncodedSplit,
    validation: EncodedSplit | undefined,
    use?: (model: PromptModel) => Promise<void>,
  ): Promise<EpochMetrics | undefined> {
    const { place, task, tuning } = this;
    const { watch } = tuning;
    const { classes, source } = this.data;
    const { model, tower, memory, strict, truncated, events } = place;
    const options = tuning.options(learningRate);
    const request = {
      ...{ out, model, tower, data: source, classes, options },
      ...{ train, validation, memory, strict, truncated, use },
      onState: watch && ((state: TrainingState) => watch.epoch(basename(out), state)),
      // Whoever holds the task holds its runs.
      claim: { requireHeld: async () => {} },
      events: {
        say: () => {},
        progress: (total: number) => events.progress(total, `${task.name}, learning rate ${learningRate}`, 'images'),
      },
    };
    try {
      await makeFolder(out);
      watch?.begin(basename(out));
      return await trainRun(request);
    } catch (error) {
      if (error instanceof TrainingDiverged) return undefined;
      if (!(error instanceof OtherRun)) throw error;
      // An interrupted training on another kind of device, or on images that have changed since: nothing to resume from.
      events.say(`${task.name}: training again from the start: ${error.message}`);
      await removeOwn(out);
      await makeFolder(out);
      watch?.begin(basename(out));
      return await trainRun(request);
    }
  }
}
