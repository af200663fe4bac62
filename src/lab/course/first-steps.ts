/** First steps in WGSL: which invocation does what, and where the data ends. */
import { kernelNamed, reads, readsIndices, writes } from '../../kernels/index.js';
import { fourElements } from './exercises.js';
import { numbers, task, track } from './task.js';

const LENGTHS = [1, 63, 64, 65, 200].map((length) => ({ length }));
const GRIDS = [
  { rows: 1, columns: 1 },
  { rows: 7, columns: 9 },
  { rows: 8, columns: 8 },
  { rows: 17, columns: 5 },
];

export const firstSteps = track(
  'first-steps',
  'WGSL: first steps',
  'Which invocation does what, and where the data ends. Ten minutes each at most; start here.',
  [
    task({
      id: 'double',
      title: 'Double every number',
      minutes: 5,
      statement:
        'Each invocation has a number, id.x, and takes one element. Write twice x[i] to out[i]. Everything else is there.',
      hints: [
        'Buffers are indexed as arrays are: x[i] reads, out[i] = ... writes.',
        'Numbers of type f32 need a point: 2.0, not 2.',
        'out[i] = 2.0 * x[i];',
      ],
      operands: { x: reads('length'), out: writes('length') },
      covers: 64,
      units: ({ length }) => length,
      twin({ x, out, length }) {
        for (let i = 0; i < length; i++) out[i] = 2 * x[i]!;
      },
      cases: LENGTHS,
    }),
    task({
      id: 'bounds',
      title: 'Stay within bounds',
      minutes: 5,
      statement:
        'Workgroups have 64 invocations, but a vector need not have a multiple of 64 elements. The last workgroup then has invocations without an ' +
        'element, and they must not write: what lies behind a vector belongs to something else. Add 1 to every element, and write nothing behind the last.',
      hints: [
        'How many elements there are is params.length. Compare it with i before anything is written.',
        'An invocation that has nothing to do may return.',
        'if (i >= params.length) { return; }',
      ],
      operands: { x: reads('length'), out: writes('length') },
      covers: 64,
      units: ({ length }) => length,
      twin({ x, out, length }) {
        for (let i = 0; i < length; i++) out[i] = x[i]! + 1;
      },
      cases: LENGTHS,
    }),
    task({
      id: 'two-axes',
      title: 'A grid of two axes',
      minutes: 10,
      statement:
        'A matrix is stored row after row in one buffer. Workgroups of 8 x 8 invocations cover it: id.y is the row, id.x the column. Add to each element ' +
        'the number that shift has for its column.',
      hints: [
        'Before row r lie r whole rows, each of params.columns numbers.',
        'The element [row, column] is at row * params.columns + column.',
        'out[at] = x[at] + shift[column];',
      ],
      operands: { x: reads('rows columns'), shift: reads('columns'), out: writes('rows columns') },
      covers: [8, 8],
      units: ({ rows, columns }) => [rows, columns],
      twin({ x, shift, out, rows, columns }) {
        for (let i = 0; i < rows * columns; i++) out[i] = x[i]! + shift[i % columns]!;
      },
      cases: GRIDS,
    }),
    task({
      id: 'reverse',
      title: 'Reverse a vector',
      minutes: 5,
      statement:
        'Write the elements of x to out in reverse order. An invocation may read from any place; it is only in writing that no two may meet.',
      hints: [
        'The first element of out is the last of x. At which index is that?',
        'Whole numbers without a sign are written 1u.',
        'out[i] = x[params.length - 1u - i];',
      ],
      operands: { x: reads('length'), out: writes('length') },
      covers: 64,
      units: ({ length }) => length,
      twin({ x, out, length }) {
        for (let i = 0; i < length; i++) out[i] = x[length - 1 - i]!;
      },
      cases: LENGTHS,
    }),
    task({
      id: 'blur',
      title: 'Blur with three',
      minutes: 10,
      statement:
        'Each element becomes the mean of itself and its two neighbours. Beyond either end the element at the end counts again. A vector may have only one ' +
        'element.',
      hints: [
        'i is a u32: what is 0u - 1u?',
        'max, min and select(otherwise, value, condition) give an index that lies inside.',
        'let left = x[select(i - 1u, 0u, i == 0u)]; let right = x[min(i + 1u, params.length - 1u)];',
      ],
      operands: { x: reads('length'), out: writes('length') },
      covers: 64,
      units: ({ length }) => length,
      twin({ x, out, length }) {
        for (let i = 0; i < length; i++)
          out[i] = (x[Math.max(i - 1, 0)]! + x[i]! + x[Math.min(i + 1, length - 1)]!) / 3;
      },
      cases: LENGTHS,
    }),
    task({
      id: 'gather',
      title: 'Pick rows',
      minutes: 10,
      statement:
        'Row r of the result is the row places[r] of table. The numbers in places have a sign, and -1 means that there is no row: the result is then zero. ' +
        'This is how token embeddings are looked up.',
      hints: [
        'u32(-1) is the largest number of all. Look at the sign before you convert.',
        'Start with var value = 0.0; and replace it only where places[row] is 0 or more.',
        'if (places[row] >= 0) { value = table[u32(places[row]) * params.columns + column]; }',
      ],
      operands: { table: reads('entries columns'), places: readsIndices('rows'), out: writes('rows columns') },
      covers: [8, 8],
      units: ({ rows, columns }) => [rows, columns],
      data: (d, { rows = 0, entries = 1 }) => ({
        places: d.ints(numbers(rows, (i) => (i % 3 === 2 ? -1 : (i * 5) % entries))),
      }),
      twin({ table, places, out, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          const place = places[row]!;
          for (let c = 0; c < columns; c++) out[row * columns + c] = place < 0 ? 0 : table[place * columns + c]!;
        }
      },
      cases: [
        { rows: 1, columns: 1, entries: 1 },
        { rows: 7, columns: 9, entries: 4 },
        { rows: 17, columns: 5, entries: 11 },
      ],
    }),
    fourElements(kernelNamed('affine')),
  ],
);
