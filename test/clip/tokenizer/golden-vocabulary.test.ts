/**
 * The tokenizer against CLIP's own vocabulary and the original implementation's ids. The vocabulary comes with a checkpoint
 * and is not in the repository: where it is not found, the one test here says so in its name.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ClipTokenizer } from '../../../src/clip/tokenizer/index.js';

const beside = (name: string) => fileURLToPath(new URL(`../../../../shared/golden/${name}`, import.meta.url));
const vocabulary = process.env.PTDPC_CLIP_VOCAB ?? beside('bpe_simple_vocab_16e6.txt.gz');
const casesFile = process.env.PTDPC_CLIP_CASES ?? beside('tokenizer_cases.json');

/** Ids that the original gives, for a run with the vocabulary but without a file of cases. */
const KNOWN = [
  { text: 'a photo seems to express a feeling of', ids: [320, 1125, 4453, 531, 5642, 320, 3045, 539] },
  { text: 'contentment', ids: [15526, 777] },
  {
    text: "I'll they're we've I'm he'd it's don't",
    ids: [328, 1342, 889, 982, 649, 1200, 328, 880, 797, 1896, 585, 568, 847, 713],
  },
  { text: '<|startoftext|>hello<|endoftext|>', ids: [49406, 3306, 49407] },
];

describe("CLIP's own vocabulary", () => {
  if (!existsSync(vocabulary)) {
    const title = 'NOT RUN: set PTDPC_CLIP_VOCAB to bpe_simple_vocab_16e6.txt.gz or merges.txt';
    console.warn(`CLIP's own vocabulary: ${title}`);
    it.skip(title, () => {});
    return;
  }
  it('gives the original ids for every golden case', () => {
    const tokenizer = ClipTokenizer.fromVocabularyFile(readFileSync(vocabulary), vocabulary);
    const cases = existsSync(casesFile) ? (JSON.parse(readFileSync(casesFile, 'utf8')) as typeof KNOWN) : [];
    expect([tokenizer.vocabularySize, tokenizer.sot, tokenizer.eot]).toEqual([49408, 49406, 49407]);
    for (const { text, ids } of [...KNOWN, ...cases]) expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
  });
});
