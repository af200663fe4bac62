import { expect, it } from 'vitest';
import { CpuHeap } from '../../../src/kernels/cpu/wasm/index.js';
import {
  BYTES,
  type LayerNormJob,
  writeBlock,
  writeLayerNormJob,
} from '../../../src/kernels/cpu/wasm/layout.generated.js';

const job: LayerNormJob = {
  kind: 'layerNormGrad',
  rows: 2,
  columns: 3,
  taskRows: 4,
  epsilon: 0.5,
  x: 2 ** 32 - 64,
  weight: 128,
  bias: undefined,
  statistics: undefined,
  gradOut: 192,
  addend: undefined,
  out: 256,
};

it('writes every field in its place, whatever was there', () => {
  const heap = new CpuHeap({ shared: false });
  const address = heap.allocate(BYTES.LayerNormJob + 4);
  const words = heap.i32(address, BYTES.LayerNormJob / 4 + 1).fill(7);
  writeLayerNormJob(heap, address, job);
  expect([...words]).toEqual([5, 0, 2, 3, 4, 0x3f000000, -64, 128, 0, 0, 192, 0, 256, 7]);
  expect(heap.f32(address, 6)[5]).toBe(0.5);
});

// Compiled, never called: what must not compile.
void ((heap: CpuHeap) => {
  const { out, ...withoutOut } = job;
  // @ts-expect-error: a field is missing
  writeLayerNormJob(heap, out ?? 0, withoutOut);
  // @ts-expect-error: a field is unknown
  writeBlock(heap, 64, { row: 0, rowEnd: 1, first: 2, firstEnd: 3, second: 4, secondEnd: 5, third: 6 });
  // @ts-expect-error: threads own this field
  writeLayerNormJob(heap, 64, { ...job, tasksTaken: 1 });
  // @ts-expect-error: no such kernel
  writeLayerNormJob(heap, 64, { ...job, kind: 'softmax' });
});
