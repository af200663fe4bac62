/**
 * CoOp: M learned tokens v around the word of each class, the same for all classes or each class's own,
 *
 *     text i = tower([SOT] v_1 ... v_M [class words i] . [EOT])
 *     loss   = cross-entropy of exp(logitScale) cos(f, text i)
 */
import type { LearnerFacts } from '../learner.js';
import { CONTEXT_DEFAULTS, CONTEXT_FIELDS, CONTEXT_SOURCES, contextSize, PLACE_FIELDS } from './context.js';

const FIELDS = { ...CONTEXT_FIELDS, ...PLACE_FIELDS };

/** Facts about CoOp. */
export const COOP: LearnerFacts<typeof FIELDS> = {
  name: 'coop',
  title: 'CoOp',
  space: 'texts',
  learns: 'a few tokens around the class words, shared by all classes or one set for each',
  paper: {
    text: 'Zhou et al., Learning to Prompt for Vision-Language Models, IJCV 2022',
    url: 'https://arxiv.org/abs/2109.01134',
  },
  fields: FIELDS,
  defaults: {
    ...CONTEXT_DEFAULTS,
    ...{ context: 16, initWords: '', classPosition: 'end', classSpecific: false, epochs: 200, batchSize: 32 },
  },
  sources: {
    ...CONTEXT_SOURCES,
    context: 'training details of the paper',
    initWords: 'training details of the paper, and trainers/coop.py of the published code',
    epochs: 'training details of the paper: 200 for 16 and 8 shots, 100 for 4 and 2, 50 for 1',
    batchSize: 'configs/trainers/CoOp of the published code',
    classPosition: 'one of the two positions of the paper',
    classSpecific: 'the unified context of the paper',
  },
  parameters: contextSize,
};
