import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cleanText, unescapeHtml } from '../../../src/clip/tokenizer/clean-text.js';
import { splitWords } from '../../../src/clip/tokenizer/clip-tokenizer.js';

const unescapeCases = JSON.parse(
  readFileSync(new URL('../../fixtures/tokenizer/unescape.json', import.meta.url), 'utf8'),
) as [string, string][];

describe('unescapeHtml', () => {
  it('agrees with html.unescape on all 2,231 names, numeric references and malformed ones', () => {
    expect(unescapeCases.length).toBeGreaterThan(2231);
    for (const [text, expected] of unescapeCases) expect(unescapeHtml(text), JSON.stringify(text)).toBe(expected);
  });
});

describe('cleanText', () => {
  it.each([
    ['&amp;amp;lt;b', '&lt;b'],
    ['  Two\t\r\n\u00a0\u3000Words\u2028 ', 'two words'],
    ['\x1cA\x1cB\x1f', 'a\x1cb'],
    ['\ufeffA', '\ufeffa'],
    ['ΟΔΟΣ', 'οδος'],
    ['İ', 'i̇'],
    ['', ''],
    [' \n ', ''],
  ])('%j becomes %j', (text, expected) => expect(cleanText(text)).toBe(expected));
});

describe('splitWords', () => {
  it.each([
    ["i'll they're don't", ['i', "'ll", 'they', "'re", 'don', "'t"]],
    ['2022 1st', ['2', '0', '2', '2', '1', 'st']],
    ['a<|endoftext|>b', ['a', '<|endoftext|>', 'b']],
    ['snake_case!?', ['snake', '_', 'case', '!?']],
    ['a\u0345b', ['a', 'b']],
    ["it'ſ", ['it', "'ſ"]],
    ['   ', []],
  ])('%j', (text, expected) => expect(splitWords(text)).toEqual(expected));
});
