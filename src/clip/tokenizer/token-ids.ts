/**
 * Token ids from files: Hugging Face's `vocab.json`, which accompanies `merges.txt`, and `tokenizer.json`, which also holds the merges.
 * In CLIP's vocabulary, SOT and EOT are the two tokens after the merges; added tokens and the padding rows of a model's table follow.
 */
import { InputError } from '../../errors.js';
import { quoted } from '../checkpoint/quoted.js';
import { END_OF_WORD } from './byte-pair-encoder.js';

export const START_OF_TEXT = '<|startoftext|>';
export const END_OF_TEXT = '<|endoftext|>';

/** Ids by token, and the file they come from. */
export interface TokenIds {
  readonly name: string;
  readonly idOf: (token: string) => unknown;
}

export function isJson(text: string): boolean {
  return /^\s*\{/.test(text);
}

/** Parses the `vocab.json` that belongs to `mergesName`. */
export function parseVocabJson(text: string, mergesName: string): TokenIds {
  const name = mergesName.replace(/[^/\\]*$/, 'vocab.json');
  return { name, idOf: idsIn(parseObject(text, name)) };
}

/**
 * Parses a `tokenizer.json` of Hugging Face's tokenizers library into its merges, as the text of a merges.txt, and its ids. Throws
 * InputError if it is not a byte-pair encoding like CLIP's.
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
 * The ids of SOT and EOT. Throws InputError if they are missing, or if another token's id is not its index in `tokens`, since the two
 * files then belong to different vocabularies.
 */
export function specialIds({ name, idOf }: TokenIds, tokens: readonly string[]): [sot: number, eot: number] {
  for (const [id, token] of tokens.entries()) {
    if (idOf(token) === id) continue;
    throw new InputError(
      `${name}: token ${quoted(token)} should have id ${id} according to the merges; found ${quoted(idOf(token))}`,
    );
  }
  const find = (token: string): number => {
    const id = idOf(token);
    if (Number.isSafeInteger(id) && (id as number) >= tokens.length) return id as number;
    throw new InputError(`${name}: ${token} should have an id from ${tokens.length} on, found ${quoted(id)}`);
  };
  return [find(START_OF_TEXT), find(END_OF_TEXT)];
}

/** Ignores inherited properties, since a token may be called "constructor". */
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
