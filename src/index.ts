/**
 * The whole library but the command line: runs in Node and in browsers.
 *
 * @module ptdpc
 */

export * from './clip/index.js';
export {
  type EncoderConfig,
  type EncoderFamily,
  type EncoderKind,
  type EncoderMemory,
  type EncoderTower,
  encoderMemory,
  isEncoder,
  type LoadableEncoder,
  readEncoder,
  VISION_TRANSFORMER,
} from './encoders/index.js';
export { InputError } from './errors.js';
// Both the kernels and the checkpoint readers have a DType; the engine's keeps the name.
export type { Activation, DType } from './kernels/index.js';
export * from './kernels/index.js';
export * from './learners/features/index.js';
export * from './learners/index.js';
export type {} from './platform-types.js';
export * from './ptdpc/index.js';
export * from './tensor/index.js';
