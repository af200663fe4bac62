import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { byteSymbols } from '../../../src/clip/tokenizer/byte-pair-encoder.js';
import { ClipTokenizer, type ClipTokenizerOptions } from '../../../src/clip/tokenizer/index.js';
import { InputError } from '../../../src/errors.js';

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/tokenizer/${name}`, import.meta.url));
const cases = JSON.parse(fixture('expected.json').toString()) as { text: string; ids: number[] }[];
const mergesText = fixture('merges.txt').toString();
const tokenizer = ClipTokenizer.fromMerges(mergesText, 'merges.txt');

describe('ClipTokenizer', () => {
  it('gives the ids of the reference implementation for every case', () => {
    expect(cases.length).toBeGreaterThan(350);
    for (const { text, ids } of cases) expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
  });

  it('gives the same ids again from its word cache', () => {
    for (const { text, ids } of cases) expect(tokenizer.encode(text)).toEqual(ids);
  });

  it('numbers bytes, merges, SOT and EOT in that order', () => {
    expect(tokenizer.vocabularySize).toBe(512 + 600 + 2);
    expect([tokenizer.sot, tokenizer.eot]).toEqual([1112, 1113]);
    expect(tokenizer.encodeText('', 2)).toEqual([1112, 1113]);
  });

  it('decodes to the cleaned text with a space after each word', () => {
    expect(tokenizer.decode(tokenizer.encode('  A Photo&nbsp;of JOY, naïve 日本 😀!'))).toBe(
      'a photo of joy , naïve 日本 😀! ',
    );
    expect(tokenizer.decode(tokenizer.encodeText('joy', 77))).toBe('<|startoftext|>joy <|endoftext|>');
    expect(tokenizer.decode(tokenizer.encode('日').slice(0, 1))).toContain('\ufffd');
  });

  it('encodes what it decoded to the same ids', () => {
    for (const { ids } of cases) {
      const again = tokenizer.encode(tokenizer.decode(ids));
      expect(tokenizer.decode(again)).toBe(tokenizer.decode(ids));
    }
  });

  it('refuses a text that is longer than the context, and never cuts it', () => {
    const text = 'a photo of joy';
    const length = tokenizer.encode(text).length + 2;
    expect(tokenizer.encodeText(text, length)).toHaveLength(length);
    expect(() => tokenizer.encodeText(text, length - 1)).toThrow(InputError);
    expect(() => tokenizer.encodeText(text, length - 1)).toThrow(
      `text "a photo of joy": expected at most ${length - 1} tokens with start and end, found ${length}`,
    );
  });

  it('writes vocab.json and merges.txt that describe the same tokenizer', () => {
    expect(tokenizer.mergesText()).toBe(mergesText);
    const vocabulary = JSON.parse(tokenizer.vocabJson()) as Record<string, number>;
    expect(Object.values(vocabulary).sort((a, b) => a - b)).toEqual(Array.from({ length: 1114 }, (_, id) => id));
    expect(vocabulary['!']).toBe(0);
    expect(vocabulary['!</w>']).toBe(256);
    expect(vocabulary['<|startoftext|>']).toBe(1112);
    expect(vocabulary['<|endoftext|>']).toBe(1113);
    expect([vocabulary['photo</w>']]).toEqual(tokenizer.encode('photo'));
  });

  it('refuses to decode an id outside the vocabulary', () => {
    for (const id of [-1, 1114, 0.5, Number.NaN]) expect(() => tokenizer.decode([id])).toThrow(InputError);
  });

  it('stays quick on long hostile texts and refuses longer ones', () => {
    const started = performance.now();
    const letters = Array.from({ length: 65_536 }, (_, i) =>
      String.fromCharCode(97 + ((Math.imul(i, 2654435761) >>> 8) % 26)),
    );
    for (const text of [letters.join(''), 'a'.repeat(65_536), `${' '.repeat(65_535)}a`, '&'.repeat(65_536)])
      tokenizer.encode(text);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(() => tokenizer.encode('a'.repeat(65_537))).toThrow(InputError);
  });
});

describe('vocabulary sizes', () => {
  it('has only bytes, SOT and EOT without a vocabulary', () => {
    const bytes = ClipTokenizer.bytesOnly();
    expect(bytes.vocabularySize).toBe(514);
    expect(bytes.encodeText('aé', 77)).toEqual([512, 64, 127, 358, 513]);
    expect(bytes.decode(bytes.encode('aé'))).toBe('aé ');
  });

  it('has SOT and EOT after the merges, whatever rows the table has beyond', () => {
    const bytes = ClipTokenizer.bytesOnly({ vocabularySize: 1000 });
    expect(bytes.encodeText('a', 77)).toEqual([512, 320, 513]);
    expect(() => bytes.decode([600])).toThrow('token id 600 is not in the vocabulary of 1000');
    const padded = ClipTokenizer.fromMerges(mergesText, 'merges.txt', { vocabularySize: 2000 });
    expect([padded.sot, padded.eot]).toEqual([1112, 1113]);
    expect(padded.encodeText('joy', 77)).toEqual(tokenizer.encodeText('joy', 77));
  });

  /** As vocab.json has it, with start and end where they are asked for. */
  const idsJson = (sot: number, eot: number) => {
    const ids = JSON.parse(tokenizer.vocabJson()) as Record<string, number>;
    return JSON.stringify({ ...ids, '<|startoftext|>': sot, '<|endoftext|>': eot });
  };

  it('takes the ids of SOT and EOT from vocab.json', () => {
    const options = { vocabularySize: 2000, vocabJson: idsJson(1998, 1999) };
    const { sot, eot } = ClipTokenizer.fromMerges(mergesText, 'm/merges.txt', options);
    expect([sot, eot]).toEqual([1998, 1999]);
  });

  it('refuses ids that do not agree', () => {
    const refused = (options: ClipTokenizerOptions, message: string) =>
      expect(() => ClipTokenizer.fromMerges(mergesText, 'm/merges.txt', options)).toThrow(message);
    refused(
      { vocabularySize: 2000, eot: 1999 },
      "m/merges.txt: <|endoftext|> is 1113, the model's configuration says 1999 (bos_token_id, eos_token_id)",
    );
    refused({ sot: 49_406 }, "m/merges.txt: <|startoftext|> is 1112, the model's configuration says 49406");
    refused(
      { vocabularySize: 1500, vocabJson: idsJson(1998, 1999) },
      "m/vocab.json: <|startoftext|> is 1998, but the model's table has 1500 rows",
    );
    refused({ vocabJson: '{"!": 1}' }, 'm/vocab.json: token "!" should have id 0 according to the merges; found 1');
    refused({ vocabJson: idsJson(5, 1113) }, 'm/vocab.json: <|startoftext|> should have an id from 1112 on, found 5');
    refused({ vocabJson: '[]' }, 'm/vocab.json: expected a JSON object');
    expect(ClipTokenizer.fromMerges(mergesText, 'm', { sot: 1112, eot: 1113 }).eot).toBe(1113);
  });

  it('refuses sizes that do not fit', () => {
    for (const vocabularySize of [0, 513, 514.5, -1, Number.NaN, 1e9]) {
      expect(() => ClipTokenizer.bytesOnly({ vocabularySize })).toThrow(InputError);
    }
    expect(() => ClipTokenizer.fromMerges(mergesText, 'm.txt', { vocabularySize: 1000 })).toThrow(
      'm.txt: expected at most 486 merges for a vocabulary of 1000 tokens, found 600',
    );
  });
});

describe('vocabulary files', () => {
  it('reads gzip and plain text alike, with or without a version line, with either line end', () => {
    const plain = new TextEncoder().encode(mergesText);
    const bare = mergesText.slice(mergesText.indexOf('\n') + 1);
    for (const bytes of [
      plain,
      gzipSync(plain),
      new TextEncoder().encode(bare),
      new TextEncoder().encode(bare.replaceAll('\n', '\r\n')),
    ]) {
      expect(ClipTokenizer.fromVocabularyFile(bytes, 'v').mergesText()).toBe(mergesText);
    }
  });

  it('takes only the merges that the vocabulary has ids for from a list in the OpenAI layout', () => {
    const text = `"bpe_simple_vocab_16e6.txt#version: 0.2\n${mergesText.slice(mergesText.indexOf('\n') + 1)}`;
    expect(ClipTokenizer.fromMerges(text, 'v').vocabularySize).toBe(1114);
    const small = ClipTokenizer.fromMerges(text, 'v', { vocabularySize: 1000 });
    expect([small.sot, small.mergesText().split('\n').length]).toEqual([998, 486 + 2]);
    // OpenAI's list goes on beyond the merges that CLIP uses: a table with more rows does not use more of them.
    const many = [...Array(223).keys()].flatMap((i) => byteSymbols.map((right) => `${byteSymbols[i]} ${right}`));
    const long = ['"bpe_simple_vocab_16e6.txt#version: 0.2', ...many].join('\n');
    expect(ClipTokenizer.fromMerges(long, 'v', { vocabularySize: 49_416 }).eot).toBe(49_407);
  });

  /** As the library tokenizers writes it, merges as text or as pairs. */
  const tokenizerJson = (pairs: boolean, changed: object = {}) => {
    const merges = mergesText.trimEnd().split('\n').slice(1);
    const { '<|startoftext|>': sot, '<|endoftext|>': eot, ...vocab } = JSON.parse(tokenizer.vocabJson());
    const added = [
      { id: sot, content: '<|startoftext|>', special: true },
      { id: eot, content: '<|endoftext|>', special: true },
    ];
    const model = {
      type: 'BPE',
      end_of_word_suffix: '</w>',
      vocab,
      merges: pairs ? merges.map((m) => m.split(' ')) : merges,
    };
    return JSON.stringify({ version: '1.0', added_tokens: added, model: { ...model, ...changed } });
  };

  it('reads tokenizer.json, merges as text or as pairs', () => {
    for (const pairs of [false, true]) {
      const bytes = new TextEncoder().encode(tokenizerJson(pairs));
      const read = ClipTokenizer.fromVocabularyFile(bytes, 'tokenizer.json', { vocabularySize: 2000, eot: 1113 });
      expect(read.mergesText()).toBe(mergesText);
      expect(read.encodeText('A photo of joy', 77)).toEqual(tokenizer.encodeText('A photo of joy', 77));
    }
  });

  it('refuses other tokenizers, and a vocab.json in the place of merges', () => {
    const refused = (text: string, message: string) =>
      expect(() => ClipTokenizer.fromMerges(text, 't.json')).toThrow(message);
    refused(tokenizerJson(false, { type: 'Unigram' }), 't.json: expected a byte-pair encoding with "</w>"');
    refused(tokenizerJson(false, { end_of_word_suffix: null }), 'end_of_word_suffix null');
    refused(tokenizerJson(false, { merges: ['a'] }), 't.json: merge 0 should be two symbols, found "a"');
    refused(tokenizerJson(false, { merges: [{ toString: null }] }), 't.json: merge 0 should be two symbols');
    refused(
      tokenizer.vocabJson(),
      't.json: expected merges.txt or a tokenizer.json, found other JSON (a vocab.json has no merges)',
    );
    refused('{', 't.json: not valid JSON');
  });

  it.each([
    ['one symbol', 'a b\nab\n', 'v: line 2: expected two symbols with one space between them, found "ab"'],
    ['three symbols', 'a b c\n', 'v: line 1: expected two symbols'],
    ['two spaces', 'a  b\n', 'v: line 1: expected two symbols'],
    ['an empty line in between', 'a b\n\nc d\n', 'v: line 2: expected two symbols'],
    ['an unknown symbol', 'a b\nabc d\n', 'v: line 2: "abc" is neither a byte nor the result of an earlier merge'],
    ['a merge twice', 'a b\na b\n', 'v: line 2: "ab" is already a token'],
    ['a merge after the end of a word', 'a </w>\n', 'v: line 1: "</w>" is neither'],
    ['a merge that follows an end of word', 'a b</w>\nab</w> c\n', 'v: line 2: "ab</w>" ends a word'],
    ['a web page', '<!DOCTYPE html>\n<html>', 'v: line 1: "<!DOCTYPE" is neither'],
  ])('refuses %s', (_, text, message) => {
    expect(() => ClipTokenizer.fromMerges(text, 'v')).toThrow(InputError);
    expect(() => ClipTokenizer.fromMerges(text, 'v')).toThrow(message);
  });

  it('refuses bytes that are no text, damaged gzip, cut gzip and a gzip bomb', () => {
    const packed = gzipSync(new TextEncoder().encode(mergesText));
    const refused = (bytes: Uint8Array, message: string) => {
      expect(() => ClipTokenizer.fromVocabularyFile(bytes, 'v')).toThrow(
        expect.objectContaining({ name: 'InputError', message: expect.stringContaining(message) }),
      );
    };
    refused(Uint8Array.of(0xff, 0xfe, 0x80), 'v: expected a list of merges as UTF-8 text');
    refused(packed.subarray(0, packed.length >> 1), 'v: ');
    refused(Uint8Array.of(0x1f, 0x8b, 8), 'v: ');
    refused(gzipSync(new Uint8Array(17 << 20)), 'v: expected a vocabulary of at most 16777216 bytes');
  });

  it('never fails on mutated files with anything but an InputError', () => {
    const packed = gzipSync(new TextEncoder().encode(mergesText));
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return (seed >>> 8) % below;
    };
    let refusals = 0;
    for (let round = 0; round < 300; round++) {
      const bytes = Uint8Array.from(round % 2 ? packed : new TextEncoder().encode(mergesText));
      for (let i = 0; i <= random(4); i++) bytes[random(bytes.length)] = random(256);
      try {
        ClipTokenizer.fromVocabularyFile(
          bytes.subarray(0, round % 3 ? bytes.length : random(bytes.length)),
          'v',
        ).encode('a photo');
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        expect((error as Error).message).not.toContain('\n');
        refusals++;
      }
    }
    expect(refusals).toBeGreaterThan(100);
  });
});

it('describes each token: words, fragments, bytes that are no characters, and special ones', () => {
  const described = (text: string) => tokenizer.encode(text).map((id) => tokenizer.describe(id));
  expect(described('a joy')).toEqual([
    { text: 'a', kind: 'word' },
    ...tokenizer.encode('joy').map((id, i, ids) => ({
      text: tokenizer.decode([id]).trim(),
      kind: i === ids.length - 1 ? 'word' : 'fragment',
    })),
  ]);
  const [first] = tokenizer.encode('日');
  expect(tokenizer.describe(first!)).toEqual({ text: '\\xe6\\x97', kind: 'fragment' });
  expect(tokenizer.isReadable(first!)).toBe(false);
  expect([...tokenizer.encode('a joy!'), tokenizer.sot, tokenizer.eot].every((id) => tokenizer.isReadable(id))).toBe(
    true,
  );
  // Of the tokens that are a single byte, those of visible ASCII.
  const bytes = Array.from({ length: 512 }, (_, id) => tokenizer.describe(id)!.text);
  const readable = bytes.filter((_, id) => tokenizer.isReadable(id));
  expect(readable.toSorted()).toEqual(bytes.filter((text) => /^[!-~]$/.test(text)).toSorted());
  expect(new Set(readable).size).toBe(94);
  expect(tokenizer.describe(tokenizer.sot)).toEqual({ text: '<|startoftext|>', kind: 'special' });
  expect(tokenizer.describe(tokenizer.eot)).toEqual({ text: '<|endoftext|>', kind: 'special' });
  const roomy = ClipTokenizer.fromMerges(mergesText, 'merges.txt', { vocabularySize: 2000 });
  expect(roomy.describe(512 + 602)).toBeUndefined();
  expect(roomy.describe(1999)).toBeUndefined();
  expect(roomy.isReadable(1999)).toBe(false);
  expect(roomy.describe(1113)!.kind).toBe('special');
});
