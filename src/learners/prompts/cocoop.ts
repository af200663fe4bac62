/**
 * CoCoOp: to each of CoOp's tokens it adds what a small network makes of the image's feature f (src/ptdpc/meta-net.ts),
 *
 *     v_m(f) = v_m + W2 relu(W1 f + b1) + b2
 *
 * so that every image has its own texts.
 */
import { numberIn } from '../../ptdpc/options.js';
import type { LearnerFacts } from '../learner.js';
import { CONTEXT_DEFAULTS, CONTEXT_FIELDS, CONTEXT_SOURCES, contextSize } from './context.js';

const FIELDS = {
  ...CONTEXT_FIELDS,
  reduction: numberIn(
    { least: 1, whole: true },
    { flag: '--reduction <n>', help: "width of an image's feature divided by that of the network's hidden layer" },
  ),
};

/** Facts about CoCoOp. */
export const COCOOP: LearnerFacts<typeof FIELDS> = {
  name: 'cocoop',
  title: 'CoCoOp',
  space: 'texts',
  learns: 'a few tokens before the class words, and a network that shifts them for each image',
  paper: {
    text: 'Zhou et al., Conditional Prompt Learning for Vision-Language Models, CVPR 2022',
    url: 'https://arxiv.org/abs/2203.05557',
  },
  fields: FIELDS,
  defaults: {
    ...CONTEXT_DEFAULTS,
    ...{ context: 4, initWords: 'a photo of a', reduction: 16, epochs: 10, batchSize: 1 },
  },
  sources: {
    ...CONTEXT_SOURCES,
    initWords: 'section 4',
    reduction: 'section 3.2',
    epochs: 'section 4',
    batchSize: 'section 4: because of its memory; here any fits, and a step of one image remains the default',
  },
  parameters: (sizes, options) => {
    const { joint, width } = sizes;
    const hidden = metaNetWidth(joint, options.reduction);
    return contextSize(sizes, options) + hidden * (joint + 1) + width * (hidden + 1);
  },
};

/** The parameters of the network in their order, by their names in files, which are those of the published code. */
export const META_NET = [
  'meta_net.linear1.weight',
  'meta_net.linear1.bias',
  'meta_net.linear2.weight',
  'meta_net.linear2.bias',
] as const;

/** Width of the network's hidden layer. */
export function metaNetWidth(joint: number, reduction: number): number {
  return Math.max(1, Math.floor(joint / reduction));
}
