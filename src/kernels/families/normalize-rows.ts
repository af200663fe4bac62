/** Rows divided by their Euclidean length, and the gradient. */
import { kernel, only, perRow, reads, writes } from '../definition.js';
import { dot } from './dot.js';
import { rowShapes } from './shapes.js';

export const normalizeRows = kernel({
  name: 'normalizeRows',
  formula: 'out = x / |x| for each row, norm = |x|; a row of zeros stays zero',
  operands: { x: reads('...rows columns'), out: writes('...rows columns'), norm: writes('rows') },
  twin({ x, out, norm, rows, columns }) {
    for (let row = 0; row < rows; row++) {
      const at = row * columns;
      const length = Math.sqrt(dot(x, x, at, at, columns));
      norm[row] = length;
      for (let c = 0; c < columns; c++) out[at + c] = length === 0 ? 0 : x[at + c]! / length;
    }
  },
  variants: only('normalize_rows', 1),
  ...perRow,
  cases: {
    sizes: { rows: 512, columns: 512 },
    variations: { zeros: 0 },
    data: (d, { rows = 0, columns = 0, zeros }) => (zeros ? { x: d.values(new Float32Array(rows * columns)) } : {}),
    suite: rowShapes.flatMap((shape) => [shape, { ...shape, zeros: 1 }]),
  },
});

export const normalizeRowsGrad = kernel({
  name: 'normalizeRowsGrad',
  formula: 'gradX = (gradOut - out * (out . gradOut)) / norm for each row; zero where norm is',
  operands: {
    out: reads('...rows columns'),
    norm: reads('rows'),
    gradOut: reads('...rows columns'),
    gradX: writes('...rows columns'),
  },
  twin({ out, norm, gradOut, gradX, rows, columns }) {
    for (let row = 0; row < rows; row++) {
      const at = row * columns;
      const along = dot(out, gradOut, at, at, columns);
      const length = norm[row]!;
      for (let c = 0; c < columns; c++) {
        gradX[at + c] = length === 0 ? 0 : (gradOut[at + c]! - out[at + c]! * along) / length;
      }
    }
  },
  variants: only('normalize_rows_grad', 1),
  ...perRow,
  notes: { out: 'the normalised rows', norm: 'their lengths before' },
  cases: {
    sizes: { rows: 512, columns: 512 },
    data: (d, { rows = 0 }) => ({ norm: d.values(Array.from({ length: rows }, (_, i) => (i === 1 ? 0 : 0.5 + i))) }),
    suite: rowShapes,
  },
});
