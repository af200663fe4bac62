/** Networks of random weights, drawn as test/reference/convolutional_reference.py draws them, to the bit. */

import { requireTensor } from '../../src/clip/checkpoint/checkpoint.js';
import type { Checkpoint } from '../../src/clip/checkpoint/index.js';

/** Shapes of a network's tensors by name. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

/** `uniform_numbers`: in [-1, 1), exact in single precision. */
export function uniformNumbers(seed: number, count: number): Float32Array {
  const numbers = new Float32Array(count);
  const offset = Math.imul(seed + 1, 0x85ebca6b);
  for (let i = 0; i < count; i++) {
    let x = Math.imul(i + 1, 0x9e3779b1) + offset;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    numbers[i] = (x >>> 8) / 2 ** 23 - 1;
  }
  return numbers;
}

/** `pictures`: [count, 3, size, size]. */
export function pictures(count: number, size: number): Float32Array {
  return uniformNumbers(1000, count * 3 * size * size);
}

/** A checkpoint in memory with the weights that `random_weights` draws for these shapes. */
export function networkCheckpoint(name: string, shapes: Shapes): Checkpoint {
  const seeds = new Map(
    Object.keys(shapes)
      .sort()
      .map((tensor, place) => [tensor, place]),
  );
  const shape = (tensor: string) => requireTensor(new Map(Object.entries(shapes)), tensor, name);
  return {
    name,
    format: 'torch',
    metadata: new Map(),
    names: () => Object.keys(shapes),
    has: (tensor) => tensor in shapes,
    shape,
    dtype: (tensor) => (tensor.endsWith('num_batches_tracked') ? 'I64' : 'F32'),
    read: (tensor, rows) => {
      const sizes = shape(tensor);
      const values = drawn(tensor, sizes, seeds.get(tensor) ?? 0);
      const length = values.length / (sizes[0] ?? 1);
      return Promise.resolve(rows ? values.slice(rows.first * length, (rows.first + rows.count) * length) : values);
    },
  };
}

function drawn(name: string, shape: readonly number[], seed: number): Float32Array {
  const numbers = (axes: readonly number[]) => axes.reduce((product, axis) => product * axis, 1);
  const uniform = uniformNumbers(seed, numbers(shape));
  if (shape.length > 1) return uniform.map((value) => value * Math.sqrt(6 / numbers(shape.slice(1))));
  if (name.endsWith('.running_var')) return uniform.map((value) => 1 + 0.5 * value);
  if (name.endsWith('.weight')) return uniform.map((value) => 0.75 + 0.25 * value);
  return uniform.map((value) => 0.1 * value);
}
