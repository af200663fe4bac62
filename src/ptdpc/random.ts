/** The order of a training set's images. */
import { uniformGenerator } from '../tensor/random.js';

/** A permutation of 0 .. count - 1 that depends only on seed and epoch, so that a resumed run has the same batches. */
export function epochOrder(count: number, seed: number, epoch: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  const random = uniformGenerator(Math.imul(seed, 0x9e3779b1) ^ Math.imul(epoch + 1, 0x85ebca6b));
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
