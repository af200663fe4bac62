/**
 * The laboratory: kernels tried and measured one by one. It runs the cases of a kernel's suite on
 * a device and compares (`compare`, `parity`, `reference`), times implementations in turns (`timing`, `duel`), and tries a WGSL file of the user's
 * (`contract`, `trial`, `starter`). `ceilings` measures what a GPU can do at best; `real-work` records which shapes embedding and training use;
 * `model` says what bounds a kernel on a GPU that need not be there; `course` has tasks for readers. The library's own tests run the same suite.
 */
export type { AdapterFacts } from '../kernels/needs.js';
export type {} from '../platform-types.js';

export * from './ceilings.js';
export * from './certify/index.js';
export * from './compare.js';
export * from './contract.js';
export * from './course/index.js';
export * from './diff.js';
export * from './duel.js';
export * from './lanes.js';
export * from './model/index.js';
export * from './parity.js';
export * from './real-work.js';
export * from './reference.js';
export * from './shipped.js';
export * from './sizes.js';
export * from './starter.js';
export * from './timing.js';
export * from './trial.js';
