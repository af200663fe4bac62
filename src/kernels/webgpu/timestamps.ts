/**
 * Times of single dispatches, by timestamp queries. WebGPU writes timestamps at the beginning and the end of a pass only, so a
 * profiled dispatch runs in a separate pass, which makes everything somewhat slower. Browsers round the times (usually to 100
 * microseconds) so that pages cannot time others.
 */
import type { KernelCost } from '../cost.js';
import type { Profiler } from '../profiler.js';
import { GPU_BUFFER_USAGE, GPU_MAP_READ } from './buffer-pool.js';

/** `GPUBufferUsage.QUERY_RESOLVE`. */
const QUERY_RESOLVE = 0x200;

export class Timestamps {
  readonly #device: GPUDevice;
  readonly #profiler: Profiler;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  #calls: { kernel: string; cost: KernelCost }[] = [];

  /** For at most `capacity` dispatches per submit. */
  constructor(device: GPUDevice, profiler: Profiler, capacity: number) {
    this.#device = device;
    this.#profiler = profiler;
    this.#queries = device.createQuerySet({ type: 'timestamp', count: 2 * capacity });
    this.#resolved = device.createBuffer({ size: 16 * capacity, usage: QUERY_RESOLVE | GPU_BUFFER_USAGE.COPY_SRC });
  }

  /** The timestamp writes for the pass of the next dispatch. */
  next(kernel: string, cost: KernelCost): GPUComputePassTimestampWrites {
    const at = 2 * this.#calls.length;
    this.#calls.push({ kernel, cost });
    return { querySet: this.#queries, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
  }

  /** Records the copy of all times so far. Returns a function to call once the commands are submitted. */
  resolve(encoder: GPUCommandEncoder): () => void {
    const calls = this.#calls.splice(0);
    if (calls.length === 0) return () => {};
    const size = 16 * calls.length;
    const usage = GPU_BUFFER_USAGE.MAP_READ | GPU_BUFFER_USAGE.COPY_DST;
    const staging = this.#device.createBuffer({ size, usage });
    encoder.resolveQuerySet(this.#queries, 0, 2 * calls.length, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, staging, 0, size);
    return () => this.#profiler.await(this.#read(staging, calls));
  }

  async #read(staging: GPUBuffer, calls: readonly { kernel: string; cost: KernelCost }[]): Promise<void> {
    try {
      await staging.mapAsync(GPU_MAP_READ);
    } catch {
      // The device is lost; whoever awaits a result gets the error.
      return;
    }
    const times = new BigUint64Array(staging.getMappedRange());
    calls.forEach(({ kernel, cost }, i) => {
      // A device may reset its clock; such a call counts as taking no time.
      const nanoseconds = Number(times[2 * i + 1]! - times[2 * i]!);
      this.#profiler.add(kernel, cost, Math.max(0, nanoseconds) / 1e9);
    });
    staging.unmap();
    staging.destroy();
  }
}
