/** Layer normalisation of rows (Ba, Kiros and Hinton, 2016), and its gradients. */
import { kernel, only, optional, perRow, reads, type TuningWork, writes } from '../definition.js';
import { rowShapes, TOWER } from './shapes.js';

/** `workgroup`: 64 invocations per row; `subgroup`: eight adjacent lanes of a subgroup, without barriers. */
function variantsOf(wgsl: string) {
  return {
    variants: [
      { name: 'workgroup', wgsl, covers: 1 },
      { name: 'subgroup', wgsl: `${wgsl}_subgroup`, covers: 8, needs: 'subgroupSize >= 8, columns % 4 == 0' },
    ],
    // On llvmpipe by subgroups takes a quarter of the time; no GPU has said.
    prefer: (_: object, software: boolean) => (software ? 'subgroup' : 'workgroup'),
    tuning: ({ attention: { rows, heads, headWidth } }: TuningWork) => [
      [{ rows: 32 * rows, columns: heads * headWidth }],
    ],
  };
}

/** Those of all suites, and multiples of 4: less than eight lanes' quads and more, one row short of eight and one more. */
const shapes = [...rowShapes, { rows: 7, columns: 4 }, { rows: 9, columns: 36 }, { rows: 65, columns: 68 }];

/** `statistics`: mean and rstd of each row, which the gradient needs. */
export const layerNorm = kernel({
  name: 'layerNorm',
  formula: 'out = (x - mean) * rstd * weight + bias for each row; statistics = mean, rstd',
  operands: {
    x: reads('...rows columns'),
    weight: reads('columns'),
    bias: reads('columns'),
    out: writes('...rows columns'),
    statistics: optional(writes('rows 2')),
  },
  scalars: { epsilon: 1e-5 },
  twin({ x, weight, bias, out, statistics, rows, columns, epsilon }) {
    for (let row = 0; row < rows; row++) {
      const at = row * columns;
      let mean = 0;
      for (let c = 0; c < columns; c++) mean += x[at + c]!;
      mean /= columns;
      let variance = 0;
      for (let c = 0; c < columns; c++) variance += (x[at + c]! - mean) ** 2;
      const rstd = 1 / Math.sqrt(variance / columns + epsilon);
      for (let c = 0; c < columns; c++) out[at + c] = (x[at + c]! - mean) * rstd * weight[c]! + bias[c]!;
      if (statistics) {
        statistics[2 * row] = mean;
        statistics[2 * row + 1] = rstd;
      }
    }
  },
  ...variantsOf('layer_norm'),
  ...perRow,
  notes: { statistics: 'mean and rstd, for the gradient' },
  cases: {
    sizes: TOWER,
    // Rows far from 0, where a variance by E[x^2] - mean^2 cancels; multiples of 1/4, of which the sum is exact.
    variations: { statistics: 1, shifted: 0 },
    data: (d, { rows = 0, columns = 0, shifted }) =>
      shifted ? { x: d.values(Array.from({ length: rows * columns }, (_, i) => 64 + ((i * 37) % 64) / 4)) } : {},
    suite: shapes.flatMap((shape) => [
      shape,
      { ...shape, statistics: 0, epsilon: 1e-2 },
      ...(shape.columns > 1 ? [{ ...shape, shifted: 1, epsilon: 1e-2 }] : []),
    ]),
  },
});

/**
 * With xHat = (x - mean) rstd and g = gradOut weight: gradX = rstd (g - mean(g) - xHat mean(g xHat)), plus `addend`: the gradient that
 * reaches x through the residual branch.
 */
export const layerNormGrad = kernel({
  name: 'layerNormGrad',
  formula:
    'gradX = rstd * (g - mean(g) - xhat * mean(g * xhat)) + addend, g = gradOut * weight, xhat = (x - mean) * rstd',
  operands: {
    x: reads('...rows columns'),
    weight: reads('columns'),
    statistics: reads('rows 2'),
    gradOut: reads('...rows columns'),
    addend: optional(reads('...rows columns')),
    gradX: writes('...rows columns'),
  },
  twin({ x, weight, statistics, gradOut, addend, gradX, rows, columns }) {
    for (let row = 0; row < rows; row++) {
      const at = row * columns;
      const mean = statistics[2 * row]!;
      const rstd = statistics[2 * row + 1]!;
      let sum = 0;
      let sumHat = 0;
      for (let c = 0; c < columns; c++) {
        const g = gradOut[at + c]! * weight[c]!;
        sum += g;
        sumHat += g * (x[at + c]! - mean) * rstd;
      }
      for (let c = 0; c < columns; c++) {
        const hat = (x[at + c]! - mean) * rstd;
        const g = gradOut[at + c]! * weight[c]!;
        gradX[at + c] = rstd * (g - sum / columns - (hat * sumHat) / columns) + (addend ? addend[at + c]! : 0);
      }
    }
  },
  ...variantsOf('layer_norm_grad'),
  ...perRow,
  notes: { statistics: 'mean and rstd', addend: 'the gradient that comes by the residual branch' },
  cases: {
    sizes: TOWER,
    // Not the true statistics: the kernel must use what it is given.
    data: (d, { rows = 0 }) => ({
      statistics: d.values(Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? 1.5 : 0.1))),
    }),
    suite: shapes.flatMap((shape) => [shape, { ...shape, addend: 1 }]),
  },
});

/** The gradients of weight and bias, which sum over rows. */
export const layerNormGradWeight = kernel({
  name: 'layerNormGradWeight',
  formula: 'gradWeight[c] = sum over rows of gradOut * (x - mean) * rstd; gradBias[c] = sum over rows of gradOut',
  operands: {
    x: reads('...rows columns'),
    statistics: reads('rows 2'),
    gradOut: reads('...rows columns'),
    gradWeight: writes('columns'),
    gradBias: writes('columns'),
  },
  twin({ x, statistics, gradOut, gradWeight, gradBias, rows, columns }) {
    for (let c = 0; c < columns; c++) {
      let weightSum = 0;
      let biasSum = 0;
      for (let row = 0; row < rows; row++) {
        const g = gradOut[row * columns + c]!;
        weightSum += g * (x[row * columns + c]! - statistics[2 * row]!) * statistics[2 * row + 1]!;
        biasSum += g;
      }
      gradWeight[c] = weightSum;
      gradBias[c] = biasSum;
    }
  },
  variants: only('layer_norm_grad_weight', 1),
  unit: 'column',
  units: ({ columns }) => columns,
  notes: { statistics: 'mean and rstd' },
  cases: {
    sizes: TOWER,
    data: (d, { rows = 0 }) => ({
      statistics: d.values(Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? 1.5 : 0.1))),
    }),
    suite: rowShapes,
  },
});
