/** How values are stored in GPU buffers. */
import type { DType } from '../definition.js';

/** A buffer's size on the device: WebGPU copies four bytes at a time. */
export function bytesOf(dtype: DType, length: number): number {
  return dtype === 'f16' ? 4 * Math.ceil(length / 2) : 4 * length;
}

/** Two fp16 values per word, the first in the low bits. WebGPU copies whole words. */
export function inWords(halves: Uint16Array): Uint32Array {
  if (halves.length % 2 === 0 && halves.byteOffset % 4 === 0) {
    return new Uint32Array(halves.buffer, halves.byteOffset, halves.length / 2);
  }
  const words = new Uint32Array(Math.ceil(halves.length / 2));
  new Uint16Array(words.buffer).set(halves);
  return words;
}
