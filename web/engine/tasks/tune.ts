import {
  type ClipModel,
  type PromptsFile,
  promptCount,
  stepsPerEpoch,
  type TrainingState,
} from '../../../src/ptdpc/index.js';
import type { TuneRequest } from '../../protocol.js';
import { compareWithZeroShot, heldOutOf, type PreparedData } from '../prepared-data.js';
import type { Session } from '../session.js';
import type { Context, Work } from './task.js';

/** A stop leaves the prompts of the last epoch, and a lost device costs no more than the epoch in which it was lost. */
export const tune: Work<'tune'> = (request, context) => {
  const { session, signal } = context;
  const data = session.dataOf(request.data);
  return session.withClip(async (clip) => {
    try {
      await train(clip, data, request, context);
    } catch (error) {
      const stopped = signal.aborted && error === signal.reason && session.trainings.has(request.run);
      if (!stopped) throw error;
    }
    return answer(clip, session, data, request);
  });
};

async function train(
  clip: ClipModel,
  { classes, splits }: PreparedData,
  { run, options }: TuneRequest,
  { session, signal, progress }: Context<Told>,
): Promise<void> {
  const train = splits.train!;
  const steps = stepsPerEpoch(train.labels.length, options.batchSize);
  const total = steps * options.epochs;
  using _tuned = await clip.tune({
    classes: classes.map(({ word }) => word),
    ...{ train, validation: splits.val, options, signal, resume: session.trainings.get(run) },
    onStep: ({ epoch, step, loss }) =>
      progress({
        done: step + 1,
        total,
        what: 'tuning',
        detail: `epoch ${epoch + 1} of ${options.epochs}, loss ${loss.toFixed(3)}`,
      }),
    onEpoch: (epoch, state, seen) => {
      session.trainings.set(run, state);
      progress({ epoch, confusion: seen?.confusion ?? null });
    },
  });
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
