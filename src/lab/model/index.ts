/**
 * A performance model of kernels on GPUs that need not be there: a kernel's WGSL is executed in lockstep (../lockstep), `traffic` counts what its accesses cost,
 * `gpus` has the GPUs' figures, `model` works out what bounds the kernel, and `explain` says it in words.
 */
export { boundText } from './explain.js';
export * from './gpus.js';
export * from './model.js';
export { bankRequest, bufferRequest, type MemoryShape, type Request } from './traffic.js';
