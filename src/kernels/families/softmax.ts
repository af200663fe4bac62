/** Softmax of rows, and its gradient. */
import { kernel, only, perRow, type RealArray, reads, writes } from '../definition.js';
import { dot } from './dot.js';
import { LOGITS, rowShapes } from './shapes.js';

/** From -180 on, and a last number that is far above the others. */
function risingNumber(column: number, columns: number): number {
  return column === columns - 1 ? 180 : (column * 180) / columns - 180;
}

/** What a row is filled with, whose exponentials overflow or vanish in float32 unless the largest is subtracted. */
const FILLINGS: Readonly<Record<string, (i: number, columns: number) => number>> = {
  large: (i) => 90 - ((i * 37) % 180),
  rising: (i, columns) => risingNumber(i % columns, columns),
  negative: (i) => -1000 - ((i * 37) % 13),
  infinite: (i, columns) => (i % columns === 1 ? Number.NEGATIVE_INFINITY : (i % 5) / 4),
  nan: (i, columns) => (i === Math.min(2, columns - 1) ? Number.NaN : (i % 5) / 4),
};

export const softmax = kernel({
  name: 'softmax',
  formula: 'out = exp(x) / sum of exp(x) for each row',
  operands: { x: reads('...rows columns'), out: writes('...rows columns') },
  twin({ x, out, rows, columns }) {
    for (let row = 0; row < rows; row++) softmaxRow(x, out, row * columns, columns);
  },
  variants: only('softmax', 1),
  ...perRow,
  cases: {
    sizes: LOGITS,
    variations: Object.fromEntries(Object.keys(FILLINGS).map((name) => [name, 0])),
    data(d, sizes) {
      const { rows = 0, columns = 0 } = sizes;
      const filling = Object.entries(FILLINGS).find(([name]) => sizes[name])?.[1];
      if (!filling) return {};
      return { x: d.values(Array.from({ length: rows * columns }, (_, i) => filling(i, columns))) };
    },
    suite: rowShapes.flatMap((shape) => [
      shape,
      ...Object.keys(FILLINGS)
        .filter((name) => name !== 'infinite' || shape.columns > 1)
        .map((name) => ({ ...shape, [name]: 1 })),
    ]),
  },
});

export const softmaxGrad = kernel({
  name: 'softmaxGrad',
  formula: 'gradX = out * (gradOut - out . gradOut) for each row',
  operands: { out: reads('...rows columns'), gradOut: reads('...rows columns'), gradX: writes('...rows columns') },
  twin({ out, gradOut, gradX, rows, columns }) {
    for (let row = 0; row < rows; row++) {
      const at = row * columns;
      const along = dot(out, gradOut, at, at, columns);
      for (let c = 0; c < columns; c++) gradX[at + c] = out[at + c]! * (gradOut[at + c]! - along);
    }
  },
  variants: only('softmax_grad', 1),
  ...perRow,
  notes: { out: 'the softmax' },
  cases: { sizes: LOGITS, suite: rowShapes },
});

/** Softmax of one row; returns the log of its denominator, log(sum(exp(x))). */
export function softmaxRow(x: RealArray, out: RealArray, at: number, columns: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < columns; c++) max = Math.max(max, x[at + c]!);
  let sum = 0;
  for (let c = 0; c < columns; c++) sum += Math.exp(x[at + c]! - max);
  for (let c = 0; c < columns; c++) out[at + c] = Math.exp(x[at + c]! - max) / sum;
  return max + Math.log(sum);
}
