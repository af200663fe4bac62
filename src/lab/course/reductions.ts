/** Many numbers become one: by one invocation, and by a workgroup together. */
import { reads, type Sizes, writes } from '../../kernels/index.js';
import { numbers, task, track } from './task.js';

export const ROWS: readonly Sizes[] = [
  { rows: 1, columns: 1 },
  { rows: 3, columns: 7 },
  { rows: 65, columns: 64 },
  { rows: 2, columns: 130 },
];

export const SUMS = {
  tolerance: 1e-5,
  why: 'sums of up to 130 terms in any order, each rounded to 6e-8 of what has been added up',
};

/** One invocation takes a row. */
export const byRow = {
  covers: 64,
  unit: 'row',
  units: ({ rows }: { readonly rows: number }) => rows,
} as const;
const groupByRow = { ...byRow, covers: 1 } as const;

export const reductions = track(
  'reductions',
  'Reductions',
  'Many numbers become one: first by one invocation, then by a workgroup whose invocations share memory and wait for each other at barriers.',
  [
    task({
      id: 'row-sum',
      title: 'Sum of each row',
      minutes: 5,
      statement: 'One invocation takes a row and adds up its columns.',
      hints: [
        'A loop: for (var c = 0u; c < params.columns; c++) { ... }',
        'The row begins at row * params.columns.',
        'sum += x[row * params.columns + c];',
      ],
      ...SUMS,
      operands: { x: reads('rows columns'), out: writes('rows') },
      ...byRow,
      twin({ x, out, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          let sum = 0;
          for (let c = 0; c < columns; c++) sum += x[row * columns + c]!;
          out[row] = sum;
        }
      },
      cases: ROWS,
    }),
    task({
      id: 'row-maximum',
      title: 'Largest of each row',
      minutes: 5,
      statement: 'One invocation takes a row and finds its largest number. Something is wrong with some rows: which?',
      hints: [
        'Look at the inputs of the failing case. Is the answer among them?',
        'A maximum that starts from 0 is never below 0.',
        "Start from the row's first number.",
      ],
      operands: { x: reads('rows columns'), out: writes('rows') },
      ...byRow,
      data: (d, { rows = 0, columns = 0, negative }) =>
        negative ? { x: d.values(numbers(rows * columns, (i) => -5000 - ((i * 7) % 13))) } : {},
      twin({ x, out, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          let largest = Number.NEGATIVE_INFINITY;
          for (let c = 0; c < columns; c++) largest = Math.max(largest, x[row * columns + c]!);
          out[row] = largest;
        }
      },
      cases: [...ROWS, { rows: 3, columns: 7, negative: 1 }],
    }),
    task({
      id: 'workgroup-sum',
      title: 'A workgroup adds up',
      minutes: 15,
      statement:
        'The 64 invocations of a workgroup take a row together. Each has added up every 64th number and put its part into scratch. Add up the 64 parts: halve them ' +
        'again and again, and mind that nobody reads what another has yet to write.',
      hints: [
        'In the first round, invocation i < 32 adds scratch[i + 32] to scratch[i]; then 16 of them, and so on.',
        'workgroupBarrier() makes all wait: before the first round, and after each. All invocations must come by it, so it cannot stand in the `if`.',
        'for (var half = 32u; half > 0u; half /= 2u) { if (lane < half) { scratch[lane] += scratch[lane + half]; } workgroupBarrier(); }',
      ],
      ...SUMS,
      operands: { x: reads('rows columns'), out: writes('rows') },
      ...groupByRow,
      twin({ x, out, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          let sum = 0;
          for (let c = 0; c < columns; c++) sum += x[row * columns + c]!;
          out[row] = sum;
        }
      },
      cases: [
        { rows: 1, columns: 1 },
        { rows: 3, columns: 64 },
        { rows: 5, columns: 200 },
      ],
    }),
    task({
      id: 'dot-product',
      title: 'Dot product',
      minutes: 10,
      statement:
        'As before, but of products of two rows, of any number of columns. The end is there: what does each invocation add up?',
      hints: [
        'An invocation without a column adds nothing; one with several adds them all.',
        'A loop in steps of 64 from lane on does both.',
        'for (var c = lane; c < params.columns; c += 64u) { ... }',
      ],
      ...SUMS,
      operands: { a: reads('rows columns'), b: reads('rows columns'), out: writes('rows') },
      ...groupByRow,
      twin({ a, b, out, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          let sum = 0;
          for (let c = 0; c < columns; c++) sum += a[row * columns + c]! * b[row * columns + c]!;
          out[row] = sum;
        }
      },
      cases: [
        { rows: 1, columns: 1 },
        { rows: 3, columns: 64 },
        { rows: 5, columns: 200 },
      ],
    }),
    task({
      id: 'prefix-sum',
      title: 'Running sum',
      minutes: 20,
      statement:
        'Element c of the result is the sum of all up to c. The workgroup does it in six rounds: in each, an invocation adds what stands step places before its own. ' +
        'The file is nearly right; on some adapters it may even pass a test.',
      hints: [
        'In a round, scratch[lane - step] is read by one invocation and written by another. Which comes first?',
        'All must have read before any writes, and all must have written before any reads again: two barriers a round.',
        'Read into a variable, barrier, add, barrier.',
      ],
      ...SUMS,
      operands: { x: reads('rows columns'), out: writes('rows columns') },
      ...groupByRow,
      twin({ x, out, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          let sum = 0;
          for (let c = 0; c < columns; c++) {
            sum += x[row * columns + c]!;
            out[row * columns + c] = sum;
          }
        }
      },
      cases: [
        { rows: 1, columns: 1 },
        { rows: 3, columns: 7 },
        { rows: 4, columns: 64 },
        { rows: 3, columns: 43 },
      ],
    }),
    task({
      id: 'largest-place',
      title: 'Where the largest is',
      minutes: 10,
      statement:
        'The column of the largest number of each row, written as an f32; the first of them if several are equal. This is how a class is predicted.',
      hints: [
        'Remember the column of the largest so far, not only the number.',
        'Replace it only by a number that is really larger: then the first of equals stays.',
        'if (x[at + c] > x[at + best]) { best = c; }',
      ],
      operands: { x: reads('rows columns'), out: writes('rows') },
      ...byRow,
      data: (d, { rows = 0, columns = 0, ties }) =>
        ties ? { x: d.values(numbers(rows * columns, (i) => ((i * 5) % 7) - 9)) } : {},
      twin({ x, out, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          let best = 0;
          for (let c = 1; c < columns; c++) if (x[row * columns + c]! > x[row * columns + best]!) best = c;
          out[row] = best;
        }
      },
      cases: [...ROWS, { rows: 5, columns: 23, ties: 1 }],
    }),
    task({
      id: 'mean-and-variance',
      title: 'Mean and variance',
      minutes: 15,
      statement:
        'The mean of each row, and the mean of the squared distances from it. The file uses the mean of the squares less the square of the mean, which is the same ' +
        'on paper. On rows that lie around 1000 it is not.',
      hints: [
        'Squares around 1,000,000 are rounded to multiples of 1/16: how large is the variance?',
        'Subtract the mean before you square.',
        'Two loops: the first for the mean, the second for (x - mean) * (x - mean).',
      ],
      tolerance: 1e-4,
      why: 'the mean of numbers around 1000 is rounded to 6e-5',
      operands: { x: reads('rows columns'), mean: writes('rows'), variance: writes('rows') },
      ...byRow,
      data: (d, { rows = 0, columns = 0, offset = 0 }) =>
        offset ? { x: d.values(numbers(rows * columns, (i) => offset + ((i * 7) % 11) / 8)) } : {},
      twin({ x, mean, variance, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          let sum = 0;
          for (let c = 0; c < columns; c++) sum += x[row * columns + c]!;
          const average = sum / columns;
          let squares = 0;
          for (let c = 0; c < columns; c++) squares += (x[row * columns + c]! - average) ** 2;
          mean[row] = average;
          variance[row] = squares / columns;
        }
      },
      cases: [...ROWS, { rows: 3, columns: 50, offset: 1000 }],
    }),
  ],
);
