/** How a layer norm is described to the compiled code. */
import type { CpuHeap } from './heap.js';
import { writeLayerNormJob } from './layout.generated.js';

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

/** Approximate number of elements in a task: some ten microseconds of work. */
const TASK_NUMBERS = 16_384;

/** Writes the job at `address`. */
export function describeLayerNorm(heap: CpuHeap, address: number, args: HeapLayerNormArgs): void {
  const { rows, columns, x, weight, bias, statistics, gradOut, addend, out } = args;
  writeLayerNormJob(heap, address, {
    kind: gradOut === undefined ? 'layerNorm' : 'layerNormGrad',
    rows,
    columns,
    taskRows: Math.max(1, Math.floor(TASK_NUMBERS / columns)),
    epsilon: args.epsilon ?? 0,
    x,
    weight,
    bias,
    statistics,
    gradOut,
    addend,
    out,
  });
}
