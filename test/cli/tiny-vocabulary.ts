/** A vocabulary that fits the golden models' 1,000 tokens: the first 486 merges of the tokenizer tests'. */
import { readFileSync } from 'node:fs';
import { fixture } from './program.js';

export const tinyVocabulary = readFileSync(fixture('tokenizer/merges.txt'), 'utf8')
  .split('\n')
  .slice(0, 487)
  .join('\n');
