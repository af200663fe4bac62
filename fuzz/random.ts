/** Seeded choices: the same case of the same parser and seed is the same input on every machine. */
import { uniformGenerator } from '../src/tensor/random.js';

export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = uniformGenerator(seed);
  }

  /** The generator of one case: independent of how many cases ran before it. */
  static ofCase(parser: string, seed: number, index: number): Random {
    let hash = 0x811c9dc5;
    for (const character of `${parser} ${seed} ${index}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
    return new Random(hash);
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** A place in `length` bytes. Headers and trailers decide most, so half of the places are near an end. */
  place(length: number): number {
    const near = this.below(Math.min(length, 128));
    if (this.oneIn(4)) return near;
    return this.oneIn(3) ? length - 1 - near : this.below(length);
  }

  /** Sizes that break sums and allocations: powers of two and their neighbours, limits of the types that hold them. */
  hugeNumber(): number {
    if (this.oneIn(3)) return this.pick([0, 1, -1, 255, 65_535, 65_536, 100_000, 2 ** 53, 1e19, 1e300]);
    return 2 ** this.below(64) + this.below(3) - 1;
  }
}
