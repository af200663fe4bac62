/** How a layer norm is described to the compiled code: `LayerNormJob` in `assembly/job.ts`. */
import type { CpuHeap } from './heap.js';

/** Layer norm (`gradOut` undefined) or its gradient, with heap addresses in place of buffers. */
export interface HeapLayerNormArgs {
  rows: number;
  columns: number;
  epsilon?: number;
  x: number;
  weight: number;
  bias?: number;
  statistics?: number | undefined;
  gradOut?: number;
  addend?: number | undefined;
  /** `out`, or `gradX`. */
  out: number;
}

/** `Kind` in `assembly/job.ts`. */
const KINDS = { forward: 4, gradient: 5 } as const;

/** Bytes of a `LayerNormJob`. */
export const LAYER_NORM_JOB_BYTES = 13 * 4;

/** Approximate number of elements in a task: some ten microseconds of work. */
const TASK_NUMBERS = 16_384;

/** Writes the job at `address`. */
export function writeLayerNormJob(heap: CpuHeap, address: number, args: HeapLayerNormArgs): void {
  const { rows, columns, x, weight, out, gradOut } = args;
  const kind = gradOut === undefined ? KINDS.forward : KINDS.gradient;
  const taskRows = Math.max(1, Math.floor(TASK_NUMBERS / columns));
  const words = heap.i32(address, LAYER_NORM_JOB_BYTES / 4);
  words.set([kind, 0, rows, columns, taskRows]);
  heap.f32(address, LAYER_NORM_JOB_BYTES / 4)[5] = args.epsilon ?? 0;
  words.set([x, weight, args.bias ?? 0, args.statistics ?? 0, gradOut ?? 0, args.addend ?? 0, out], 6);
}
