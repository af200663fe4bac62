/**
 * Byte-pair encoding of one word (Sennrich et al. 2016, on bytes as in GPT-2): start from the bytes; as long as some pair of
 * neighbours is in the merge list, merge every occurrence of the pair with the lowest rank, left to right.
 *
 * Each round scans the ranks of all pairs and updates those it changes, so a word of n bytes and r distinct merges takes
 * O(n r) cheap steps. A word is a few dozen bytes, and `ClipTokenizer` limits the length of a text.
 */
import type { Merge } from './merges.js';

const NO_MERGE = 0x7fffffff;

export class BytePairEncoder {
  /** All tokens except the special ones, by id. */
  readonly tokens: readonly string[];

  /** Rank of a merge by its pair of ids; the merged token's id is 512 + rank. */
  readonly #rankOfPair = new Map<number, number>();

  /** @param merges a list validated by `parseMerges`: both sides of each merge are known tokens */
  constructor(merges: readonly Merge[]) {
    this.tokens = [
      ...byteSymbols,
      ...byteSymbols.map((symbol) => symbol + END_OF_WORD),
      ...merges.map(([left, right]) => left + right),
    ];
    const idOf = new Map(this.tokens.map((token, id) => [token, id]));
    for (const [rank, [left, right]] of merges.entries()) {
      this.#rankOfPair.set(this.#pairKey(idOf.get(left) ?? -1, idOf.get(right) ?? -1), rank);
    }
  }

  /** Token ids of a word given as its UTF-8 bytes (at least one). */
  encodeWord(bytes: Uint8Array): number[] {
    const ids = Array.from(bytes, (byte) => idOfByte[byte] ?? 0);
    ids[ids.length - 1] = (ids.at(-1) ?? 0) + BASE_TOKENS / 2;
    // ranks[i] is that of the pair (ids[i], ids[i + 1]); the last has no pair and is always NO_MERGE.
    const ranks = ids.map((id, index) => this.#rank(id, ids[index + 1]));
    for (;;) {
      let best = NO_MERGE;
      for (const rank of ranks) if (rank < best) best = rank;
      if (best === NO_MERGE) return ids;
      this.#mergeAll(ids, ranks, best);
    }
  }

  /** Replaces every pair of rank `best` with its token, left to right, compacting in place. */
  #mergeAll(ids: number[], ranks: number[], best: number): void {
    let to = 0;
    for (let from = 0; from < ids.length; from++, to++) {
      const isMerge = ranks[from] === best;
      ids[to] = isMerge ? BASE_TOKENS + best : (ids[from] ?? 0);
      ranks[to] = ranks[from] ?? NO_MERGE;
      if (!isMerge) continue;
      from++;
      ranks[to] = this.#rank(BASE_TOKENS + best, ids[from + 1]);
      if (to > 0) ranks[to - 1] = this.#rank(ids[to - 1] ?? 0, BASE_TOKENS + best);
    }
    ids.length = to;
    ranks.length = to;
  }

  #rank(left: number, right: number | undefined): number {
    return right === undefined ? NO_MERGE : (this.#rankOfPair.get(this.#pairKey(left, right)) ?? NO_MERGE);
  }

  #pairKey(left: number, right: number): number {
    return left * this.tokens.length + right;
  }
}

// The character that represents each byte in a vocabulary file, and the order of the first 512 tokens.
//
// Byte-level BPE (GPT-2, then CLIP) stores its merges as text, so every byte needs a visible character: bytes that are
// printable in Latin-1 represent themselves, the 68 others take U+0100, U+0101, ... in order. The base vocabulary has the
// 256 bytes, printable ones first, and then the same again with the end-of-word mark.

/** Suffix of the last symbol of a word. */
export const END_OF_WORD = '</w>';

/** Number of tokens before the merges: each byte inside a word and at its end. */
export const BASE_TOKENS = 512;

const printable = (byte: number) =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);

const allBytes = Array.from({ length: 256 }, (_, byte) => byte);
const unprintableBytes = allBytes.filter((byte) => !printable(byte));

/** The bytes in token-id order. */
const bytesById = [...allBytes.filter(printable), ...unprintableBytes];

/** The character that represents a byte, by token id. */
export const byteSymbols: readonly string[] = bytesById.map((byte) =>
  String.fromCharCode(printable(byte) ? byte : 0x100 + unprintableBytes.indexOf(byte)),
);

/** Token id of a byte inside a word; add 256 for its id at the end of one. */
export const idOfByte: Uint8Array = new Uint8Array(256);
for (const [id, byte] of bytesById.entries()) idOfByte[byte] = id;

/** The byte that a character of a token represents. */
export const byteOfSymbol: ReadonlyMap<string, number> = new Map(
  byteSymbols.map((symbol, id) => [symbol, bytesById[id] ?? 0]),
);
