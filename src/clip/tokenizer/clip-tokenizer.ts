/**
 * CLIP's tokenizer (`clip/simple_tokenizer.py` of openai/CLIP): cleaning, splitting into words, byte-pair encoding.
 *
 * Ids: 0..255 are bytes inside a word, 256..511 bytes at its end, followed by one id per merge. The start (SOT) and end (EOT)
 * tokens are the next two ids, unless the vocabulary gives others. The model's table may have more rows, for added tokens or as
 * padding; no text encodes to them.
 */
import { InputError } from '../../errors.js';
import { quoted } from '../checkpoint/quoted.js';
import { BASE_TOKENS, BytePairEncoder, byteOfSymbol, END_OF_WORD } from './byte-pair-encoder.js';
import { cleanText } from './clean-text.js';
import { type Merge, MOST_TOKENS, mergesForSize, parseMerges, vocabularyText } from './merges.js';
import {
  END_OF_TEXT,
  isJson,
  parseTokenizerJson,
  parseVocabJson,
  START_OF_TEXT,
  specialIds,
  type TokenIds,
} from './token-ids.js';

/** Texts for CLIP have at most 77 tokens; this limit just keeps the time for a hostile text within about a second. */
const LONGEST_TEXT = 1 << 16;

/** Size of the cache of encoded words, and their maximum length; class names and templates repeat the same few words. */
const CACHED_WORDS = 10_000;
const LONGEST_CACHED_WORD = 64;

export interface ClipTokenizerOptions {
  /** Rows of the model's token embedding; every id must be smaller. Default: number of tokens in the vocabulary. */
  readonly vocabularySize?: number | undefined;
  /** Ids of SOT and EOT in the model's configuration, if it has them; the vocabulary's must match. */
  readonly sot?: number | undefined;
  readonly eot?: number | undefined;
  /** Text of the vocab.json that belongs to a merge list: every token with its id, including SOT and EOT. */
  readonly vocabJson?: string | undefined;
}

/** A token as text. */
export interface TokenText {
  /** Its characters, without the end-of-word mark; bytes that are not valid UTF-8 by themselves as `\\xe2`. */
  readonly text: string;
  /** `word`: ends a word, so can be one; `fragment`: the word continues in the next token; `special`: SOT or EOT. */
  readonly kind: 'word' | 'fragment' | 'special';
}

export class ClipTokenizer {
  /** Number of ids, including those that no text encodes to. */
  readonly vocabularySize: number;
  /** Id of the start-of-text token. */
  readonly sot: number;
  /** Id of the end-of-text token. */
  readonly eot: number;

  readonly #merges: readonly Merge[];
  readonly #encoder: BytePairEncoder;
  readonly #wordCache = new Map<string, readonly number[]>();

  private constructor(
    merges: readonly Merge[],
    options: ClipTokenizerOptions,
    ids: TokenIds | undefined,
    what: string,
  ) {
    this.#merges = merges;
    this.#encoder = new BytePairEncoder(merges);
    const { tokens } = this.#encoder;
    [this.sot, this.eot] = ids ? specialIds(ids, tokens) : [tokens.length, tokens.length + 1];
    this.vocabularySize = options.vocabularySize ?? Math.max(this.sot, this.eot) + 1;
    for (const [name, id, expected] of [
      [START_OF_TEXT, this.sot, options.sot],
      [END_OF_TEXT, this.eot, options.eot],
    ] as const) {
      if (id >= this.vocabularySize) {
        throw new InputError(
          `${ids?.name ?? what}: ${name} is ${id}, but the model's table has ${this.vocabularySize} rows; is this the model's vocabulary?`,
        );
      }
      if (expected !== undefined && expected !== id) {
        throw new InputError(
          `${ids?.name ?? what}: ${name} is ${id}, the model's configuration says ${expected} (bos_token_id, eos_token_id); is this the model's vocabulary?`,
        );
      }
    }
  }

  /**
   * A tokenizer from the text of Hugging Face's `merges.txt` or `tokenizer.json`, or of OpenAI's `bpe_simple_vocab_16e6.txt`.
   *
   * @throws InputError naming `fileName` if it is not a merge list, has more merges than the model has rows, or ids disagree.
   */
  static fromMerges(text: string, fileName: string, options: ClipTokenizerOptions = {}): ClipTokenizer {
    const { vocabularySize, vocabJson } = options;
    if (vocabularySize !== undefined) checkSize(vocabularySize, fileName);
    const room = vocabularySize === undefined ? undefined : mergesForSize(vocabularySize);
    const tokenizerJson = isJson(text) ? parseTokenizerJson(text, fileName) : undefined;
    const merges = parseMerges(tokenizerJson?.merges ?? text, fileName, room);
    if (room !== undefined && merges.length > room) {
      throw new InputError(
        `${fileName}: expected at most ${room} merges for a vocabulary of ${vocabularySize} tokens, found ${merges.length}`,
      );
    }
    const ids = tokenizerJson?.ids ?? (vocabJson === undefined ? undefined : parseVocabJson(vocabJson, fileName));
    return new ClipTokenizer(merges, options, ids, fileName);
  }

  /** Like `fromMerges`, from a file's bytes, which may be gzip-compressed. */
  static fromVocabularyFile(bytes: Uint8Array, fileName: string, options: ClipTokenizerOptions = {}): ClipTokenizer {
    return ClipTokenizer.fromMerges(vocabularyText(bytes, fileName), fileName, options);
  }

  /** A tokenizer without merges (one token per byte), for models without a vocabulary. */
  static bytesOnly(options: ClipTokenizerOptions = {}): ClipTokenizer {
    return ClipTokenizer.fromMerges('', 'byte vocabulary', options);
  }

  /** Token ids of `text`, without SOT and EOT. (A literal `<|startoftext|>` or `<|endoftext|>` becomes that token.) */
  encode(text: string): number[] {
    if (text.length > LONGEST_TEXT) {
      throw new InputError(`text ${quoted(text)}: expected at most ${LONGEST_TEXT} characters, found ${text.length}`);
    }
    const ids: number[] = [];
    for (const word of splitWords(cleanText(text))) {
      for (const id of this.#encodeWord(word)) ids.push(id);
    }
    return ids;
  }

  /**
   * `[SOT, ...encode(text), EOT]`.
   *
   * @throws InputError for more than `context` tokens (77 for CLIP); texts are never truncated.
   */
  encodeText(text: string, context: number): number[] {
    const ids = [this.sot, ...this.encode(text), this.eot];
    if (ids.length > context) {
      throw new InputError(
        `text ${quoted(text)}: expected at most ${context} tokens with start and end, found ${ids.length}`,
      );
    }
    return ids;
  }

  /**
   * The text of `ids`, in lower case, with a space after each word. Bytes that are not UTF-8 become U+FFFD.
   *
   * @throws InputError if an id is not in the vocabulary.
   */
  decode(ids: Iterable<number>): string {
    const bytes: number[] = [];
    for (const id of ids) {
      const token = this.#token(id);
      if (token === undefined)
        throw new InputError(`token id ${id} is not in the vocabulary of ${this.vocabularySize}`);
      // The end-of-word mark and the special tokens are ASCII, where characters are bytes.
      for (const symbol of token) bytes.push(byteOfSymbol.get(symbol) ?? 0);
    }
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
    return text.replaceAll(END_OF_WORD, ' ');
  }

  /** A token as text; undefined for an id that no text encodes to, such as an added token's. */
  describe(id: number): TokenText | undefined {
    const token = this.#token(id);
    if (token === undefined) return undefined;
    if (id === this.sot || id === this.eot) return { text: token, kind: 'special' };
    const bytes = bytesOf(token);
    const escaped = () => Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
    return { text: utf8(bytes) ?? escaped(), kind: token.endsWith(END_OF_WORD) ? 'word' : 'fragment' };
  }

  /**
   * Whether a token can be read by itself: as text of visible characters, or as SOT or EOT. Some tokens are single bytes of characters that take
   * several, or control characters.
   */
  isReadable(id: number): boolean {
    const token = this.#token(id);
    if (token === undefined) return false;
    const text = utf8(bytesOf(token));
    return text !== undefined && text !== '' && !/[\p{C}\p{Z}]/u.test(text);
  }

  /** The vocabulary as Hugging Face's `vocab.json`: token to id, ordered by id. */
  vocabJson(): string {
    const entries = [...this.#encoder.tokens.entries(), [this.sot, START_OF_TEXT], [this.eot, END_OF_TEXT]] as const;
    return JSON.stringify(Object.fromEntries(entries.map(([id, token]) => [token, id])));
  }

  /** The merges as Hugging Face's `merges.txt`. */
  mergesText(): string {
    return ['#version: 0.2', ...this.#merges.map(([left, right]) => `${left} ${right}`), ''].join('\n');
  }

  #encodeWord(word: string): readonly number[] {
    if (word === START_OF_TEXT) return [this.sot];
    if (word === END_OF_TEXT) return [this.eot];
    const cached = this.#wordCache.get(word);
    if (cached) return cached;
    const ids = this.#encoder.encodeWord(new TextEncoder().encode(word));
    if (word.length <= LONGEST_CACHED_WORD && this.#wordCache.size < CACHED_WORDS) this.#wordCache.set(word, ids);
    return ids;
  }

  #token(id: number): string | undefined {
    if (id === this.sot) return START_OF_TEXT;
    if (id === this.eot) return END_OF_TEXT;
    return this.#encoder.tokens[id];
  }
}

/** The bytes of a token, without the end-of-word mark. */
function bytesOf(token: string): Uint8Array<ArrayBuffer> {
  const symbols = token.endsWith(END_OF_WORD) ? token.slice(0, -END_OF_WORD.length) : token;
  return Uint8Array.from(symbols, (symbol) => byteOfSymbol.get(symbol) ?? 0);
}

/** Undefined if the bytes are not UTF-8. */
function utf8(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function checkSize(size: number, fileName: string): void {
  const least = BASE_TOKENS + 2;
  if (!Number.isInteger(size) || size < least || size > MOST_TOKENS) {
    throw new InputError(
      `${fileName}: expected a vocabulary size that is a whole number from ${least} to ${MOST_TOKENS}, found ${size}`,
    );
  }
}

/**
 * Splits cleaned text into words before byte-pair encoding: special tokens, English contractions, runs of letters, single
 * digits, and runs of anything else that is not white space (pattern of `clip/simple_tokenizer.py`, openai/CLIP).
 *
 * The original pattern ignores case, which has two effects on lower-cased text. Both are spelt out here, because JavaScript
 * would apply the `i` flag to `\p{L}` too: the long s (U+017F) matches s in the literals, and U+0345, a mark whose upper case
 * is the letter iota, matches no class and is dropped.
 */
const WORD =
  /<\|[sſ]tartoftext\|>|<\|endoftext\|>|'[sſ]|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|(?:(?!\u0345)[^\p{White_Space}\p{L}\p{N}])+/gu;

/** The words of `cleaned` (a result of `cleanText`), in order, without white space. */
export function splitWords(cleaned: string): string[] {
  return cleaned.match(WORD) ?? [];
}
