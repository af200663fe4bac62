/**
 * Memory that decoding threads share: a thread waits before it decodes a large image while others are at theirs, so that more threads do
 * not take more memory. It lies in shared memory, since the main thread may be busy with the tower and answer nobody.
 */

/** Decoded images in the threads take so many bytes together, beside `--memory`; a larger image is decoded while no other is. */
export const DECODING_BYTES = 2 * 2 ** 30;

/**
 * An image that takes more is decoded in a thread of its own, which ends with it: what the memory of a WebAssembly instance has grown to is
 * given back only when the garbage collector finds it, which may be never.
 */
export const LARGE_BYTES = 256 * 2 ** 20;

/** What is counted: 32 bits hold no number of bytes. */
const UNIT = 2 ** 16;

/** Cells: units held by all, the most so far, the limit, and those held by each thread. */
const [HELD, PEAK, LIMIT, FIRST_THREAD] = [0, 1, 2, 3];

/** A thread that was ended while it held something may have told nobody. */
const LONGEST_WAIT = 1000;

export class DecodeBudget {
  readonly #cells;

  private constructor(
    /** To be passed to another thread, for `shared`. */
    readonly memory: SharedArrayBuffer,
  ) {
    this.#cells = new Int32Array(memory);
  }

  static create(threads: number, limit = DECODING_BYTES): DecodeBudget {
    const budget = new DecodeBudget(new SharedArrayBuffer(4 * (FIRST_THREAD + threads)));
    budget.#cells[LIMIT] = Math.floor(limit / UNIT);
    return budget;
  }

  /** The same budget in another thread. */
  static shared(memory: SharedArrayBuffer): DecodeBudget {
    return new DecodeBudget(memory);
  }

  /** The most bytes that were held at a time. */
  get peakBytes(): number {
    return Atomics.load(this.#cells, PEAK) * UNIT;
  }

  /** Waits until there is room for `bytes`, or nobody holds any. Blocks the thread. */
  acquire(thread: number, bytes: number): void {
    const cells = this.#cells;
    const need = Math.max(1, Math.ceil(bytes / UNIT));
    for (;;) {
      const held = Atomics.load(cells, HELD);
      if (held > 0 && held + need > cells[LIMIT]!) {
        Atomics.wait(cells, HELD, held, LONGEST_WAIT);
        continue;
      }
      if (Atomics.compareExchange(cells, HELD, held, held + need) !== held) continue;
      Atomics.store(cells, FIRST_THREAD + thread, need);
      let peak = Atomics.load(cells, PEAK);
      while (peak < held + need) peak = Atomics.compareExchange(cells, PEAK, peak, held + need);
      return;
    }
  }

  /** Gives back what a thread holds. */
  release(thread: number): void {
    Atomics.sub(this.#cells, HELD, Atomics.exchange(this.#cells, FIRST_THREAD + thread, 0));
    Atomics.notify(this.#cells, HELD);
  }
}
