/** Rows divided by their Euclidean length, and the gradient. */
import { kernel, only, perRow, reads, writes } from '../definition.js';
import { dot } from './dot.js';
import { ramp, rowShapes } from './shapes.js';

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
    // A NaN in the middle of the first row makes all of that row NaN, and no other.
    variations: { zeros: 0, nan: 0 },
    data(d, { rows = 0, columns = 0, zeros, nan }) {
      if (zeros) return { x: d.values(new Float32Array(rows * columns)) };
      if (!nan) return {};
      return { x: d.values(ramp(rows * columns, 1).with(columns >> 1, Number.NaN)) };
    },
    suite: [...rowShapes.flatMap((shape) => [shape, { ...shape, zeros: 1 }]), { rows: 3, columns: 65, nan: 1 }],
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
