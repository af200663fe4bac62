/**
 * Byte-pair encoding of one word (Sennrich et al. 2016, on bytes as in GPT-2): start from the bytes, and as long as some
 * neighbouring pair is in the merge list, merge every occurrence of the pair that comes first in it, left to right.
 *
 * Each round scans the ranks of all pairs, which the round before kept up to date, so a word of n bytes and r distinct merges
 * takes O(n r) cheap steps; a word is a few dozen bytes, and `ClipTokenizer` limits how long a text may be.
 */
import type { Merge } from './merges.js';

const NO_MERGE = 0x7fffffff;

export class BytePairEncoder {
  /** Every token but the special ones, by id. */
  readonly tokens: readonly string[];

  /** Rank of a merge by its pair of ids; the merged token's id is 512 + rank. */
  readonly #rankOfPair = new Map<number, number>();

  /** @param merges a list that `parseMerges` has checked: both sides of each merge are known tokens */
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
    // ranks[i] belongs to the pair (ids[i], ids[i + 1]); the last one has no pair and stays at NO_MERGE.
    const ranks = ids.map((id, index) => this.#rank(id, ids[index + 1]));
    for (;;) {
      let best = NO_MERGE;
      for (const rank of ranks) if (rank < best) best = rank;
      if (best === NO_MERGE) return ids;
      this.#mergeAll(ids, ranks, best);
    }
  }

  /** Replaces every pair of rank `best` by its token, left to right, closing the gaps in place. */
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

// The printable character that stands for each byte in a vocabulary file, and the order of the first 512 tokens.
//
// Byte-level BPE (GPT-2, then CLIP) writes its merges as text, so that every byte needs a visible character: bytes that are
// printable in Latin-1 stand for themselves, the 68 others take U+0100, U+0101, ... in order. The base vocabulary lists
// the printable bytes first, and then all 256 again with the end-of-word mark.

/** Ends the last symbol of a word. */
export const END_OF_WORD = '</w>';

/** Number of tokens before the merges: each byte inside a word and at the end of one. */
export const BASE_TOKENS = 512;

const printable = (byte: number) =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);

const allBytes = Array.from({ length: 256 }, (_, byte) => byte);
const unprintableBytes = allBytes.filter((byte) => !printable(byte));

/** The bytes in the order of their token ids. */
const bytesById = [...allBytes.filter(printable), ...unprintableBytes];

/** The character that stands for a byte, by token id. */
export const byteSymbols: readonly string[] = bytesById.map((byte) =>
  String.fromCharCode(printable(byte) ? byte : 0x100 + unprintableBytes.indexOf(byte)),
);

/** Token id of a byte inside a word; 256 more is its id at the end of one. */
export const idOfByte: Uint8Array = new Uint8Array(256);
for (const [id, byte] of bytesById.entries()) idOfByte[byte] = id;

/** The byte that a character of a token stands for. */
export const byteOfSymbol: ReadonlyMap<string, number> = new Map(
  byteSymbols.map((symbol, id) => [symbol, bytesById[id] ?? 0]),
);
