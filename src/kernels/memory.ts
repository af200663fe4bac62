/** Counts memory and knows which buffers are alive; every backend keeps one. */
import type { MemoryUse } from './backend.js';
import type { DeviceBuffer } from './definition.js';

export class MemoryMeter implements MemoryUse {
  buffers = 0;
  bytes = 0;
  peakBytes = 0;
  heldBytes = 0;
  peakHeldBytes = 0;
  fixedBytes = 0;
  readonly #alive = new WeakMap<DeviceBuffer, number>();

  /** Registers a live buffer of this many bytes. */
  add(buffer: DeviceBuffer, bytes: number): void {
    this.#alive.set(buffer, bytes);
    this.buffers++;
    this.bytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.bytes);
  }

  /**
   * Unregisters a buffer and returns its bytes. Throws Error if it is not alive: if freed twice, its memory would be given to two others.
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

  /** Counts memory taken from the device, or released if negative. */
  hold(bytes: number): void {
    this.heldBytes += bytes;
    this.peakHeldBytes = Math.max(this.peakHeldBytes, this.heldBytes);
  }
}
