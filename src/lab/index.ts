/**
 * The laboratory: kernels tried and measured one by one. It knows sizes and a suite for every kernel (`kernels/`), runs a case on
 * a device and compares (`kernel-case`, `compare`, `parity`), times implementations in turns (`timing`), and tries a WGSL file of the user's
 * (`contract`, `trial`, `starter`). `ceilings` measures what a GPU can do at best; `real-work` records which shapes embedding and training use;
 * `exercises` are for readers. The library's own tests run the same suite.
 */
export type {} from '../platform-types.js';

export * from './ceilings.js';
export * from './compare.js';
export * from './contract.js';
export * from './exercises.js';
export * from './kernel-case.js';
export * from './kernels/index.js';
export * from './parity.js';
export * from './real-work.js';
export * from './shipped.js';
export * from './sizes.js';
export * from './starter.js';
export * from './timing.js';
export * from './trial.js';
