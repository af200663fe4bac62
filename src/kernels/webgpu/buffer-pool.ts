/**
 * GPU buffers, reused by size. Creating and destroying a buffer costs far more than a small kernel, and a training step requests
 * the same sizes again and again.
 *
 * A buffer may be handed out again while commands that use it are still queued: the queue runs in order, so the next
 * user's commands come after. Only host writes jump the queue; the runtime looks at `batch` to see whether one must wait.
 */
import { InputError } from '../../errors.js';
import type { MemoryMeter } from '../memory.js';

export interface PooledBuffer {
  readonly gpu: GPUBuffer;
  /** Bytes of the GPU buffer: the requested size, rounded up to its size class. */
  readonly size: number;
  /** Names the buffer in bind-group keys. */
  readonly id: number;
  /** The last batch of commands that uses it. */
  batch: number;
}

/** Bytes of free buffers that are always kept unless a limit is set. */
const LEAST_FREE_BYTES = 128 * 2 ** 20;

export class BufferPool {
  /** Most bytes to hold in all; only free buffers are released to meet it; see `Backend.limitMemory`. */
  limit = Number.POSITIVE_INFINITY;

  readonly #device: GPUDevice;
  readonly #memory: MemoryMeter;
  readonly #free = new Map<number, PooledBuffer[]>();
  #freeBytes = 0;
  #nextId = 0;

  /** `memory` counts every buffer that the device creates or destroys. */
  constructor(device: GPUDevice, memory: MemoryMeter) {
    this.#device = device;
    this.#memory = memory;
  }

  /** Bytes of free buffers to release before another `bytes` are taken; none if a free buffer of that size can be reused. */
  excess(bytes: number, reusable = true): number {
    const size = sizeClass(bytes);
    if (reusable && this.#free.get(size)?.length) return 0;
    const limited = this.limit < Number.POSITIVE_INFINITY;
    // At the end of a training step nearly all it used is free, and the next step requests the same again: without a limit, as much is
    // kept as was ever in use at once, with a quarter for the rounding of sizes.
    const keep = Math.max(LEAST_FREE_BYTES, 1.25 * this.#memory.peakBytes);
    const over = limited ? this.#memory.heldBytes + size - this.limit : this.#freeBytes - keep;
    return Math.max(0, Math.min(over, this.#freeBytes));
  }

  /** Contents undefined. Throws InputError if the adapter cannot hold a buffer of this size. */
  take(bytes: number): PooledBuffer {
    const size = sizeClass(bytes);
    const reused = this.#free.get(size)?.pop();
    if (reused) {
      this.#freeBytes -= size;
      return reused;
    }
    const limit = Math.min(this.#device.limits.maxBufferSize, this.#device.limits.maxStorageBufferBindingSize);
    if (bytes > limit) {
      throw new InputError(
        `a tensor of ${bytes} bytes does not fit on this WebGPU adapter, whose largest storage buffer is ${limit} bytes`,
      );
    }
    const usage = GPU_BUFFER_USAGE.STORAGE | GPU_BUFFER_USAGE.COPY_SRC | GPU_BUFFER_USAGE.COPY_DST;
    const gpu = this.#device.createBuffer({ size: Math.min(size, limit - (limit % 4)), usage });
    this.#memory.hold(gpu.size);
    return { gpu, size, id: this.#nextId++, batch: -1 };
  }

  give(buffer: PooledBuffer): void {
    const list = this.#free.get(buffer.size);
    if (list) list.push(buffer);
    else this.#free.set(buffer.size, [buffer]);
    this.#freeBytes += buffer.size;
  }

  /** Destroys free buffers of at least `bytes` in all, the longest unused first. No unsubmitted command may use them. */
  trim(bytes: number): void {
    let gone = 0;
    const oldestFirst = [...this.#free.values()].flat().sort((a, b) => a.batch - b.batch || b.size - a.size);
    for (const buffer of oldestFirst) {
      if (gone >= bytes) break;
      const list = this.#free.get(buffer.size)!;
      list.splice(list.indexOf(buffer), 1);
      this.#memory.hold(-buffer.gpu.size);
      buffer.gpu.destroy();
      gone += buffer.size;
    }
    this.#freeBytes -= gone;
  }
}

/** Rounds up to an eighth of a power of two: few classes, at most 12.5 % waste. */
function sizeClass(bytes: number): number {
  const least = Math.max(bytes, 256);
  const step = 2 ** Math.max(8, Math.ceil(Math.log2(least)) - 4);
  return Math.ceil(least / step) * step;
}

/** The spec's values; Node has no global of this name. */
export const GPU_BUFFER_USAGE = { MAP_READ: 0x1, COPY_SRC: 0x4, COPY_DST: 0x8, UNIFORM: 0x40, STORAGE: 0x80 } as const;
export const GPU_MAP_READ = 0x1;
export const GPU_STAGE_COMPUTE = 0x4;
