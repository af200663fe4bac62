/**
 * Which ids tokens have, if a file says it: Hugging Face's `vocab.json`, which stands beside `merges.txt`, and `tokenizer.json`, which
 * holds the merges too. Start and end are the two tokens after the merges in CLIP's own vocabulary; what is added to a vocabulary, and
 * the rows that round up a model's table, come after them.
 */
import { InputError } from '../../errors.js';
import { quoted } from '../checkpoint/quoted.js';
import { END_OF_WORD } from './byte-pair-encoder.js';

export const START_OF_TEXT = '<|startoftext|>';
export const END_OF_TEXT = '<|endoftext|>';

/** Ids by token, and the file that they are from. */
export interface TokenIds {
  readonly name: string;
  readonly idOf: (token: string) => unknown;
}

export function isJson(text: string): boolean {
  return /^\s*\{/.test(text);
}

/** A `vocab.json` beside `mergesName`. */
export function parseVocabJson(text: string, mergesName: string): TokenIds {
  const name = mergesName.replace(/[^/\\]*$/, 'vocab.json');
  return { name, idOf: idsIn(parseObject(text, name)) };
}

/**
 * A `tokenizer.json` of the library tokenizers: its merges as the text of a merges.txt, and its ids. Throws InputError if it is not a
 * byte-pair encoding such as CLIP's.
 */
export function parseTokenizerJson(text: string, name: string): { merges: string; ids: TokenIds } {
  const { model, added_tokens: added } = parseObject(text, name);
  if (!isObject(model)) {
    throw new InputError(
      `${name}: expected merges.txt or a tokenizer.json, found other JSON (a vocab.json has no merges)`,
    );
  }
  const { type, end_of_word_suffix: suffix, vocab, merges } = model;
  if ((type !== undefined && type !== 'BPE') || suffix !== END_OF_WORD || !isObject(vocab) || !Array.isArray(merges)) {
    throw new InputError(
      `${name}: expected a byte-pair encoding with "${END_OF_WORD}" at the end of words, as CLIP's; found type ${quoted(type)}, end_of_word_suffix ${quoted(suffix)}`,
    );
  }
  const lines = merges.map((merge: unknown, i) => {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    if (Array.isArray(pair) && pair.length === 2 && pair.every((symbol) => typeof symbol === 'string'))
      return pair.join(' ');
    throw new InputError(`${name}: merge ${i} should be two symbols, found ${quoted(merge)}`);
  });
  const idOf = idsIn(vocab);
  const special = new Map<unknown, unknown>(
    (Array.isArray(added) ? added : []).filter(isObject).map(({ content, id }) => [content, id]),
  );
  return {
    merges: ['#version: 0.2', ...lines].join('\n'),
    ids: { name, idOf: (token) => special.get(token) ?? idOf(token) },
  };
}

/**
 * The ids of start and end. Throws InputError if they are not given, and where another token does not have its place in `tokens`:
 * then the two files are not of one vocabulary.
 */
export function specialIds({ name, idOf }: TokenIds, tokens: readonly string[]): [sot: number, eot: number] {
  for (const [id, token] of tokens.entries()) {
    if (idOf(token) === id) continue;
    throw new InputError(
      `${name}: token ${quoted(token)} should have id ${id}, as the merges make it; found ${quoted(idOf(token))}`,
    );
  }
  const find = (token: string): number => {
    const id = idOf(token);
    if (Number.isSafeInteger(id) && (id as number) >= tokens.length) return id as number;
    throw new InputError(`${name}: ${token} should have an id from ${tokens.length} on, found ${quoted(id)}`);
  };
  return [find(START_OF_TEXT), find(END_OF_TEXT)];
}

/** Without inherited properties: a token may be called "constructor". */
function idsIn(vocab: Readonly<Record<string, unknown>>): TokenIds['idOf'] {
  return (token) => (Object.hasOwn(vocab, token) ? vocab[token] : undefined);
}

function parseObject(text: string, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InputError(`${name}: not valid JSON`);
  }
  if (isObject(value)) return value;
  throw new InputError(`${name}: expected a JSON object, found ${quoted(value)}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
