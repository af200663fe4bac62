/** How a pooling is described to the compiled code. */
import type { CpuHeap } from './heap.js';
import { writePoolJob } from './layout.generated.js';

/** Pooling of images with heap addresses in place of buffers. */
export interface HeapPoolArgs {
  kind: 'maxPool' | 'averagePool';
  images: number;
  height: number;
  width: number;
  channels: number;
  outHeight: number;
  outWidth: number;
  /** Of `maxPool`. */
  window?: number;
  stride?: number;
  padding?: number;
  x: number;
  out: number;
}

/** Writes the job at `address`. */
export function describePool(heap: CpuHeap, address: number, args: HeapPoolArgs): void {
  const { window = 0, stride = 0, padding = 0 } = args;
  writePoolJob(heap, address, { ...args, window, stride, padding });
}
