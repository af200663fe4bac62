import { InputError } from '../../../src/errors.js';
import {
  type ClipModel,
  type PromptModel,
  type PromptsFile,
  promptCount,
  stepsPerEpoch,
  type TrainingState,
} from '../../../src/ptdpc/index.js';
import type { TuneRequest } from '../../protocol.js';
import { compareWithZeroShot, heldOutOf, type PreparedData } from '../prepared-data.js';
import type { Session } from '../session.js';
import { Stages } from '../stage.js';
import { Steering } from '../steering.js';
import type { Context, Work } from './task.js';

/** A stop leaves the prompts of the last epoch, and a lost device costs no more than the epoch in which it was lost. */
export const tune: Work<'tune'> = async (request, context) => {
  const { session, signal } = context;
  const { run, options, how } = request;
  const data = session.dataOf(request.data);
  const steps = stepsPerEpoch(data.splits.train!.labels.length, options.batchSize);
  session.steerings.set(run, new Steering(steps, how, steps * (session.trainings.get(run)?.epochs ?? 0)));
  try {
    return await session.withClip(async (clip) => {
      try {
        await train(clip, data, request, context);
      } catch (error) {
        const stopped = (signal.aborted && error === signal.reason) || error instanceof Displaced;
        if (!stopped || !session.trainings.has(run)) throw error;
      }
      return answer(clip, session, data, request);
    });
  } finally {
    session.steerings.delete(run);
  }
};

export const steer: Work<'steer'> = async ({ run, how }, { session }) => {
  session.steerings.get(run)?.turn(how);
  return null;
};

/** A tuning that pauses gives way to what needs the device for itself, which could otherwise wait for ever. */
class Displaced extends InputError {}

async function train(
  clip: ClipModel,
  data: PreparedData,
  { run, options }: TuneRequest,
  { session, queue, signal, progress }: Context<Told>,
): Promise<void> {
  const { classes, splits } = data;
  const train = splits.train!;
  const steering = session.steerings.get(run)!;
  const words = classes.map(({ word }) => word);
  const steps = stepsPerEpoch(train.labels.length, options.batchSize);
  const total = steps * options.epochs;
  // For whoever comes in between: during training there is no room for its weights.
  await clip.visionTower();
  const stage = await Stages.open(clip, data, options, steps);
  progress({ zeroShot: stage.zeroShot });
  let begun = false;
  let pausing: Promise<void> = Promise.resolve();
  const pause = async (step: number, model: PromptModel): Promise<void> => {
    if (!begun) progress({ stage: await stage.before(step, model) });
    begun = true;
    await queue.letIn();
    if (steering.allows(step)) return;
    progress({ stage: await stage.paused(step, model) });
    while (!signal.aborted && !steering.allows(step)) {
      if (queue.isAwaited)
        throw new Displaced('stopped before its first epoch had ended, for what was asked for meanwhile');
      await queue.arrival(signal);
      await queue.letIn();
    }
  };
  try {
    using _tuned = await clip.tune({
      ...{ classes: words, train, validation: splits.val, options, signal, resume: session.trainings.get(run) },
      beforeStep: (step) => {
        if (steering.allows(step) && begun && !queue.hasGuests) return undefined;
        return (model) => {
          pausing = pause(step, model);
          return pausing;
        };
      },
      onStep: ({ epoch, step, loss }) => {
        stage.loss = loss;
        const detail = `epoch ${epoch + 1} of ${options.epochs}, loss ${loss.toFixed(3)}`;
        progress({ done: step + 1, total, what: 'tuning', detail });
      },
      onEpoch: async (epoch, state, seen) => {
        session.trainings.set(run, state);
        progress({ epoch, confusion: seen?.confusion ?? null });
        progress({ stage: await stage.after(state, seen) });
      },
    });
  } finally {
    // Whoever came in has the device until it is done.
    await pausing.catch(() => {});
  }
}

type Told = Parameters<Parameters<Work<'tune'>>[1]['progress']>[0];

/** The prompts after the last epoch: kept, and evaluated. */
async function answer(clip: ClipModel, session: Session, data: PreparedData, { run, label, options }: TuneRequest) {
  const state = session.trainings.get(run)!;
  const file = await promptsFile(clip, data, options, state);
  const prompts = session.keepPrompts(label, file, run);
  using tuned = await clip.restorePrompts(file);
  const heldOut = heldOutOf(data);
  return {
    finished: state.epochs === options.epochs,
    prompts,
    heldOut: heldOut ? await compareWithZeroShot(clip, heldOut, tuned.words, options.template, tuned) : null,
  };
}

async function promptsFile(
  clip: ClipModel,
  { classes }: PreparedData,
  options: TuneRequest['options'],
  { epochs, prompts }: TrainingState,
): Promise<PromptsFile> {
  const sets = promptCount(options.mode, classes.length);
  const { width } = clip.source.config.text;
  const shape = [sets, prompts.length / (sets * width), width];
  return { options, classes, modelHash: await clip.source.hash(), epochs, shape, prompts };
}
