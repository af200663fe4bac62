/**
 * VPT: learned tokens among the rows of the image tower, behind the class token x and before the patches E. Those of a layer are replaced by the next
 * layer's own (deep), or go through all layers (shallow, `depth` 1):
 *
 *     [x_i, _, E_i] = layer_i([x_(i-1), P_(i-1), E_(i-1)])
 *
 * The texts are those of CLIP without training.
 */
import { numberIn } from '../../ptdpc/options.js';
import type { LearnerFacts } from '../learner.js';
import { CONTEXT_SOURCES, GUIDE_FIELDS } from '../prompts/context.js';
import { IMAGE_DEFAULTS, IMAGE_FIELDS } from './fields.js';

const FIELDS = {
  tokens: numberIn({ least: 1, whole: true }, { flag: '--tokens <n>', help: 'learned tokens in a layer' }),
  ...IMAGE_FIELDS,
  ...GUIDE_FIELDS,
};

/** Facts about VPT. */
export const VPT: LearnerFacts<typeof FIELDS> = {
  name: 'vpt',
  title: 'VPT',
  space: 'images',
  learns: 'a few tokens beside the patches of an image, in the first layers of the image tower or all',
  paper: {
    text: 'Jia et al., Visual Prompt Tuning, ECCV 2022',
    url: 'https://arxiv.org/abs/2203.12119',
  },
  fields: FIELDS,
  defaults: {
    ...IMAGE_DEFAULTS,
    ...{ tokens: 8, depth: 12, learningRate: 0.0025, zeroShotTemplate: 'a photo of a {}.' },
  },
  sources: {
    ...CONTEXT_SOURCES,
    tokens: "configs/trainers/VPT of MaPLe's published code; the paper searches 1 to 200 for each task",
    depth: "the paper's VPT-deep: all layers, of which ViT-B has 12; a model with fewer has fewer",
    learningRate: "configs/trainers/VPT of MaPLe's published code; the paper searches it for each task",
    epochs: "configs/trainers/VPT of MaPLe's published code; 100 in the paper",
    batchSize: "configs/trainers/VPT of MaPLe's published code; 64 or 128 in the paper",
    zeroShotTemplate: "the prompt of MaPLe's comparison; the paper has no texts",
  },
  parameters: ({ vision }, { tokens, depth }) => depth * tokens * vision,
};
