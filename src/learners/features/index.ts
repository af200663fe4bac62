/** The learners on features, with what they compute by. facts.ts alone says what they are. */
import { InputError } from '../../errors.js';
import { didYouMean } from '../../suggest.js';
import { clap } from './clap.js';
import { clipAdapter } from './clip-adapter.js';
import type { FeatureLearner } from './feature-learner.js';
import { linearProbe } from './linear-probe.js';
import { lpPlusPlus } from './lp-plus-plus.js';
import { taskRes } from './taskres.js';
import { tipAdapter, tipAdapterF } from './tip-adapter.js';

export {
  type FeatureJob,
  type FeatureLearner,
  type FeatureModel,
  type FeatureSizes,
  type FeatureStart,
  type FitStep,
  type FittedFeatures,
  featureLogits,
  type HostTensor,
  type Trial,
} from './feature-learner.js';

/** Every learner on features. */
export const FEATURE_LEARNERS: readonly FeatureLearner[] = [
  linearProbe,
  tipAdapter,
  tipAdapterF,
  clipAdapter,
  taskRes,
  lpPlusPlus,
  clap,
];

/** The learner on features of that name. Throws InputError for another name. */
export function featureLearnerNamed(name: string): FeatureLearner {
  const found = FEATURE_LEARNERS.find((learner) => learner.name === name);
  if (found) return found;
  const names = FEATURE_LEARNERS.map((learner) => learner.name);
  throw new InputError(`learner: expected ${names.join(', ')}, found ${name}${didYouMean(name, names)}`);
}
