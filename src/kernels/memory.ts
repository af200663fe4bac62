/** Counts memory and knows which buffers are alive; every backend keeps one. */
import type { DeviceBuffer, MemoryUse } from './contract.js';

export class MemoryMeter implements MemoryUse {
  buffers = 0;
  bytes = 0;
  peakBytes = 0;
  heldBytes = 0;
  peakHeldBytes = 0;
  fixedBytes = 0;
  readonly #alive = new WeakMap<DeviceBuffer, number>();

  /** A buffer is alive, and takes so many bytes. */
  add(buffer: DeviceBuffer, bytes: number): void {
    this.#alive.set(buffer, bytes);
    this.buffers++;
    this.bytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.bytes);
  }

  /**
   * A buffer is no longer alive; returns its bytes. Throws Error if it is not: freed twice, its memory would be handed to two others.
   */
  remove(buffer: DeviceBuffer): number {
    const bytes = this.#alive.get(buffer);
    if (bytes === undefined) {
      throw new Error(
        `free: the ${buffer.dtype} buffer of ${buffer.length} elements was freed before, or is not this device's`,
      );
    }
    this.#alive.delete(buffer);
    this.buffers--;
    this.bytes -= bytes;
    return bytes;
  }

  /** Memory was taken from the device, or with a negative number given back. */
  hold(bytes: number): void {
    this.heldBytes += bytes;
    this.peakHeldBytes = Math.max(this.peakHeldBytes, this.heldBytes);
  }
}
