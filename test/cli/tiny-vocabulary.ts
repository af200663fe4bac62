/** A vocabulary that fits the golden models' 1,000 tokens: the first 486 merges of the tokenizer tests'. */
import { readFileSync } from 'node:fs';
import { ClipTokenizer } from '../../src/clip/tokenizer/index.js';
import { fixture } from './program.js';

export const tinyVocabulary = readFileSync(fixture('tokenizer/merges.txt'), 'utf8')
  .split('\n')
  .slice(0, 487)
  .join('\n');

/** The ids of its tokens, as Hugging Face's folders have them beside it. */
export const tinyVocabJson = ClipTokenizer.fromMerges(tinyVocabulary, 'merges.txt').vocabJson();
