/** The learners that `ptdpc train --learner` knows, in the order in which `ptdpc learners` lists them. */
import { InputError } from '../errors.js';
import type { TuningOptions } from '../ptdpc/options.js';
import type { TrainingOptions } from '../ptdpc/training-options.js';
import { didYouMean } from '../suggest.js';
import { FEATURE_FACTS } from './features/facts.js';
import { IMAGE_LEARNERS, type ImageOptions, isImageOptions } from './images/index.js';
import type { LearnerFacts } from './learner.js';
import { contextTraining } from './prompts/context.js';
import { CONTEXT_LEARNERS, type PromptOptions, promptSetup } from './prompts/index.js';
import { PT_DPC } from './prompts/pt-dpc.js';

export { FEATURE_FACTS, type FeatureFacts, featureFactsOf } from './features/facts.js';
export * from './images/index.js';
export type { LearnerFacts, LearnerSizes, LearnerSpace, OptionFields } from './learner.js';
export * from './prompts/index.js';

/** Every learner. */
export const LEARNERS: readonly LearnerFacts[] = [
  PT_DPC,
  ...Object.values(CONTEXT_LEARNERS),
  ...Object.values(IMAGE_LEARNERS),
  ...FEATURE_FACTS,
];

/** How the options of a learner that trains by epochs train it, and its loss. */
export function trainingOf(options: PromptOptions | ImageOptions): {
  readonly training: TrainingOptions;
  readonly loss: TuningOptions['loss'];
} {
  if (isImageOptions(options)) return { training: contextTraining(options), loss: 'ce' };
  const { training, model } = promptSetup(options);
  return { training, loss: model.loss };
}

/** The learner of that name. Throws InputError for another name. */
export function learnerNamed(name: string): LearnerFacts {
  const found = LEARNERS.find((learner) => learner.name === name);
  if (found) return found;
  const names = LEARNERS.map((learner) => learner.name);
  throw new InputError(`--learner: expected ${names.join(', ')}, found ${name}${didYouMean(name, names)}`);
}
