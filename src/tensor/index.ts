/** Tensors with autograd over any backend: memory scopes, a tape, operations with their gradients, and optimisers. */
export type {} from '../platform-types.js';

export type { Given, Outputs, OwnKernel } from './call.js';
export {
  checkGradient,
  type GradientInput,
  type GradientOptions,
  GradientReport,
  type InputReport,
} from './check-gradient.js';
export { Engine, type Kept } from './engine.js';
export * from './ops/arithmetic.js';
export * from './ops/attention.js';
export * from './ops/compose.js';
export * from './ops/convolution.js';
export * from './ops/elementwise.js';
export * from './ops/gather.js';
export { concat, slice, transpose } from './ops/layout.js';
export * from './ops/linear.js';
export * from './ops/normalize.js';
export * from './ops/patches.js';
export * from './ops/pointwise.js';
export { broadcastTo, indexOfMax, max, mean, type ReduceOptions, sum, sumRows } from './ops/reduce.js';
export * from './ops/training.js';
export { AdamW, clipGradients, type Optimizer, type OptimizerState, Sgd } from './optimizer.js';
export {
  kaimingNormal,
  normalGenerator,
  normalValues,
  uniformGenerator,
  uniformValues,
  xavierUniform,
} from './random.js';
export { type GradientSink, Tape, Vertex } from './tape.js';
export { Tensor } from './tensor.js';
