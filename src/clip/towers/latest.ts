/** A small cache of recently used values. */

/** More than the plans between which a computation changes: whole pieces and the rest, of batches and of the last batch. */
const KEPT = 8;

/** Keeps the latest things by key, and disposes the one that was used longest ago for each one too many. */
export class Latest<K, V extends Disposable> implements Disposable {
  /** In the order of use. */
  readonly #kept = new Map<K, V>();

  /** The one of this key, made if it is not kept. */
  get(key: K, make: () => V): V {
    const value = this.#kept.get(key) ?? make();
    this.#kept.delete(key);
    this.#kept.set(key, value);
    for (const [oldest, unused] of this.#kept) {
      if (this.#kept.size <= KEPT) break;
      this.#kept.delete(oldest);
      unused[Symbol.dispose]();
    }
    return value;
  }

  /** Disposes everything that is kept. */
  [Symbol.dispose](): void {
    for (const value of this.#kept.values()) value[Symbol.dispose]();
    this.#kept.clear();
  }
}
