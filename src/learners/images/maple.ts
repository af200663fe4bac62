/**
 * MaPLe: learned tokens P_i at the input of each of the first `depth` layers of the text tower, and of the image tower those that a learned linear
 * layer F_i makes of them,
 *
 *     V_i = F_i(P_i)
 *
 * so that both towers are prompted by the same numbers. In the text, P_1 stands for its first words; among the rows of an image, V_i comes last.
 */
import { numberIn } from '../../ptdpc/options.js';
import type { LearnerFacts } from '../learner.js';
import { CONTEXT_FIELDS, CONTEXT_SOURCES } from '../prompts/context.js';
import { IMAGE_DEFAULTS, IMAGE_FIELDS } from './fields.js';

const FIELDS = {
  context: numberIn(
    { least: 1, whole: true },
    { flag: '--context <n>', help: 'learned tokens: the first of --init-words, or noise' },
  ),
  initWords: CONTEXT_FIELDS.initWords,
  ...IMAGE_FIELDS,
};

/** Facts about MaPLe. */
export const MAPLE: LearnerFacts<typeof FIELDS> = {
  name: 'maple',
  title: 'MaPLe',
  space: 'images',
  learns:
    'a few tokens in the first layers of the text tower, and linear layers that make tokens of the image tower of them',
  paper: {
    text: 'Khattak et al., MaPLe: Multi-modal Prompt Learning, CVPR 2023',
    url: 'https://arxiv.org/abs/2210.03117',
  },
  fields: FIELDS,
  defaults: {
    ...IMAGE_DEFAULTS,
    ...{ context: 2, initWords: 'a photo of a', depth: 9, learningRate: 0.0035 },
  },
  sources: {
    ...CONTEXT_SOURCES,
    context: 'implementation details of the paper',
    initWords:
      'implementation details of the paper: the first words are learned, the others stay before the class word',
    depth: 'implementation details of the paper; a model with fewer layers has fewer',
    learningRate: 'implementation details of the paper',
    epochs: 'implementation details of the paper',
    batchSize: 'implementation details of the paper',
  },
  parameters: ({ width, vision }, { context, depth }) => depth * (context * width + vision * (width + 1)),
};
