/** Words and numbers as the page writes them. */

import type { VocabularyWord } from '../../src/ptdpc/index.js';
import { counted } from '../../src/report/format.js';
import type { PromptsReport } from '../protocol.js';

export { percent, shortest, whole } from '../../src/report/format.js';
export { counted };

/** A token of the vocabulary as people read it: `joy`, or `jo-` where a word goes on; the paper's name for start and end of text. */
export function wordOf({ text, kind }: Pick<VocabularyWord, 'text' | 'kind'>): string {
  if (kind === 'special') return text.includes('start') ? '[SOT]' : '[EOT]';
  return kind === 'fragment' ? `${text}-` : text;
}

/** `demonstration: official, both, initial noise 1, 25 epochs`. */
export function promptsTitle({ label, options: { preset, mode, initNoise }, epochs }: PromptsReport): string {
  const noise = initNoise === 0 ? [] : [`initial noise ${initNoise}`];
  return `${label}: ${[preset, mode, ...noise, counted(epochs, 'epoch')].join(', ')}`;
}
