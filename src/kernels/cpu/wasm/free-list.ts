/**
 * Which parts of a growing address range are free: best fit, with neighbours merged at once.
 *
 * Free blocks are kept in one array sorted by size, then address, so that finding the best fit is a binary search; two maps from a
 * block's ends to the block find the neighbours. Insertion shifts the array's tail, which for the few hundred
 * free blocks of a training step costs less than a tree would.
 */

interface Block {
  start: number;
  size: number;
}

export class FreeList {
  /** Sorted by size, then start. */
  readonly #blocks: Block[] = [];
  readonly #byStart = new Map<number, Block>();
  readonly #byEnd = new Map<number, Block>();

  /** Free blocks, in no particular order: after everything has been released, one. */
  get count(): number {
    return this.#blocks.length;
  }

  /** Size of the largest free block. */
  get largest(): number {
    return this.#blocks.at(-1)?.size ?? 0;
  }

  /** Takes `size` units from the smallest free block that is large enough. Returns the start, or undefined if none is. */
  take(size: number): number | undefined {
    const block = this.#blocks[this.#position(size, 0)];
    if (!block) return undefined;
    this.#remove(block);
    if (block.size > size) this.#insert({ start: block.start + size, size: block.size - size });
    return block.start;
  }

  /** Adds [start, start + size), which must not overlap what is free. */
  release(start: number, size: number): void {
    const merged = { start, size };
    const before = this.#byEnd.get(start);
    if (before) {
      this.#remove(before);
      merged.start = before.start;
      merged.size += before.size;
    }
    const after = this.#byStart.get(start + size);
    if (after) {
      this.#remove(after);
      merged.size += after.size;
    }
    this.#insert(merged);
  }

  /** Size of the free block that ends at `end`, 0 if there is none: growing the range need not add this much. */
  sizeEndingAt(end: number): number {
    return this.#byEnd.get(end)?.size ?? 0;
  }

  #insert(block: Block): void {
    this.#blocks.splice(this.#position(block.size, block.start), 0, block);
    this.#byStart.set(block.start, block);
    this.#byEnd.set(block.start + block.size, block);
  }

  #remove(block: Block): void {
    this.#blocks.splice(this.#position(block.size, block.start), 1);
    this.#byStart.delete(block.start);
    this.#byEnd.delete(block.start + block.size);
  }

  /** Index of the first block that is not before (size, start). */
  #position(size: number, start: number): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = this.#blocks[middle]!;
      if (block.size < size || (block.size === size && block.start < start)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
