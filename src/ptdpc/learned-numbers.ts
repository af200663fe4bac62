/** All learned numbers as one array: what files and the state of a training hold, however many tensors they are on the device. */
import type { Engine, Tensor } from '../tensor/index.js';

/** A model with its learned numbers on a device, which a training changes in place. */
export abstract class LearnedModel {
  abstract readonly engine: Engine;

  /** How many classes it tells apart. */
  abstract readonly classes: number;

  /** Everything that is trained, in order. */
  abstract get parameters(): readonly Tensor[];

  /** How many numbers are trained. */
  get size(): number {
    return this.parameters.reduce((sum, { size }) => sum + size, 0);
  }

  /** All learned numbers: the parameters one after the other. */
  async read(): Promise<Float32Array> {
    return joined(await Promise.all(this.parameters.map((parameter) => parameter.read())));
  }

  /** Puts learned numbers, as `read` gives them, in place of the present ones. */
  write(learned: Float32Array): void {
    const parts = partsOf(learned, this.parameters);
    for (const [i, { buffer }] of this.parameters.entries()) this.engine.backend.write(buffer, parts[i]!);
  }

  /** Clears all gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.zeroGrad();
  }
}

/** The arrays one after the other. A single one is returned as it is. */
export function joined(parts: readonly Float32Array[]): Float32Array {
  const [only] = parts;
  if (only && parts.length === 1) return only;
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The parts of `all` that have these sizes. Throws Error if they are not all of it. */
export function partsOf(all: Float32Array, sizes: readonly { readonly size: number }[]): Float32Array[] {
  let at = 0;
  const parts = sizes.map(({ size }) => {
    at += size;
    return all.subarray(at - size, at);
  });
  if (at !== all.length) throw new Error(`expected ${at} learned numbers, found ${all.length}`);
  return parts;
}
