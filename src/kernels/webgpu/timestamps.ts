/**
 * Times of passes, by timestamp queries. WebGPU writes timestamps at the beginning and the end of a pass only, so a
 * profiled dispatch runs in a separate pass, which makes everything somewhat slower. Browsers round the times (usually to 100
 * microseconds) so that pages cannot time others.
 */
import { GPU_BUFFER_USAGE, GPU_MAP_READ } from './buffer-pool.js';

/** `GPUBufferUsage.QUERY_RESOLVE`. */
const QUERY_RESOLVE = 0x200;

/** Is told how long a pass took. */
type OnSeconds = (seconds: number) => void;

export class Timestamps {
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  #passes: OnSeconds[] = [];
  readonly #pending = new Set<Promise<void>>();

  /** For at most `capacity` passes per submit. */
  constructor(device: GPUDevice, capacity: number) {
    this.#device = device;
    this.#queries = device.createQuerySet({ type: 'timestamp', count: 2 * capacity });
    this.#resolved = device.createBuffer({ size: 16 * capacity, usage: QUERY_RESOLVE | GPU_BUFFER_USAGE.COPY_SRC });
  }

  /** The timestamp writes of the next pass. */
  next(onSeconds: OnSeconds): GPUComputePassTimestampWrites {
    const at = 2 * this.#passes.length;
    this.#passes.push(onSeconds);
    return { querySet: this.#queries, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
  }

  /** Records the copy of all times so far. Returns a function to call once the commands are submitted. */
  resolve(encoder: GPUCommandEncoder): () => void {
    const passes = this.#passes.splice(0);
    if (passes.length === 0) return () => {};
    const size = 16 * passes.length;
    const usage = GPU_BUFFER_USAGE.MAP_READ | GPU_BUFFER_USAGE.COPY_DST;
    const staging = this.#device.createBuffer({ size, usage });
    encoder.resolveQuerySet(this.#queries, 0, 2 * passes.length, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, staging, 0, size);
    return () => {
      const reading = this.#read(staging, passes);
      this.#pending.add(reading);
      reading.finally(() => this.#pending.delete(reading)).catch(() => {});
    };
  }

  /** Resolves when all times that were submitted have been told. */
  async settle(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async #read(staging: GPUBuffer, passes: readonly OnSeconds[]): Promise<void> {
    try {
      await staging.mapAsync(GPU_MAP_READ);
    } catch {
      // The device is lost; whoever awaits a result gets the error.
      return;
    }
    const times = new BigUint64Array(staging.getMappedRange());
    passes.forEach((onSeconds, i) => {
      // A device may reset its clock; such a pass counts as taking no time.
      const nanoseconds = Number(times[2 * i + 1]! - times[2 * i]!);
      onSeconds(Math.max(0, nanoseconds) / 1e9);
    });
    staging.unmap();
    staging.destroy();
  }
}
