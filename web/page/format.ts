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

/** `official, both, 25 epochs (demonstration)`. */
export function promptsTitle({ label, options, epochs }: PromptsReport): string {
  return `${tuningTitle(options)}, ${counted(epochs, 'epoch')} (${label})`;
}
