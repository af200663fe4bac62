/**
 * A performance model of kernels on GPUs that need not be there. `syntax` reads WGSL into a `tree`; `compile`, `expressions`, `construct` and `builtins`,
 * with `types`, `scope` and `arithmetic`, make functions of it, which run all lanes of a workgroup at once, on a `machine` with its `values`; `device` puts
 * these together. `traffic` counts what its accesses cost, `gpus` has the GPUs' figures, `model` works out what bounds a kernel, and `explain` says it in words.
 */
export { boundText } from './explain.js';
export * from './gpus.js';
export * from './model.js';
export { bankRequest, bufferRequest, type MemoryShape, type Request } from './traffic.js';
