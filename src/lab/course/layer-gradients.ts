/** Automatic differentiation, second part: what backward computes for layers. */
import { type CaseData, type RealArray, reads, readsIndices, type Sizes, writes } from '../../kernels/index.js';
import { around, FAR, FAR_TOLERANCE, logSumExp } from './normalisation.js';
import { byRow, ROWS, SUMS } from './reductions.js';
import { numbers, task, track } from './task.js';

const PRODUCTS = [
  { m: 1, n: 1, k: 1 },
  { m: 7, n: 9, k: 5 },
  { m: 17, n: 10, k: 12 },
];

/** Sums of a row that gradients of normalisations need: of the numbers less `mean`, squared, and of these times another row. */
function sumsOf(x: RealArray, other: RealArray, at: number, columns: number, mean: number): [number, number] {
  let [squares, along] = [0, 0];
  for (let c = 0; c < columns; c++) {
    squares += (x[at + c]! - mean) ** 2;
    along += (x[at + c]! - mean) * other[at + c]!;
  }
  return [squares, along];
}

function meanOf(x: RealArray, at: number, columns: number): number {
  let sum = 0;
  for (let c = 0; c < columns; c++) sum += x[at + c]!;
  return sum / columns;
}

/** Probabilities, and a label for each row. */
export const labelled = (d: CaseData, { rows = 0, columns = 1 }: Sizes) => ({
  labels: d.ints(numbers(rows, (i) => (i * 5) % columns)),
});

export const layerGradients = track(
  'layer-gradients',
  'Gradients: layers',
  'What backward computes for the layers of a network: softmax, cross-entropy, normalisations, products and attention.',
  [
    task({
      id: 'grad-softmax',
      title: 'Gradient of a softmax',
      minutes: 15,
      statement:
        'out is a softmax of each row. Pushing one number up pushes all the others down: grad_x = out * (grad_out - out . grad_out), where the dot product is over the row.',
      hints: [
        'The dot product is missing.',
        'One loop over the row, before the last.',
        'along += out[at + c] * grad_out[at + c];',
      ],
      ...SUMS,
      operands: { out: reads('rows columns'), gradOut: reads('rows columns'), gradX: writes('rows columns') },
      ...byRow,
      data: (d, { rows = 0, columns = 1 }) => ({
        out: d.values(numbers(rows * columns, (i) => (1 + (i % columns)) / ((columns * (columns + 1)) / 2))),
      }),
      twin({ out, gradOut, gradX, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          const at = row * columns;
          const [, along] = sumsOf(out, gradOut, at, columns, 0);
          for (let c = 0; c < columns; c++) gradX[at + c] = out[at + c]! * (gradOut[at + c]! - along);
        }
      },
      cases: ROWS.slice(1),
    }),
    task({
      id: 'grad-log-sum-exp',
      title: 'Gradient of a log-sum-exp',
      minutes: 10,
      statement:
        'out[r] = log(sum of exp(x[r, ...])). Its derivative by x is the softmax of the row. Rows far above and below 0 occur.',
      hints: [
        'The file is right as long as no exponential overflows or vanishes.',
        "Subtract the row's largest number, as in a softmax.",
        'var largest = x[at]; and a loop with max.',
      ],
      ...FAR_TOLERANCE,
      operands: { x: reads('rows columns'), gradOut: reads('rows'), gradX: writes('rows columns') },
      ...byRow,
      data: around,
      twin({ x, gradOut, gradX, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          const at = row * columns;
          const whole = logSumExp(x, at, columns);
          for (let c = 0; c < columns; c++) gradX[at + c] = gradOut[row]! * Math.exp(x[at + c]! - whole);
        }
      },
      cases: FAR,
    }),
    task({
      id: 'grad-cross-entropy',
      title: 'Gradient of a cross-entropy',
      minutes: 10,
      statement:
        "The loss of a row is -log of the probability of its label. By the logits its gradient is the probabilities, less 1 at the label, times the row's own grad_losses.",
      hints: [
        'The 1 belongs to one column only.',
        'labels is of type i32: i32(column) == labels[row].',
        'let wanted = select(0.0, 1.0, i32(column) == labels[row]);',
      ],
      operands: {
        probabilities: reads('rows columns'),
        labels: readsIndices('rows'),
        gradLosses: reads('rows'),
        gradLogits: writes('rows columns'),
      },
      covers: [8, 8],
      units: ({ rows, columns }) => [rows, columns],
      data: labelled,
      twin({ probabilities, labels, gradLosses, gradLogits, rows, columns }) {
        for (let i = 0; i < rows * columns; i++) {
          const [row, c] = [Math.floor(i / columns), i % columns];
          gradLogits[i] = gradLosses[row]! * (probabilities[i]! - (c === labels[row] ? 1 : 0));
        }
      },
      cases: ROWS.slice(0, 3),
    }),
    task({
      id: 'grad-rms-norm',
      title: 'Gradient of a division by the root mean square',
      minutes: 20,
      statement:
        'out = x * f with f = 1 / sqrt(mean of x^2 + 1e-5), and f depends on every number of the row. So grad_x = f * (grad_out - out * mean of (out * grad_out)).',
      hints: [
        'The second term is missing: what reaches x by way of f.',
        'out is x * f. The sum of x * grad_out is there, as along.',
        'f * (grad_out[at + c] - x[at + c] * f * f * along / count)',
      ],
      ...SUMS,
      operands: { x: reads('rows columns'), gradOut: reads('rows columns'), gradX: writes('rows columns') },
      ...byRow,
      twin({ x, gradOut, gradX, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          const at = row * columns;
          const [squares, along] = sumsOf(x, gradOut, at, columns, 0);
          const f = 1 / Math.sqrt(squares / columns + 1e-5);
          for (let c = 0; c < columns; c++)
            gradX[at + c] = f * (gradOut[at + c]! - (x[at + c]! * f * f * along) / columns);
        }
      },
      cases: ROWS.slice(1),
    }),
    task({
      id: 'grad-layer-norm',
      title: 'Gradient of a layer normalisation',
      minutes: 25,
      statement:
        'As before, but the mean was subtracted first: f * (grad_out - mean of grad_out - y * mean of (y * grad_out)), where y is the normalised row. Without gain and shift.',
      hints: [
        'The last term is missing.',
        'y = (x - mean) * f; and along is the sum of (x - mean) * grad_out.',
        'f * (grad_out[at + c] - grad_mean - y * f * along / count)',
      ],
      ...SUMS,
      operands: { x: reads('rows columns'), gradOut: reads('rows columns'), gradX: writes('rows columns') },
      ...byRow,
      twin({ x, gradOut, gradX, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          const at = row * columns;
          const [mean, gradMean] = [meanOf(x, at, columns), meanOf(gradOut, at, columns)];
          const [squares, along] = sumsOf(x, gradOut, at, columns, mean);
          const f = 1 / Math.sqrt(squares / columns + 1e-5);
          for (let c = 0; c < columns; c++)
            gradX[at + c] = f * (gradOut[at + c]! - gradMean - ((x[at + c]! - mean) * f * f * along) / columns);
        }
      },
      cases: ROWS.slice(1),
    }),
    task({
      id: 'grad-left',
      title: 'Gradient of a product by its left operand',
      minutes: 15,
      statement:
        'out = a b. The gradient of a is grad_out times b transposed: [m, n] times [n, k]. b is stored as [k, n].',
      hints: [
        'Rows of b are params.n long.',
        'b transposed, [j, column], is b[column, j].',
        'sum += grad_out[row * params.n + j] * b[column * params.n + j];',
      ],
      ...SUMS,
      operands: { gradOut: reads('m n'), b: reads('k n'), gradA: writes('m k') },
      covers: [8, 8],
      units: ({ m, k }) => [m, k],
      twin({ gradOut, b, gradA, m, n, k }) {
        for (let i = 0; i < m; i++) {
          for (let p = 0; p < k; p++) {
            let sum = 0;
            for (let j = 0; j < n; j++) sum += gradOut[i * n + j]! * b[p * n + j]!;
            gradA[i * k + p] = sum;
          }
        }
      },
      cases: PRODUCTS,
    }),
    task({
      id: 'grad-right',
      title: 'Gradient of a product by its right operand',
      minutes: 15,
      statement:
        'out = a b. The gradient of b is a transposed times grad_out: a sum over the rows of both, in steps of a whole row.',
      hints: [
        'The sum goes over the m rows.',
        'a transposed, [row, i], is a[i, row].',
        'for (var i = 0u; i < params.m; i++) { sum += a[i * params.k + row] * grad_out[i * params.n + column]; }',
      ],
      ...SUMS,
      operands: { a: reads('m k'), gradOut: reads('m n'), gradB: writes('k n') },
      covers: [8, 8],
      units: ({ k, n }) => [k, n],
      twin({ a, gradOut, gradB, m, n, k }) {
        transposedProduct(a, gradOut, gradB, m, k, n);
      },
      cases: PRODUCTS,
    }),
    task({
      id: 'grad-values',
      title: 'Gradient of attention by its values',
      minutes: 10,
      statement:
        'out = p v, where p has the weights of each query. The gradient of a value comes from all queries that looked at it, each by its weight.',
      hints: [
        'It is the gradient of a product by its right operand, in other words.',
        'A loop over the queries.',
        'sum += p[query * params.keys + key] * grad_out[query * params.width + column];',
      ],
      ...SUMS,
      operands: { p: reads('queries keys'), gradOut: reads('queries width'), gradV: writes('keys width') },
      covers: [8, 8],
      units: ({ keys, width }) => [keys, width],
      twin({ p, gradOut, gradV, queries, keys, width }) {
        transposedProduct(p, gradOut, gradV, queries, keys, width);
      },
      cases: [
        { queries: 1, keys: 1, width: 1 },
        { queries: 7, keys: 9, width: 5 },
        { queries: 12, keys: 10, width: 17 },
      ],
    }),
  ],
);

/** out = a^T b: [rows, k] and [rows, n] give [k, n]. */
function transposedProduct(a: RealArray, b: RealArray, out: RealArray, rows: number, k: number, n: number): void {
  for (let p = 0; p < k; p++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) sum += a[i * k + p]! * b[i * n + j]!;
      out[p * n + j] = sum;
    }
  }
}
