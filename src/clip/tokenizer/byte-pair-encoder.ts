/**
 * Byte-pair encoding of one word (Sennrich et al. 2016, on bytes as in GPT-2): start from the bytes, and as long as some
 * neighbouring pair is in the merge list, merge every occurrence of the pair that comes first in it, left to right.
 *
 * Each round scans the ranks of all pairs, which the round before kept up to date, so a word of n bytes and r distinct merges
 * takes O(n r) cheap steps; a word is a few dozen bytes, and `ClipTokenizer` limits how long a text may be.
 */
import { BASE_TOKENS, byteSymbols, END_OF_WORD, idOfByte } from './byte-symbols.js';
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
