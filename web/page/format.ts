/** Words and numbers as the page writes them. */

import { CONTEXT_LEARNERS, isPtDpc, type PromptOptions, promptSetup } from '../../src/learners/prompts/index.js';
import type { Mode, VocabularyWord } from '../../src/ptdpc/index.js';
import { counted } from '../../src/report/format.js';
import type { PromptsReport } from '../protocol.js';

export { percent, points, shortest, whole } from '../../src/report/format.js';
export { counted };

/** A token of the vocabulary as text: `joy`, or `jo-` for a part of a word; the paper's name for start and end of text. */
export function wordOf({ text, kind }: Pick<VocabularyWord, 'text' | 'kind'>): string {
  if (kind === 'special') return text.includes('start') ? '[SOT]' : '[EOT]';
  return kind === 'fragment' ? `${text}-` : text;
}

/** `official, both, noise 1`: what tells tunings apart; of another learner than PT-DPC its name, and what its tokens begin as. */
export function tuningTitle(options: PromptOptions): string {
  if (!isPtDpc(options)) {
    const { context } = promptSetup(options).layout;
    return `${titleOfLearner(options)}, ${typeof context === 'number' ? counted(context, 'token') : `“${context}”`}`;
  }
  const { preset, mode, initNoise } = options;
  return [preset, mode, ...(initNoise > 0 ? [`noise ${initNoise}`] : [])].join(', ');
}

/** PT-DPC, CoOp. */
export function titleOfLearner(options: PromptOptions): string {
  return isPtDpc(options) ? 'PT-DPC' : CONTEXT_LEARNERS[options.learner].title;
}

/** Whether a network shifts the learned tokens by the picture. */
export function isShifted(options: PromptOptions): boolean {
  return promptSetup(options).model.metaNet !== undefined;
}

/** What a choice of prompts means, for those who do not know the words of its title. */
export function promptsMeaning({ options }: Pick<PromptsReport, 'options'>): string {
  const { mode } = promptSetup(options).model;
  const whose = isShifted(options) ? 'one prompt for all classes, shifted by a network for each picture' : WHOSE[mode];
  if (!isPtDpc(options)) return `Learned by ${titleOfLearner(options)}: ${whose}.`;
  const settings = { paper: 'as in the paper', official: 'as in the authors’ code' }[options.preset];
  const noise = options.initNoise > 0 ? ' Noise: random numbers added at the start, so that classes can differ.' : '';
  return `Learned ${settings}: ${whose}.${noise}`;
}

const WHOSE: Readonly<Record<Mode, string>> = {
  both: 'a prompt for each class, mixed anew for each picture',
  cs: 'a prompt for each class, whatever the picture',
  is: 'one prompt for all classes, weighted anew for each picture',
  none: 'one prompt for all classes and pictures',
};

/** `official, both, 25 epochs (demo)`. */
export function promptsTitle({ label, options, epochs }: PromptsReport): string {
  return `${tuningTitle(options)}, ${counted(epochs, 'epoch')} (${label})`;
}
