/**
 * The tokenizer against CLIP's own vocabulary and the original implementation's ids. The vocabulary is third-party data that
 * comes with a checkpoint, so it is not in the repository: PTDPC_CLIP_VOCAB names the file (bpe_simple_vocab_16e6.txt.gz
 * or merges.txt) where there is one. Without it the other suites still test the algorithm, on a vocabulary of our own.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ClipTokenizer } from '../../../src/clip/tokenizer/index.js';
import { fixture } from '../../support/tiny-clip.js';

const cases = JSON.parse(readFileSync(fixture('tokenizer/golden-cases.json'), 'utf8')) as {
  text: string;
  ids: number[];
}[];
const vocabulary = process.env.PTDPC_CLIP_VOCAB;

describe('golden cases', () => {
  it('lie within the vocabulary of CLIP', () => {
    expect(cases.length).toBeGreaterThan(300);
    expect(cases.flatMap(({ ids }) => ids).every((id) => id >= 0 && id < 49_408)).toBe(true);
  });

  if (vocabulary) {
    it("have the original's ids", () => {
      const tokenizer = ClipTokenizer.fromVocabularyFile(readFileSync(vocabulary), vocabulary);
      expect([tokenizer.vocabularySize, tokenizer.sot, tokenizer.eot]).toEqual([49_408, 49_406, 49_407]);
      for (const { text, ids } of cases) expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
    });
  }
});
