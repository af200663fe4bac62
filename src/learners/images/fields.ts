/** The options that the learners of the image tower share. */
import { numberIn } from '../../ptdpc/options.js';
import { CONTEXT_DEFAULTS, CONTEXT_FIELDS } from '../prompts/context.js';

const { context: _, initWords: __, loss: ___, ...training } = CONTEXT_FIELDS;
const { loss: ____, ...defaults } = CONTEXT_DEFAULTS;

/** Depth and training. */
export const IMAGE_FIELDS = {
  depth: numberIn(
    { least: 1, whole: true },
    { flag: '--depth <n>', help: 'layers with learned tokens of their own: 1 for the input alone' },
  ),
  ...training,
};

/** The training of MaPLe's published code: that of CoOp's, shorter and by smaller steps. */
export const IMAGE_DEFAULTS = { ...defaults, epochs: 5, batchSize: 4 } as const;
