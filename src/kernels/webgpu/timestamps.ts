/**
 * Times of passes, by timestamp queries. WebGPU writes timestamps at the beginning and the end of a pass only, so a
 * profiled dispatch runs in a separate pass, which makes everything somewhat slower. Browsers round the times (usually to 100
 * microseconds) so that pages cannot time others.
 */
import type { DispatchClock } from '../profiler.js';
import { GPU_BUFFER_USAGE, GPU_MAP_READ } from './buffer-pool.js';

/** `GPUBufferUsage.QUERY_RESOLVE`. */
const QUERY_RESOLVE = 0x200;

/** Is told when a pass began and ended, in milliseconds of the GPU's clock. */
export type OnPass = (begin: number, end: number) => void;

export class Timestamps {
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  #passes: OnPass[] = [];
  /** The first timestamp: times count from it, since nanoseconds from the GPU's start exceed what a number can tell apart. */
  #origin: bigint | undefined;
  /** Between these, in milliseconds, is what has to be added to the GPU's times for the host's. */
  #shiftLow = Number.NEGATIVE_INFINITY;
  #shiftHigh = Number.POSITIVE_INFINITY;
  readonly #pending = new Set<Promise<void>>();

  /** For at most `capacity` passes per submit. */
  constructor(device: GPUDevice, capacity: number) {
    this.#device = device;
    this.#queries = device.createQuerySet({ type: 'timestamp', count: 2 * capacity });
    this.#resolved = device.createBuffer({ size: 16 * capacity, usage: QUERY_RESOLVE | GPU_BUFFER_USAGE.COPY_SRC });
  }

  /** The timestamp writes of the next pass. */
  next(onPass: OnPass): GPUComputePassTimestampWrites {
    const at = 2 * this.#passes.length;
    this.#passes.push(onPass);
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
    const submitted = performance.now();
    return () => {
      const reading = this.#read(staging, passes, submitted);
      this.#pending.add(reading);
      reading.finally(() => this.#pending.delete(reading)).catch(() => {});
    };
  }

  /** The GPU's clock against the host's: the least shift that all submits so far allow. Undefined before the first. */
  get clock(): DispatchClock | undefined {
    if (this.#origin === undefined) return undefined;
    const uncertainty = Math.max(0, this.#shiftHigh - this.#shiftLow);
    return { source: 'gpu', shift: this.#shiftLow, uncertainty };
  }

  /** Resolves when all times that were submitted have been told. */
  async settle(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async #read(staging: GPUBuffer, passes: readonly OnPass[], submitted: number): Promise<void> {
    try {
      await staging.mapAsync(GPU_MAP_READ);
    } catch {
      // The device is lost; whoever awaits a result gets the error.
      return;
    }
    const arrived = performance.now();
    const times = new BigUint64Array(staging.getMappedRange());
    this.#origin ??= times[0]!;
    const milliseconds = (i: number) => Number(times[i]! - this.#origin!) / 1e6;
    passes.forEach((onPass, i) => {
      const begin = milliseconds(2 * i);
      // A device may reset its clock; such a pass counts as taking no time.
      onPass(begin, Math.max(begin, milliseconds(2 * i + 1)));
    });
    // No pass begins before it is submitted, and none ends after its times have arrived.
    this.#shiftLow = Math.max(this.#shiftLow, submitted - milliseconds(0));
    this.#shiftHigh = Math.min(this.#shiftHigh, arrived - milliseconds(2 * passes.length - 1));
    staging.unmap();
    staging.destroy();
  }
}
