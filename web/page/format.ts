/** Words and numbers as the page writes them. */

import type { TuningOptions, VocabularyWord } from '../../src/ptdpc/index.js';
import { counted } from '../../src/report/format.js';
import type { PromptsReport } from '../protocol.js';

export { percent, points, shortest, whole } from '../../src/report/format.js';
export { counted };

/** A token of the vocabulary as text: `joy`, or `jo-` for a part of a word; the paper's name for start and end of text. */
export function wordOf({ text, kind }: Pick<VocabularyWord, 'text' | 'kind'>): string {
  if (kind === 'special') return text.includes('start') ? '[SOT]' : '[EOT]';
  return kind === 'fragment' ? `${text}-` : text;
}

/** `official, both, noise 1`: what tells tunings apart. */
export function tuningTitle({ preset, mode, initNoise }: TuningOptions): string {
  return [preset, mode, ...(initNoise > 0 ? [`noise ${initNoise}`] : [])].join(', ');
}

/** What a choice of prompts means, for those who do not know the words of its title. */
export function promptsMeaning({ options: { preset, mode, initNoise } }: PromptsReport): string {
  const settings = { paper: 'as in the paper', official: 'as in the authors’ code' }[preset];
  const whose = {
    both: 'a prompt for each class, mixed anew for each picture',
    cs: 'a prompt for each class, whatever the picture',
    is: 'one prompt for all classes, weighted anew for each picture',
    none: 'one prompt for all classes and pictures',
  }[mode];
  const noise = initNoise > 0 ? ' Noise: random numbers added at the start, so that classes can differ.' : '';
  return `Learned ${settings}: ${whose}.${noise}`;
}

/** `official, both, 25 epochs (demo)`. */
export function promptsTitle({ label, options, epochs }: PromptsReport): string {
  return `${tuningTitle(options)}, ${counted(epochs, 'epoch')} (${label})`;
}
