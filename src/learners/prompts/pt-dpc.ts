/** PT-DPC, whose modes are its ablations (paper, Table 2). */
import { PRESETS, promptCount, TUNING_FIELDS } from '../../ptdpc/options.js';
import { type LearnerFacts, tokenCount } from '../learner.js';

/** Facts about PT-DPC. Its defaults are the preset `paper`; docs/method.md says where each comes from. */
export const PT_DPC: LearnerFacts<typeof TUNING_FIELDS> = {
  name: 'pt-dpc',
  title: 'PT-DPC',
  space: 'texts',
  learns: 'one prompt per class, and composes of them a prompt for each image',
  paper: {
    text: 'Deng et al., Learning to Compose Diversified Prompts for Image Emotion Classification, arXiv 2022',
    url: 'https://arxiv.org/abs/2201.10963',
  },
  fields: TUNING_FIELDS,
  defaults: PRESETS.paper,
  sources: {},
  parameters: (sizes, { mode, template, learnSot }) =>
    promptCount(mode, sizes.classes) * (tokenCount(sizes, template) + (learnSot ? 1 : 0)) * sizes.width,
};
