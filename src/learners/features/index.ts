/** The learners on features. */
import { clap } from './clap.js';
import { clipAdapter } from './clip-adapter.js';
import type { FeatureLearner } from './feature-learner.js';
import { linearProbe } from './linear-probe.js';
import { lpPlusPlus } from './lp-plus-plus.js';
import { taskRes } from './taskres.js';
import { tipAdapter, tipAdapterF } from './tip-adapter.js';

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
