/** Numbers to compute with. */
import { fillNormal } from '../../src/node/random-clip.js';

/** Standard normal numbers, the same ones for the same seed. */
export function normal(length: number, seed = 1): Float32Array {
  const values = new Float32Array(length);
  fillNormal(values, 1, seed);
  return values;
}
