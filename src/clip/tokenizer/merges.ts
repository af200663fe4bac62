/**
 * Reads the merge list of a byte-level BPE vocabulary from either format of CLIP's: Hugging Face's `merges.txt` (an optional
 * `#version` line, then one merge per line) and OpenAI's `bpe_simple_vocab_16e6.txt.gz` (a title line, then far more merges
 * than CLIP uses, of which only the first ones count).
 */
import { Gunzip } from 'fflate';
import { InputError } from '../../errors.js';
import { quoted } from '../checkpoint/quoted.js';
import { BASE_TOKENS, byteSymbols, END_OF_WORD } from './byte-pair-encoder.js';

/** One merge: two neighbouring symbols that become one. Its index in the list is its rank. */
export type Merge = readonly [left: string, right: string];

/** Merges in CLIP's own vocabulary of 49,408 tokens (512 bytes, the merges, two special tokens). */
export const CLIP_MERGES = 48_894;

/** Small enough for a pair of ids to be encoded exactly in one number; CLIP's vocabulary is a tenth of this. */
export const MOST_TOKENS = 1 << 19;

/** OpenAI's list takes 3.1 MB as text. */
const MOST_VOCABULARY_BYTES = 16 << 20;

/** Compressed bytes inflated per step; bounds what a step can allocate for a hostile file (deflate expands up to 1032 to 1). */
const GZIP_STEP = 1 << 14;

/**
 * Parses a merge list and checks that each line is two symbols, both already known, whose concatenation is new. Takes the
 * first 48,894 merges of OpenAI's list, or `limit` if that is less, and all of any other list.
 *
 * @throws InputError naming `fileName` and the line.
 */
export function parseMerges(text: string, fileName: string, limit?: number): Merge[] {
  const lines = text.split('\n');
  const title = lines[0] ?? '';
  const isOpenAi = /^"?bpe_simple_vocab/.test(title);
  const first = isOpenAi || title.startsWith('#version') ? 1 : 0;
  let end = lines.length;
  while (end > first && (lines[end - 1] ?? '').trim() === '') end--;
  if (isOpenAi) end = Math.min(end, first + Math.min(limit ?? CLIP_MERGES, CLIP_MERGES));
  if (end - first > MOST_TOKENS) {
    throw new InputError(`${fileName}: expected at most ${MOST_TOKENS} merges, found ${end - first}`);
  }

  const known = new Set([...byteSymbols, ...byteSymbols.map((symbol) => symbol + END_OF_WORD)]);
  const merges: Merge[] = [];
  for (let index = first; index < end; index++) {
    const line = (lines[index] ?? '').replace(/\r$/, '');
    const where = `${fileName}: line ${index + 1}`;
    const [left, right, ...rest] = line.split(' ');
    if (!left || !right || rest.length > 0) {
      throw new InputError(`${where}: expected two symbols with one space between them, found ${quoted(line)}`);
    }
    for (const symbol of [left, right]) {
      if (!known.has(symbol)) {
        throw new InputError(`${where}: ${quoted(symbol)} is neither a byte nor the result of an earlier merge`);
      }
    }
    if (left.endsWith(END_OF_WORD)) {
      throw new InputError(`${where}: ${quoted(left)} ends a word, so nothing can follow it`);
    }
    const merged = left + right;
    if (known.has(merged)) throw new InputError(`${where}: ${quoted(merged)} is already a token`);
    known.add(merged);
    merges.push([left, right]);
  }
  return merges;
}

/**
 * The text of a vocabulary file, which may be gzip-compressed (recognised by content, not by name).
 *
 * @throws InputError if it is not gzip or UTF-8 text, is cut short, or inflates to more than 16 MiB.
 */
export function vocabularyText(bytes: Uint8Array, fileName: string): string {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const plain = isGzip ? gunzip(bytes, fileName) : bytes;
  if (plain.length > MOST_VOCABULARY_BYTES) throw tooLarge(fileName);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch {
    throw new InputError(`${fileName}: expected a list of merges as UTF-8 text, found other bytes`);
  }
}

function gunzip(bytes: Uint8Array, fileName: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  let length = 0;
  let ended = false;
  const stream = new Gunzip((piece, final) => {
    length += piece.length;
    if (length > MOST_VOCABULARY_BYTES) throw tooLarge(fileName);
    pieces.push(piece);
    ended ||= final;
  });
  try {
    for (let at = 0; at < bytes.length; at += GZIP_STEP) {
      stream.push(bytes.subarray(at, at + GZIP_STEP), at + GZIP_STEP >= bytes.length);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${fileName}: damaged gzip file (${(error as Error).message})`);
  }
  // A gzip file ends with the length of its contents, after at least 10 bytes of header and 4 of checksum.
  const trailer = new DataView(
    bytes.buffer,
    bytes.byteOffset + Math.max(0, bytes.length - 4),
    Math.min(4, bytes.length),
  );
  if (!ended || bytes.length < 18 || trailer.getUint32(0, true) !== length) {
    throw new InputError(`${fileName}: gzip file is cut short or damaged`);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

function tooLarge(fileName: string): InputError {
  return new InputError(
    `${fileName}: expected a vocabulary of at most ${MOST_VOCABULARY_BYTES} bytes of text, found more`,
  );
}

/** Number of merges in a vocabulary of `size` tokens. */
export function mergesForSize(size: number): number {
  return size - BASE_TOKENS - 2;
}
