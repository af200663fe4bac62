/** A small cache of recently used values. */

/** More than the plans that a computation alternates between: full and partial chunks, of full batches and of the last batch. */
const KEPT = 8;

/** An LRU cache that disposes the values it evicts. */
export class Latest<K, V extends Disposable> implements Disposable {
  /** Least recently used first. */
  readonly #kept = new Map<K, V>();

  /** Keeps the last `most` values. */
  constructor(private readonly most = KEPT) {}

  /** The value for `key`, made if it is not cached. */
  get(key: K, make: () => V): V {
    const value = this.#kept.get(key) ?? make();
    this.#kept.delete(key);
    this.#kept.set(key, value);
    for (const [oldest, unused] of this.#kept) {
      if (this.#kept.size <= this.most) break;
      this.#kept.delete(oldest);
      unused[Symbol.dispose]();
    }
    return value;
  }

  /** Disposes all cached values. */
  [Symbol.dispose](): void {
    for (const value of this.#kept.values()) value[Symbol.dispose]();
    this.#kept.clear();
  }
}
