/**
 * The CPU's fast matrix product: WebAssembly SIMD on worker threads, over one heap. `assembly/` holds the compiled part in
 * AssemblyScript; `node scripts/build-wasm.mjs` builds `binaries.generated.ts` from it. How it works and what was measured: docs/cpu-matmul.md.
 */
export { CpuHeap, type HeapOptions } from './heap.js';
export type { HeapMatmulArgs } from './job.js';
export { WasmMatmul, type WasmMatmulOptions } from './matmul.js';
export { relaxedSupported, simdSupported } from './module.js';
export { type MatmulWorker, type StartWorker, startWebWorker, WORKER_SOURCE, type WorkerTask } from './workers.js';
