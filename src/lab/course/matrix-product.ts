/** The matrix product: from one row to tiles in workgroup memory. */
import { kernelNamed, type RealArray, reads, writes } from '../../kernels/index.js';
import { withoutComments } from '../../kernels/webgpu/wgsl-text.js';
import { fuseBias, readHalves } from './exercises.js';
import { byRow, SUMS } from './reductions.js';
import { task, track } from './task.js';

const PRODUCTS = [
  { m: 1, n: 1, k: 1 },
  { m: 7, n: 9, k: 5 },
  { m: 8, n: 8, k: 8 },
  { m: 17, n: 10, k: 19 },
];

/** out = a b. */
export function product(a: RealArray, b: RealArray, out: RealArray, m: number, n: number, k: number): void {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[i * k + p]! * b[p * n + j]!;
      out[i * n + j] = sum;
    }
  }
}

export const matrixProduct = track(
  'matrix-product',
  'Matrix product',
  'Where nearly all the arithmetic of a network is: from a row times a vector to tiles in workgroup memory.',
  [
    task({
      id: 'matrix-vector',
      title: 'Matrix times vector',
      minutes: 10,
      statement: 'Each invocation takes a row of a, multiplies it with x element by element, and adds up.',
      hints: [
        'A loop over p from 0 to params.k.',
        'Row `row` of a begins at row * params.k.',
        'sum += a[row * params.k + p] * x[p];',
      ],
      ...SUMS,
      operands: { a: reads('rows k'), x: reads('k'), out: writes('rows') },
      ...byRow,
      twin({ a, x, out, rows, k }) {
        product(a, x, out, rows, 1, k);
      },
      cases: [
        { rows: 1, k: 1 },
        { rows: 7, k: 5 },
        { rows: 65, k: 33 },
      ],
    }),
    task({
      id: 'transpose',
      title: 'Transpose',
      minutes: 10,
      statement: 'Rows become columns: out[column, row] = x[row, column]. out has params.rows columns.',
      hints: [
        'Which element of x is the one that this invocation writes?',
        'Rows of x are params.columns long, those of out params.rows.',
        'out[id.y * params.rows + id.x] = x[id.x * params.columns + id.y];',
      ],
      operands: { x: reads('rows columns'), out: writes('columns rows') },
      covers: [8, 8],
      units: ({ rows, columns }) => [columns, rows],
      twin({ x, out, rows, columns }) {
        for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = x[r * columns + c]!;
      },
      cases: [
        { rows: 1, columns: 1 },
        { rows: 7, columns: 9 },
        { rows: 3, columns: 20 },
        { rows: 16, columns: 16 },
      ],
    }),
    task({
      id: 'product',
      title: 'Matrix product',
      minutes: 10,
      statement: 'Each invocation computes one element of the product: a row of a times a column of b.',
      hints: [
        'The loop over p is missing.',
        'b[p, column] is at p * params.n + column.',
        'sum += a[row * params.k + p] * b[p * params.n + column];',
      ],
      ...SUMS,
      operands: { a: reads('m k'), b: reads('k n'), out: writes('m n') },
      covers: [8, 8],
      units: ({ m, n }) => [m, n],
      twin({ a, b, out, m, n, k }) {
        product(a, b, out, m, n, k);
      },
      cases: PRODUCTS,
    }),
    task({
      id: 'tiled-product',
      title: 'Matrix product by tiles',
      minutes: 30,
      statement:
        'The file is right, but every number of a is read from memory by each of the 8 invocations of a row. Let the workgroup copy a tile of 8 x 8 of a and one of b into ' +
        'tile_a and tile_b, multiply from there, and go on to the next tiles. Sizes need not be multiples of 8.',
      hints: [
        'Each invocation copies one number of each tile, and 0 where there is none: also those whose row or column lies outside, so nobody may return early.',
        'A barrier after the copy, before anyone multiplies; and one after that, before anyone copies the next tiles.',
        'tile_a[local.y * 8u + local.x] is a[row, first + local.x]; tile_b[local.y * 8u + local.x] is b[first + local.y, column]; then sum over p of tile_a[local.y * 8u + p] * tile_b[p * 8u + local.x].',
      ],
      ...SUMS,
      operands: { a: reads('m k'), b: reads('k n'), out: writes('m n') },
      covers: [8, 8],
      units: ({ m, n }) => [m, n],
      twin({ a, b, out, m, n, k }) {
        product(a, b, out, m, n, k);
      },
      cases: PRODUCTS,
      condition: ({ text }) =>
        /\bworkgroupBarrier\s*\(/.test(withoutComments(text))
          ? undefined
          : 'its invocations share no tiles: there is no barrier',
    }),
    fuseBias(kernelNamed('matmul')),
    readHalves(kernelNamed('matmul')),
  ],
);
