/**
 * The CPU's fast kernels: WebAssembly SIMD on worker threads, over one heap. `assembly/` holds the compiled part in
 * AssemblyScript; `node scripts/build-wasm.mjs` builds `binaries.generated.ts` from it. How it works and what was measured: docs/cpu-kernels.md.
 */
export type { HeapAttentionArgs } from './attention-job.js';
export { WasmEngine, type WasmEngineOptions } from './engine.js';
export { compareTiles } from './fusion.js';
export { CpuHeap, type HeapOptions } from './heap.js';
export type { HeapLayerNormArgs } from './layer-norm-job.js';
export type { HeapMatmulArgs } from './matmul-job.js';
export { binaryText, compile as compileKernels, relaxedSupported, simdSupported, type WasmBuild } from './module.js';
export { type KernelWorker, type StartWorker, startWebWorker, WORKER_SOURCE, type WorkerTask } from './workers.js';
