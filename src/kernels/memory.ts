/** Counts live buffers and bytes; both backends keep one. */
import type { MemoryUse } from './contract.js';

export class MemoryMeter implements MemoryUse {
  buffers = 0;
  bytes = 0;
  peakBytes = 0;

  add(bytes: number): void {
    this.buffers++;
    this.bytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.bytes);
  }

  remove(bytes: number): void {
    this.buffers--;
    this.bytes -= bytes;
  }
}
