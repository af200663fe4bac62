/**
 * GPU buffers, reused by size. Creating and destroying a buffer costs far more than a small kernel, and a training step asks
 * for the same sizes again and again.
 *
 * A buffer may be handed out again while commands that use it are still queued: the queue runs in order, so the next
 * user's commands come after. Only host writes jump the queue; the runtime looks at `batch` to see whether one must wait.
 */
import { InputError } from '../../errors.js';

export interface PooledBuffer {
  readonly gpu: GPUBuffer;
  /** Bytes of the GPU buffer: the asked size, rounded up to its size class. */
  readonly size: number;
  /** Names the buffer in bind-group keys. */
  readonly id: number;
  /** The last batch of commands that uses it. */
  batch: number;
}

/** Free buffers kept at most, in bytes; beyond it they are destroyed. */
const MAX_POOLED_BYTES = 128 * 2 ** 20;

export class BufferPool {
  readonly #device: GPUDevice;
  readonly #free = new Map<number, PooledBuffer[]>();
  #pooledBytes = 0;
  #nextId = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Contents undefined. Throws InputError where the adapter cannot hold a buffer of this size. */
  take(bytes: number): PooledBuffer {
    const size = sizeClass(bytes);
    const reused = this.#free.get(size)?.pop();
    if (reused) {
      this.#pooledBytes -= size;
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
    return { gpu, size, id: this.#nextId++, batch: -1 };
  }

  give(buffer: PooledBuffer): void {
    const list = this.#free.get(buffer.size);
    if (list) list.push(buffer);
    else this.#free.set(buffer.size, [buffer]);
    this.#pooledBytes += buffer.size;
  }

  /** True when free buffers hold more than they should; the caller submits its commands and calls `trim`. */
  get overfull(): boolean {
    return this.#pooledBytes > MAX_POOLED_BYTES;
  }

  /** Destroys all free buffers and returns their ids. No unsubmitted command may use them. */
  trim(): number[] {
    const ids: number[] = [];
    for (const list of this.#free.values()) {
      for (const buffer of list) {
        buffer.gpu.destroy();
        ids.push(buffer.id);
      }
    }
    this.#free.clear();
    this.#pooledBytes = 0;
    return ids;
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
