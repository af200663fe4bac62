/**
 * What choosing on the test images would have given. Every function here is called once a training's own choice is fixed, with what the training
 * has left behind, and what it returns is only written to on-test.json: no training can read it, and none is given test images. Learners on
 * features are fitted a second time for it, with the test images in place of the validation images, and that fit is thrown away.
 */
import { TokenEmbeddings } from '../../clip/towers/index.js';
import { type FeatureJob, type FeatureLearner, featureLogits } from '../../learners/features/index.js';
import { type PromptOptions, promptSetup } from '../../learners/prompts/index.js';
import { evaluate } from '../../ptdpc/evaluate.js';
import {
  type ClassName,
  chooseRate,
  evaluateOn,
  evaluateProbe,
  type LabelledFeatures,
  type ProbeCell,
  PromptModel,
  promptText,
  trainProbe,
} from '../../ptdpc/index.js';
import type { WorkContext } from '../experiment/context.js';
import type { LoggedEpoch } from './epoch-log.js';
import type { OnTest } from './task-files.js';

/** So many epochs are looked at where each image has prompts of its own, since that costs as much as an epoch of training. */
const MOST_LOOKS = 10;

/** Which of the epochs, from 1 to `epochs`, are looked at: all, or ten that are evenly spaced, the last among them. */
export function looksAt(epochs: number, perImage: boolean): (epoch: number) => boolean {
  if (!perImage) return () => true;
  const looks = Math.min(MOST_LOOKS, epochs);
  const chosen = new Set(Array.from({ length: looks }, (_, i) => Math.ceil(((i + 1) * epochs) / looks)));
  return (epoch) => chosen.has(epoch);
}

/** Of prompts: after the epochs of every training of a task, at any learning rate. Null if there is only one. */
export async function promptsOnTest(
  { model, tower, memory }: WorkContext,
  epochs: readonly LoggedEpoch[],
  options: PromptOptions,
  classes: readonly ClassName[],
  test: LabelledFeatures,
): Promise<OnTest | null> {
  const looked = epochs.flatMap(({ run, epoch, learned }) =>
    learned ? [{ what: `${run}, epoch ${epoch}`, learned }] : [],
  );
  if (looked.length < 2) return null;
  const setup = promptSetup(options);
  const words = classes.map(({ word }) => word);
  const text = promptText(await model.tokenizer(), setup.layout, words, model.config.text.context);
  using prompts = await PromptModel.create(tower, new TokenEmbeddings(model.clip), text, setup.model);
  const candidates: OnTest['candidates'] = [];
  for (const { what, learned } of looked) {
    prompts.write(learned);
    candidates.push({ what, accuracy: (await evaluateOn(prompts, test, memory)).accuracy });
  }
  return { candidates, count: candidates.length };
}

/** Of a learner on features: after its epochs, and at everything that its validation images chose between. Null if there is nothing of these. */
export async function featuresOnTest(
  learner: FeatureLearner,
  job: FeatureJob,
  options: Readonly<Record<string, unknown>>,
  test: LabelledFeatures,
): Promise<OnTest | null> {
  const { engine, classes, width, train, validation, memory } = job;
  if (!validation && !('epochs' in learner.fields)) return null;
  const sizes = { classes, joint: width, images: train.labels.length };
  const start = await learner.start(job, options);
  const candidates: OnTest['candidates'] = [];
  const fitted = await learner.fit(
    {
      ...job,
      validation: validation && test,
      onEpoch: async (tensors) => {
        const now = { tensors, constants: start.constants };
        const logits = await featureLogits(engine, learner.model, now, test.features, sizes, memory);
        const { accuracy } = evaluate(logits, test.labels, classes);
        candidates.push({ what: `epoch ${candidates.length + 1}`, accuracy });
      },
    },
    options,
  );
  for (const { values, valAccuracy } of fitted.choice)
    candidates.push({ what: JSON.stringify(values), accuracy: valAccuracy });
  const count = candidates.length + (fitted.candidates === undefined ? 0 : fitted.candidates - fitted.choice.length);
  return count < 2 ? null : { candidates, count };
}

/** Of a linear probe: after every epoch at every learning rate. */
export async function probeOnTest({ rates, test, ...cell }: ProbeCell): Promise<OnTest | null> {
  const candidates: OnTest['candidates'] = [];
  const training = {
    ...cell,
    onEpoch: undefined,
    onProbe: async (probe: Parameters<NonNullable<ProbeCell['onProbe']>>[0]) => {
      const { accuracy } = await evaluateProbe(cell.engine, probe, test, cell.memory);
      candidates.push({ what: `training and epoch ${candidates.length + 1}`, accuracy });
    },
  };
  if (rates) await chooseRate({ ...training, rates, validation: test });
  else await trainProbe(training);
  return candidates.length < 2 ? null : { candidates, count: candidates.length };
}
