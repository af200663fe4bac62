/** Products of many small matrices, pair by pair: the definition, plainly. `matmul` is the fast product of two large ones. */
import { kernel, only, reads, writes } from '../../definition.js';

export const batchedMatmul = kernel({
  name: 'batchedMatmul',
  formula: 'out[b, i, j] = sum over p of a[b, i, p] * b[b, p, j]',
  operands: { a: reads('...batch m k'), b: reads('...batch k n'), out: writes('...batch m n') },
  twin({ a, b, out, batch, m, n, k }) {
    for (let row = 0; row < batch * m; row++) {
      const bAt = Math.floor(row / m) * k * n;
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += a[row * k + p]! * b[bAt + p * n + j]!;
        out[row * n + j] = sum;
      }
    }
  },
  variants: only('batched_matmul'),
  unit: 'element',
  units: ({ batch, m, n }) => batch * m * n,
  flops: ({ batch, m, n, k }) => 2 * batch * m * n * k,
  cases: {
    sizes: { batch: 64, m: 32, n: 32, k: 64 },
    suite: [
      { batch: 1, m: 1, n: 1, k: 1 },
      { batch: 3, m: 7, n: 13, k: 5 },
      { batch: 5, m: 1, n: 65, k: 31 },
      { batch: 2, m: 33, n: 1, k: 768 },
      { batch: 7, m: 16, n: 16, k: 16 },
    ],
  },
});
