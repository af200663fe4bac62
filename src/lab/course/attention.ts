/** Attention, step by step, and then in one pass. */
import { reads, writes } from '../../kernels/index.js';
import { product } from './matrix-product.js';
import { logSumExp } from './normalisation.js';
import { byRow, SUMS } from './reductions.js';
import { numbers, task, track } from './task.js';

const SIZES = [
  { queries: 1, keys: 1, width: 1 },
  { queries: 7, keys: 9, width: 5 },
  { queries: 10, keys: 17, width: 8 },
];

export const attention = track(
  'attention',
  'Attention',
  'Scores, a softmax that may not look ahead, weighted values; and all of it in one pass that never stores a score.',
  [
    task({
      id: 'scores',
      title: 'Scores',
      minutes: 10,
      statement:
        'The score of a query and a key is their dot product times params.scale. Both matrices are stored row by row, so a key lies in one piece.',
      hints: [
        'Nothing is transposed: row `column` of k.',
        'k[column * params.width + d]',
        'And the scale, once, after the sum.',
      ],
      ...SUMS,
      operands: { q: reads('queries width'), k: reads('keys width'), out: writes('queries keys') },
      scalars: { scale: 0.35 },
      covers: [8, 8],
      units: ({ queries, keys }) => [queries, keys],
      twin({ q, k, out, queries, keys, width, scale }) {
        for (let i = 0; i < queries; i++) {
          for (let j = 0; j < keys; j++) {
            let sum = 0;
            for (let d = 0; d < width; d++) sum += q[i * width + d]! * k[j * width + d]!;
            out[i * keys + j] = scale * sum;
          }
        }
      },
      cases: SIZES,
    }),
    task({
      id: 'head-scores',
      title: 'Scores of several heads',
      minutes: 15,
      statement:
        'A row of q and of k holds all heads, one after the other, params.width numbers each. The result has a matrix of scores for each head. One invocation per element ' +
        'of the result: work out its head, query and key from id.x.',
      hints: [
        'The last axis counts fastest: the key is id.x % params.rows.',
        'query = id.x / params.rows % params.rows, head = id.x / (params.rows * params.rows).',
        'A row is params.heads * params.width long, and the head begins at head * params.width in it.',
      ],
      ...SUMS,
      operands: { q: reads('rows heads*width'), k: reads('rows heads*width'), out: writes('heads rows rows') },
      covers: 64,
      units: ({ heads, rows }) => heads * rows * rows,
      twin({ q, k, out, heads, rows, width }) {
        const stride = heads * width;
        for (let h = 0; h < heads; h++) {
          for (let i = 0; i < rows; i++) {
            for (let j = 0; j < rows; j++) {
              let sum = 0;
              for (let d = 0; d < width; d++) sum += q[i * stride + h * width + d]! * k[j * stride + h * width + d]!;
              out[(h * rows + i) * rows + j] = sum;
            }
          }
        }
      },
      cases: [
        { heads: 1, rows: 1, width: 1 },
        { heads: 3, rows: 5, width: 4 },
        { heads: 2, rows: 9, width: 7 },
      ],
    }),
    task({
      id: 'causal-softmax',
      title: 'Causal softmax',
      minutes: 15,
      statement:
        'A word may look at itself and at those before it. Row r is the softmax of its first r + 1 columns, and zero behind them. What lies behind must not count, ' +
        'however large it is.',
      hints: [
        'Both loops, for the maximum and for the sum, end after column `row`.',
        'What is behind must be written too: as 0.',
        'let end = row + 1u; and in the last loop 0.0 where c >= end.',
      ],
      ...SUMS,
      operands: { x: reads('rows rows'), out: writes('rows rows') },
      ...byRow,
      data: (d, { rows = 0, ahead }) =>
        ahead
          ? { x: d.values(numbers(rows * rows, (i) => (i % rows > Math.floor(i / rows) ? 500 : (i % 7) / 4))) }
          : {},
      twin({ x, out, rows }) {
        for (let row = 0; row < rows; row++) {
          const whole = logSumExp(x, row * rows, row + 1);
          for (let c = 0; c < rows; c++) out[row * rows + c] = c > row ? 0 : Math.exp(x[row * rows + c]! - whole);
        }
      },
      cases: [{ rows: 1 }, { rows: 7 }, { rows: 66 }, { rows: 9, ahead: 1 }],
    }),
    task({
      id: 'weighted-values',
      title: 'Weighted values',
      minutes: 10,
      statement: 'Each query takes of every value as much as its weight p says: a matrix product.',
      hints: ['A loop over the keys.', 'v[key * params.width + column]', 'sum += p[row * params.keys + key] * ...'],
      ...SUMS,
      operands: { p: reads('queries keys'), v: reads('keys width'), out: writes('queries width') },
      covers: [8, 8],
      units: ({ queries, width }) => [queries, width],
      twin({ p, v, out, queries, keys, width }) {
        product(p, v, out, queries, width, keys);
      },
      cases: SIZES,
    }),
    task({
      id: 'one-pass',
      title: 'Attention in one pass',
      minutes: 30,
      statement:
        'One invocation takes a query, goes over the keys once, and keeps a sum of weights and of weighted values: no score is stored. Rows are 8 wide. Scores may be ' +
        'large, so the maximum so far is needed, as in the task on softmax statistics in one loop.',
      hints: [
        'When a larger score comes, all that was added up shrinks by exp(old - new): the total and all 8 sums.',
        'let next = max(most, score); let keep = exp(most - next); let weight = exp(score - next);',
        'total = total * keep + weight; sums[d] = sums[d] * keep + weight * v[key * 8u + d]; most = next.',
      ],
      tolerance: 1e-4,
      why: 'exponentials of scores of a few hundred, which single precision rounds by 3e-5, are off by as much',
      operands: { q: reads('rows 8'), k: reads('keys 8'), v: reads('keys 8'), out: writes('rows 8') },
      ...byRow,
      data: (d, { rows = 0, large }) =>
        large ? { q: d.values(numbers(8 * rows, (i) => 100 * (((i * 5) % 7) - 3))) } : {},
      twin({ q, k, v, out, rows, keys }) {
        for (let row = 0; row < rows; row++) {
          const scores = numbers(keys, (key) => {
            let sum = 0;
            for (let d = 0; d < 8; d++) sum += q[row * 8 + d]! * k[key * 8 + d]!;
            return sum;
          });
          const whole = logSumExp(scores, 0, keys);
          for (let d = 0; d < 8; d++) {
            let sum = 0;
            for (const [key, score] of scores.entries()) sum += Math.exp(score - whole) * v[key * 8 + d]!;
            out[row * 8 + d] = sum;
          }
        }
      },
      cases: [
        { rows: 1, keys: 1 },
        { rows: 5, keys: 7 },
        { rows: 66, keys: 20 },
        { rows: 5, keys: 12, large: 1 },
      ],
    }),
  ],
);
