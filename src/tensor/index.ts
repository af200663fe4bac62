/** Tensors with autograd over any backend: memory scopes, a tape, operations with their gradients, and optimisers. */
export type {} from '../platform-types.js';

export type { Given, Outputs, OwnKernel } from './call.js';
export { Engine, type Kept } from './engine.js';
export * from './ops/attention.js';
export * from './ops/compose.js';
export * from './ops/elementwise.js';
export * from './ops/gather.js';
export * from './ops/linear.js';
export * from './ops/normalize.js';
export * from './ops/patches.js';
export { AdamW, type Optimizer, type OptimizerState, Sgd } from './optimizer.js';
export { type GradientSink, Tape, Vertex } from './tape.js';
export { Tensor } from './tensor.js';
