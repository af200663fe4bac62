/**
 * ProGrad: CoOp, with a gradient that does not go against what CLIP knows. With g the gradient of the cross-entropy and g_kl that of the
 * divergence of the predictions from CLIP's own,
 *
 *     g' = g                                               where g . g_kl >= 0
 *     g' = g - lambda (g . g_kl / |g_kl|) g_kl / |g_kl|    elsewhere
 */
import { numberIn } from '../../ptdpc/options.js';
import type { LearnerFacts } from '../learner.js';
import {
  CONTEXT_DEFAULTS,
  CONTEXT_FIELDS,
  CONTEXT_SOURCES,
  contextSize,
  GUIDE_FIELDS,
  PLACE_FIELDS,
} from './context.js';

const FIELDS = {
  ...CONTEXT_FIELDS,
  ...PLACE_FIELDS,
  ...GUIDE_FIELDS,
  lambda: numberIn(
    { least: 0 },
    { flag: '--lambda <x>', help: "share of the gradient's part against CLIP's own predictions that is taken away" },
  ),
  temperature: numberIn(
    { least: 0, above: true },
    { flag: '--temperature <x>', help: 'divisor of the logits in the divergence' },
  ),
};

/** Facts about ProGrad. */
export const PROGRAD: LearnerFacts<typeof FIELDS> = {
  name: 'prograd',
  title: 'ProGrad',
  space: 'texts',
  learns: "a few tokens around the class words, never against CLIP's own predictions",
  paper: {
    text: 'Zhu et al., Prompt-aligned Gradient for Prompt Tuning, ICCV 2023',
    url: 'https://arxiv.org/abs/2205.14865',
  },
  fields: FIELDS,
  defaults: {
    ...CONTEXT_DEFAULTS,
    ...{ context: 16, initWords: '', classPosition: 'end', classSpecific: false, epochs: 200, batchSize: 32 },
    ...{ zeroShotTemplate: 'a photo of a {}.', lambda: 1, temperature: 1 },
  },
  sources: {
    ...CONTEXT_SOURCES,
    context: 'as in CoOp',
    initWords: 'as in CoOp; the published code begins the last tokens as hand-written words and the others as zeros',
    epochs: 'as in CoOp',
    batchSize: 'configs/trainers/ProGrad of the published code',
    lambda: 'scripts/prograd.sh of the published code',
    temperature: 'configs/trainers/ProGrad of the published code',
    zeroShotTemplate: 'the published code has templates for each data set; this is one of them',
  },
  parameters: contextSize,
};
