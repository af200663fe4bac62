/** Sums over rows, and their gradient. */
import { ELEMENTWISE, kernel, only, reads, writes } from '../definition.js';
import { rowShapes } from './shapes.js';

const COLUMN = { rows: 64, columns: 1 };

export const sumRows = kernel({
  name: 'sumRows',
  formula: 'out[c] = scale * sum over rows of x[r, c]',
  operands: { x: reads('...rows columns'), out: writes('columns') },
  scalars: { scale: 0.3 },
  twin({ x, out, rows, columns, scale }) {
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += x[row * columns + c]!;
      out[c] = scale * sum;
    }
  },
  variants: only('sum_rows', 1, 'sum_rows'),
  unit: 'column',
  units: ({ columns }) => columns,
  cases: { sizes: COLUMN, suite: rowShapes },
});

export const broadcastRows = kernel({
  name: 'broadcastRows',
  formula: 'out[r, c] = scale * x[c]',
  operands: { x: reads('columns'), out: writes('rows columns') },
  scalars: { scale: -2 },
  twin({ x, out, rows, columns, scale }) {
    for (let row = 0; row < rows; row++) {
      for (let c = 0; c < columns; c++) out[row * columns + c] = scale * x[c]!;
    }
  },
  variants: only('sum_rows', ELEMENTWISE, 'broadcast_rows'),
  unit: 'element',
  units: ({ rows, columns }) => rows * columns,
  cases: { sizes: COLUMN, suite: rowShapes },
});
