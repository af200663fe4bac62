/**
 * A performance model of kernels on GPUs that need not be there. `syntax`, `types`, `scope`, `expressions`, `builtins`, `arithmetic` and `compile`
 * read WGSL, `machine` and `device` execute it in lockstep; `traffic` counts what its accesses cost, `gpus` has the GPUs' figures, `model` puts them
 * together, and `explain` says it in words.
 */
export { boundText } from './explain.js';
export * from './gpus.js';
export * from './model.js';
export { bankRequest, bufferRequest, type MemoryShape, type Request } from './traffic.js';
