/**
 * KgCoOp: CoOp's shared tokens, and a penalty on the distance of the classes' text features t from those of hand-written prompts z,
 *
 *     loss = cross-entropy + weight mean over i of (1 - cos(t_i, z_i))
 */
import { numberIn } from '../../ptdpc/options.js';
import type { LearnerFacts } from '../learner.js';
import { CONTEXT_DEFAULTS, CONTEXT_FIELDS, CONTEXT_SOURCES, contextSize, GUIDE_FIELDS } from './context.js';

const FIELDS = {
  ...CONTEXT_FIELDS,
  ...GUIDE_FIELDS,
  guideWeight: numberIn(
    { least: 0 },
    { flag: '--guide-weight <x>', help: "factor of the distance from the hand-written prompts' text features" },
  ),
};

/** Facts about KgCoOp. */
export const KGCOOP: LearnerFacts<typeof FIELDS> = {
  name: 'kgcoop',
  title: 'KgCoOp',
  space: 'texts',
  learns: "a few tokens before the class words, held near hand-written prompts' features",
  paper: {
    text: 'Yao, Zhang and Xu, Visual-Language Prompt Tuning with Knowledge-guided Context Optimization, CVPR 2023',
    url: 'https://arxiv.org/abs/2303.13283',
  },
  fields: FIELDS,
  defaults: {
    ...CONTEXT_DEFAULTS,
    ...{ context: 4, initWords: 'a photo of a', zeroShotTemplate: 'a photo of a {}.', guideWeight: 8 },
    ...{ epochs: 100, batchSize: 128 },
  },
  sources: {
    ...CONTEXT_SOURCES,
    initWords: 'trainers/kgcoop.py of the published code',
    guideWeight: "the paper's lambda",
    zeroShotTemplate: 'the published code has a template for each data set; this is that of ImageNet',
    epochs: 'configs/trainers/KgCoOp/vit_b16_ep100_ctxv1.yaml of the published code',
    batchSize: 'configs/trainers/KgCoOp/vit_b16_ep100_ctxv1.yaml of the published code',
  },
  parameters: contextSize,
};
