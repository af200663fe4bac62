/** Kernels on the rows of a matrix, and sums over rows. */
import { labKernel } from './lab-kernel.js';

/** Rows and columns of 1, primes, and just past a workgroup's 64. */
const SHAPES = [
  [1, 1],
  [1, 7],
  [5, 1],
  [3, 64],
  [7, 65],
  [13, 131],
  [67, 129],
] as const;

export const rowShapes = SHAPES.map(([rows, columns]) => ({ rows, columns }));

/** Rows of the text tower in a step of 64 images and eight classes, and its width. */
const TOWER = { rows: 1728, columns: 512 };
/** A row for each image, a column for each class. */
const LOGITS = { rows: 64, columns: 8 };

const unit = 'row';
const units = ({ rows }: { rows: number }) => rows;
const perColumn = { unit: 'column', units: ({ columns }: { columns: number }) => columns };

export const layerNorm = labKernel('layerNorm', {
  equation: 'out = (x - mean) * rstd * weight + bias for each row; statistics = mean, rstd',
  extents: TOWER,
  options: { epsilon: 1e-5, statistics: 1 },
  unit,
  units,
  args: (d, { rows, columns, epsilon, statistics }) => ({
    rows,
    columns,
    epsilon,
    x: d.real(rows * columns),
    weight: d.real(columns),
    bias: d.real(columns),
    out: d.output(rows, columns),
    statistics: statistics ? d.output(rows, 2) : undefined,
  }),
  suite: rowShapes.flatMap((shape) => [shape, { ...shape, statistics: 0, epsilon: 1e-2 }]),
});

export const layerNormGrad = labKernel('layerNormGrad', {
  equation:
    'gradX = rstd * (g - mean(g) - xhat * mean(g * xhat)) + addend, g = gradOut * weight, xhat = (x - mean) * rstd',
  extents: TOWER,
  options: { addend: 0 },
  unit,
  units,
  args: (d, { rows, columns, addend }) => ({
    rows,
    columns,
    x: d.real(rows * columns),
    weight: d.real(columns),
    // Not the true ones: the kernel must use what it is given.
    statistics: d.values(Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? 1.5 : 0.1))),
    gradOut: d.real(rows * columns),
    addend: addend ? d.real(rows * columns) : undefined,
    gradX: d.output(rows, columns),
  }),
  suite: rowShapes.flatMap((shape) => [shape, { ...shape, addend: 1 }]),
});

export const normalizeRows = labKernel('normalizeRows', {
  equation: 'out = x / |x| for each row, norm = |x|; a row of zeros stays zero',
  extents: { rows: 512, columns: 512 },
  options: { zeros: 0 },
  unit,
  units,
  args: (d, { rows, columns, zeros }) => ({
    rows,
    columns,
    x: zeros ? d.values(new Float32Array(rows * columns)) : d.real(rows * columns),
    out: d.output(rows, columns),
    norm: d.output(rows),
  }),
  suite: rowShapes.flatMap((shape) => [shape, { ...shape, zeros: 1 }]),
});

export const normalizeRowsGrad = labKernel('normalizeRowsGrad', {
  equation: 'gradX = (gradOut - out * (out . gradOut)) / norm for each row; zero where norm is',
  extents: { rows: 512, columns: 512 },
  unit,
  units,
  args: (d, { rows, columns }) => ({
    rows,
    columns,
    out: d.real(rows * columns),
    norm: d.values(Array.from({ length: rows }, (_, i) => (i === 1 ? 0 : 0.5 + i))),
    gradOut: d.real(rows * columns),
    gradX: d.output(rows, columns),
  }),
  suite: rowShapes,
});

/** From -180 on, and a last number that is far above the others. */
function risingNumber(column: number, columns: number): number {
  return column === columns - 1 ? 180 : (column * 180) / columns - 180;
}

export const softmax = labKernel('softmax', {
  equation: 'out = exp(x) / sum of exp(x) for each row',
  extents: LOGITS,
  options: { large: 0, rising: 0 },
  unit,
  units,
  args: (d, { rows, columns, large, rising }) => ({
    rows,
    columns,
    // Numbers whose exponential overflows float32, unless the largest of the row is subtracted; where they rise it is the last.
    x:
      large || rising
        ? d.values(
            Array.from({ length: rows * columns }, (_, i) =>
              rising ? risingNumber(i % columns, columns) : 90 - ((i * 37) % 180),
            ),
          )
        : d.real(rows * columns),
    out: d.output(rows, columns),
  }),
  suite: rowShapes.flatMap((shape) => [shape, { ...shape, large: 1 }, { ...shape, rising: 1 }]),
});

export const softmaxGrad = labKernel('softmaxGrad', {
  equation: 'gradX = out * (gradOut - out . gradOut) for each row',
  extents: LOGITS,
  unit,
  units,
  args: (d, { rows, columns }) => ({
    rows,
    columns,
    out: d.real(rows * columns),
    gradOut: d.real(rows * columns),
    gradX: d.output(rows, columns),
  }),
  suite: rowShapes,
});

const labelsOf = (rows: number, columns: number) => Array.from({ length: rows }, (_, i) => (i * 5) % columns);

export const crossEntropy = labKernel('crossEntropy', {
  equation: 'losses = logSumExp(logits) - logits[label] for each row; probabilities = softmax(logits)',
  extents: LOGITS,
  unit,
  units,
  args: (d, { rows, columns }) => ({
    rows,
    columns,
    logits: d.real(rows * columns),
    labels: d.ints(labelsOf(rows, columns)),
    losses: d.output(rows),
    probabilities: d.output(rows, columns),
  }),
  suite: rowShapes,
});

export const crossEntropyGrad = labKernel('crossEntropyGrad', {
  equation: 'gradLogits = gradLosses * (probabilities - onehot(label)) for each row',
  extents: LOGITS,
  unit: 'element',
  units: ({ rows, columns }) => rows * columns,
  args: (d, { rows, columns }) => ({
    rows,
    columns,
    probabilities: d.real(rows * columns),
    labels: d.ints(labelsOf(rows, columns)),
    gradLosses: d.real(rows),
    gradLogits: d.output(rows, columns),
  }),
  suite: rowShapes,
});

export const sumRows = labKernel('sumRows', {
  equation: 'out[c] = scale * sum over rows of x[r, c]',
  extents: { rows: 64, columns: 1 },
  options: { scale: 0.3 },
  ...perColumn,
  args: (d, { rows, columns, scale }) => ({
    rows,
    columns,
    scale,
    x: d.real(rows * columns),
    out: d.output(columns),
  }),
  suite: rowShapes,
});

export const broadcastRows = labKernel('broadcastRows', {
  equation: 'out[r, c] = scale * x[c]',
  extents: { rows: 64, columns: 1 },
  options: { scale: -2 },
  unit: 'element',
  units: ({ rows, columns }) => rows * columns,
  args: (d, { rows, columns, scale }) => ({
    rows,
    columns,
    scale,
    x: d.real(columns),
    out: d.output(rows, columns),
  }),
  suite: rowShapes,
});

export const gatherRows = labKernel('gatherRows', {
  equation: 'out[r] = source[index[r]] + base[baseIndex[r]]; a part whose index is -1 is zero',
  extents: TOWER,
  options: { base: 0 },
  unit: 'element',
  units: ({ rows, columns }) => rows * columns,
  args: (d, { rows, columns, base }) => {
    const sources = Math.max(1, rows - 3);
    return {
      rows,
      columns,
      source: d.real(sources * columns),
      index: d.ints(Array.from({ length: rows }, (_, i) => (i % 4 === 1 ? -1 : (i * 3) % sources))),
      base: base
        ? { buffer: d.real(2 * columns), index: d.ints(Array.from({ length: rows }, (_, i) => (i % 3) - 1)) }
        : undefined,
      out: d.output(rows, columns),
    };
  },
  suite: rowShapes.flatMap(({ rows, columns }) => {
    const shape = { rows: rows + 3, columns };
    return [shape, { ...shape, base: 1 }];
  }),
});

export const scatterAddRows = labKernel('scatterAddRows', {
  equation: 'out[s] = sum of gradOut[readers[t]] for t from readerStart[s] to readerStart[s + 1]',
  extents: { rows: 512, columns: 512 },
  unit: 'element',
  units: ({ sourceRows, columns }) => sourceRows * columns,
  args: (d, { rows, columns }) => {
    // Source row s is read by rows s, s + 1, ... of a ring, s % 3 of them: none, one or several readers.
    const readers = Array.from({ length: rows }, (_, s) =>
      Array.from({ length: s % 3 }, (_, t) => (s + t) % Math.max(1, rows - 1)),
    );
    let sum = 0;
    const starts = readers.map((list) => {
      sum += list.length;
      return sum;
    });
    return {
      sourceRows: rows,
      columns,
      gradOut: d.real(Math.max(1, rows - 1) * columns),
      readerStart: d.ints([0, ...starts]),
      readers: d.ints([...readers.flat(), 0]),
      out: d.output(rows, columns),
    };
  },
  suite: rowShapes.map(({ rows, columns }) => ({ rows: rows + 1, columns })),
});
