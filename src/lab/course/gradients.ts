/** Automatic differentiation, first part: what backward computes for elements, broadcasts and sums. */
import { reads, readsIndices, updates, writes } from '../../kernels/index.js';
import { SUMS } from './reductions.js';
import { numbers, task, track } from './task.js';

const LENGTHS = [1, 63, 65, 200].map((length) => ({ length }));
const GRIDS = [
  { rows: 1, columns: 1 },
  { rows: 7, columns: 9 },
  { rows: 20, columns: 66 },
];

export const gradients = track(
  'gradients',
  'Gradients: elements and sums',
  'grad_out says how much the loss grows with each element of a result. Backward works out the same for the inputs. Copies become sums, and sums copies.',
  [
    task({
      id: 'grad-multiply',
      title: 'Gradient of a product',
      minutes: 10,
      statement: 'out = a * b, element by element. How much does the loss grow with a, and how much with b?',
      hints: [
        'If a grows by a little, out grows by b times as much.',
        'And the loss by grad_out times that.',
        'grad_a[i] = grad_out[i] * b[i]; and the other way round.',
      ],
      operands: {
        a: reads('length'),
        b: reads('length'),
        gradOut: reads('length'),
        gradA: writes('length'),
        gradB: writes('length'),
      },
      covers: 64,
      units: ({ length }) => length,
      twin({ a, b, gradOut, gradA, gradB, length }) {
        for (let i = 0; i < length; i++) {
          gradA[i] = gradOut[i]! * b[i]!;
          gradB[i] = gradOut[i]! * a[i]!;
        }
      },
      cases: LENGTHS,
    }),
    task({
      id: 'grad-relu',
      title: 'Gradient of a positive part',
      minutes: 5,
      statement: 'out = max(x, 0). The gradient passes where x is above 0, and is 0 elsewhere, at 0 too.',
      hints: [
        'It is the sign of x that counts, not that of grad_out.',
        'select(otherwise, value, condition)',
        'grad_x[i] = select(0.0, grad_out[i], x[i] > 0.0);',
      ],
      operands: { x: reads('length'), gradOut: reads('length'), gradX: writes('length') },
      covers: 64,
      units: ({ length }) => length,
      data: (d, { length = 0, zeros }) => (zeros ? { x: d.values(numbers(length, (i) => (i % 3) - 1)) } : {}),
      twin({ x, gradOut, gradX, length }) {
        for (let i = 0; i < length; i++) gradX[i] = x[i]! > 0 ? gradOut[i]! : 0;
      },
      cases: [...LENGTHS, { length: 30, zeros: 1 }],
    }),
    task({
      id: 'grad-shift',
      title: 'Gradient of a broadcast',
      minutes: 10,
      statement:
        'out[r, c] = x[r, c] + shift[c]: each number of shift was used once in every row. Its gradient is the sum of what all of these say.',
      hints: [
        'One invocation has a column.',
        'A loop over the rows.',
        'sum += grad_out[row * params.columns + column];',
      ],
      ...SUMS,
      operands: { gradOut: reads('rows columns'), gradShift: writes('columns') },
      covers: 64,
      units: ({ columns }) => columns,
      twin({ gradOut, gradShift, rows, columns }) {
        for (let c = 0; c < columns; c++) {
          let sum = 0;
          for (let row = 0; row < rows; row++) sum += gradOut[row * columns + c]!;
          gradShift[c] = sum;
        }
      },
      cases: GRIDS,
    }),
    task({
      id: 'grad-row-sum',
      title: 'Gradient of a sum',
      minutes: 5,
      statement:
        'out[r] is the sum of row r of x. If any number of the row grows by a little, out[r] grows by as much.',
      hints: [
        'So every number of the row has the same gradient.',
        'It is that of the row: no sum is needed.',
        'grad_x[row * params.columns + column] = grad_out[row];',
      ],
      operands: { gradOut: reads('rows'), gradX: writes('rows columns') },
      covers: [8, 8],
      units: ({ rows, columns }) => [rows, columns],
      twin({ gradOut, gradX, rows, columns }) {
        for (let i = 0; i < rows * columns; i++) gradX[i] = gradOut[Math.floor(i / columns)]!;
      },
      cases: GRIDS,
    }),
    task({
      id: 'grad-mean-square',
      title: 'Gradient of a mean square',
      minutes: 10,
      statement: 'out[r] is the mean of the squares of row r. Work out the gradient of x: the chain rule, twice.',
      hints: [
        'The derivative of a square is twice the number.',
        'A mean divides by how many there are.',
        'grad_x[at] = 2.0 * x[at] / f32(params.columns) * grad_out[row];',
      ],
      operands: { x: reads('rows columns'), gradOut: reads('rows'), gradX: writes('rows columns') },
      covers: [8, 8],
      units: ({ rows, columns }) => [rows, columns],
      twin({ x, gradOut, gradX, rows, columns }) {
        for (let i = 0; i < rows * columns; i++) gradX[i] = (2 * x[i]! * gradOut[Math.floor(i / columns)]!) / columns;
      },
      cases: GRIDS,
    }),
    task({
      id: 'accumulate',
      title: 'Gradients add up',
      minutes: 5,
      statement:
        'A tensor that is used twice receives two gradients, and its own is their sum. grad holds what has come so far; add params.scale * grad_out to it.',
      hints: ['grad is read and written.', '+= does both.', 'grad[i] += params.scale * grad_out[i];'],
      operands: { gradOut: reads('length'), grad: updates('length') },
      scalars: { scale: 0.75 },
      covers: 64,
      units: ({ length }) => length,
      twin({ gradOut, grad, scale, length }) {
        for (let i = 0; i < length; i++) grad[i] = grad[i]! + scale * gradOut[i]!;
      },
      cases: LENGTHS,
    }),
    task({
      id: 'grad-gather',
      title: 'Gradient of picked rows',
      minutes: 20,
      statement:
        'out[r] = table[places[r]]. A row of the table that was picked several times receives the sum of their gradients, one that was never picked zeros. The file lets ' +
        'each picked row write to the table: two may write to the same place.',
      hints: [
        'Turn it round: an invocation for each element of the table, which looks for those that picked it.',
        'A loop over all rows, with an `if` on places[row].',
        'if (places[row] == i32(entry)) { sum += grad_out[row * params.columns + column]; }',
      ],
      ...SUMS,
      operands: { gradOut: reads('rows columns'), places: readsIndices('rows'), gradTable: writes('entries columns') },
      covers: [8, 8],
      units: ({ entries, columns }) => [entries, columns],
      data: (d, { rows = 0, entries = 1 }) => ({ places: d.ints(numbers(rows, (i) => (i * i) % entries)) }),
      twin({ gradOut, places, gradTable, rows, columns, entries }) {
        gradTable.fill(0, 0, entries * columns);
        for (let row = 0; row < rows; row++) {
          const to = places[row]! * columns;
          for (let c = 0; c < columns; c++) gradTable[to + c] = gradTable[to + c]! + gradOut[row * columns + c]!;
        }
      },
      cases: [
        { rows: 1, columns: 1, entries: 1 },
        { rows: 9, columns: 5, entries: 7 },
        { rows: 20, columns: 9, entries: 12 },
        { rows: 4, columns: 3, entries: 11 },
      ],
    }),
  ],
);
