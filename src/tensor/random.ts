/** Seeded random numbers, the same on every engine, and initial values of parameters drawn from them. */
import { sizeOf } from './tensor.js';

/** mulberry32 (Tommy Ettinger, public domain): uniform in [0, 1) with 32 random bits. */
export function uniformGenerator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Normal deviates by the Box-Muller transform (1958), using the cosine of each pair. Engines may differ in the last bit. */
export function normalGenerator(seed: number): () => number {
  const uniform = uniformGenerator(seed);
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** Numbers for a tensor of this shape, uniform in [-bound, bound). Throws Error if an axis is not a whole number from 1, as all of these do. */
export function uniformValues(shape: readonly number[], bound: number, seed: number): Float32Array {
  const uniform = uniformGenerator(seed);
  return Float32Array.from({ length: sizeOf(shape) }, () => bound * (2 * uniform() - 1));
}

/** Numbers for a tensor of this shape, normal with mean 0 and this standard deviation. */
export function normalValues(shape: readonly number[], deviation: number, seed: number): Float32Array {
  const normal = normalGenerator(seed);
  return Float32Array.from({ length: sizeOf(shape) }, () => deviation * normal());
}

/**
 * A weight [outputs, inputs] of `linear` before tanh, sigmoid or softmax: uniform with variance 2 / (inputs + outputs), so that neither values nor
 * gradients grow from layer to layer (Glorot and Bengio, 2010, equation 16).
 */
export function xavierUniform(shape: readonly [outputs: number, inputs: number], seed: number): Float32Array {
  const [outputs, inputs] = shape;
  return uniformValues(shape, Math.sqrt(6 / (inputs + outputs)), seed);
}

/** A weight [outputs, inputs] of `linear` before relu: normal with variance 2 / inputs (He, Zhang, Ren and Sun, 2015, equation 10). */
export function kaimingNormal(shape: readonly [outputs: number, inputs: number], seed: number): Float32Array {
  return normalValues(shape, Math.sqrt(2 / shape[1]), seed);
}
