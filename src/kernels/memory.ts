/** Counts memory; both backends keep one. */
import type { MemoryUse } from './contract.js';

export class MemoryMeter implements MemoryUse {
  buffers = 0;
  bytes = 0;
  peakBytes = 0;
  heldBytes = 0;
  peakHeldBytes = 0;
  fixedBytes = 0;

  /** A buffer is alive. */
  add(bytes: number): void {
    this.buffers++;
    this.bytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.bytes);
  }

  remove(bytes: number): void {
    this.buffers--;
    this.bytes -= bytes;
  }

  /** Memory was taken from the device, or with a negative number given back. */
  hold(bytes: number): void {
    this.heldBytes += bytes;
    this.peakHeldBytes = Math.max(this.peakHeldBytes, this.heldBytes);
  }
}
