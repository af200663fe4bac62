/** Words and numbers as the page writes them. */
import type { VocabularyWord } from '../../src/ptdpc/index.js';
import type { PromptsReport } from '../protocol.js';

export { counted, percent, shortest, whole } from '../../src/report/format.js';

/** A token of the vocabulary as people read it: `joy`, or `jo-` where a word goes on; the paper's name for start and end of text. */
export function wordOf({ text, kind }: Pick<VocabularyWord, 'text' | 'kind'>): string {
  if (kind === 'special') return text.includes('start') ? '[SOT]' : '[EOT]';
  return kind === 'fragment' ? `${text}-` : text;
}

/** `demonstration: official, both, 25 epochs`. */
export function promptsTitle({ label, options, epochs }: PromptsReport): string {
  return `${label}: ${options.preset}, ${options.mode}, ${epochs} epoch${epochs === 1 ? '' : 's'}`;
}
