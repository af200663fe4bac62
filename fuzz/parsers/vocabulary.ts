/** Vocabularies, plain and gzip-compressed, and the texts that are tokenized with them. */
import { gzipSync } from 'fflate';
import { ClipTokenizer } from '../../src/clip/tokenizer/index.js';
import { type FuzzedParser, fixture, MiB, maybeDamaged, utf8 } from '../parser.js';
import type { Random } from '../random.js';
import { damagedJson } from './json.js';

const LINES = new TextDecoder().decode(fixture('tokenizer/merges.txt')).split('\n').slice(0, 120);
const ODD_LINES = [
  '',
  ' ',
  'a',
  'a b c',
  'zz zz',
  'a</w> b',
  '\r',
  '#version: 9',
  'é è',
  'a  b',
  '\0 \0',
  'x'.repeat(5000),
];

/** A list of merges with lines lost, doubled, moved or replaced. */
function merges(random: Random): string {
  const lines = [...LINES.slice(0, 1 + random.below(LINES.length))];
  for (let changes = random.below(4); changes > 0; changes--) {
    const at = random.below(lines.length);
    const line = random.oneIn(2) ? random.pick(ODD_LINES) : random.pick(LINES);
    lines.splice(at, random.below(2), ...Array<string>(random.oneIn(5) ? 1000 : 1).fill(line));
  }
  return lines.join(random.oneIn(10) ? '\r\n' : '\n');
}

const TEXTS = [
  'a photo of joy',
  '&amp;amp;&lt;&#x1F600;',
  "it's 12 o'clock",
  '<|endoftext|> <|startoftext|>',
  'naïve 日本 😀',
];
const PIECES = [
  '&',
  '&#',
  '&#x',
  ';',
  'amp',
  '999999999999',
  '\0',
  '\u2028',
  '\ud800',
  'İ',
  'ſ',
  '\u0345',
  ' ',
  '<|',
  "'",
  'e',
];

function words(random: Random): string {
  const pieces = Array.from({ length: random.below(30) }, () => random.pick(random.oneIn(3) ? TEXTS : PIECES));
  return random.oneIn(30) ? random.pick(PIECES).repeat(random.below(30_000)) : pieces.join('');
}

const tokenizer = ClipTokenizer.fromMerges(LINES.join('\n'), 'merges.txt');

/** As the library tokenizers saves it. */
const TOKENIZER_JSON = JSON.stringify({
  added_tokens: [{ id: tokenizer.eot, content: '<|endoftext|>', special: true }],
  model: {
    type: 'BPE',
    end_of_word_suffix: '</w>',
    vocab: JSON.parse(tokenizer.vocabJson()),
    merges: tokenizer.mergesText().trimEnd().split('\n').slice(1),
  },
});

export const vocabulary: FuzzedParser = {
  name: 'vocabulary',
  what: 'merges.txt, tokenizer.json and bpe_simple_vocab_16e6.txt.gz',
  make(random) {
    if (random.oneIn(4)) return damagedJson(TOKENIZER_JSON, random);
    const text = utf8(merges(random));
    if (random.oneIn(2)) return maybeDamaged(text, random);
    const options = {
      mtime: 0,
      ...(random.oneIn(2) && { filename: 'vocabulary' }),
      level: random.pick([0, 6] as const),
    };
    const packed = gzipSync(random.oneIn(20) ? new Uint8Array(5 * MiB) : text, options);
    return maybeDamaged(packed, random);
  },
  async read(input) {
    const tokenizer = ClipTokenizer.fromVocabularyFile(input, 'merges.txt');
    for (const text of TEXTS) tokenizer.decode(tokenizer.encode(text));
    tokenizer.vocabJson();
    ClipTokenizer.fromMerges(tokenizer.mergesText(), 'written merges.txt');
  },
  names: 'merges.txt',
  // At most 16 MiB of text come out of a compressed file, and a line of it becomes a few strings.
  memory: (length) => 64 * MiB + 64 * length,
};

export const text: FuzzedParser = {
  name: 'text',
  what: 'texts: cleaned, split and encoded',
  make: (random) => maybeDamaged(utf8(words(random)), random),
  async read(input) {
    const ids = tokenizer.encode(new TextDecoder().decode(input));
    // What was decoded encodes to itself: nothing is lost after the first cleaning.
    const once = tokenizer.decode(ids);
    if (ids.some((id) => !(id >= 0 && id < tokenizer.vocabularySize))) throw new Error(`ids out of range: ${ids}`);
    if (typeof once !== 'string') throw new Error('no text');
  },
  names: 'text ',
  memory: (length) => 16 * MiB + 256 * length,
};
