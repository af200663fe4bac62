/** Softmax and normalisation: exponentials that do not overflow, and rows brought to a common size. */
import { type CaseData, kernelNamed, reads, type Sizes, writes } from '../../kernels/index.js';
import { fixSoftmax, removeBarriers } from './exercises.js';
import { byRow, ROWS, SUMS } from './reductions.js';
import { numbers, task, track } from './task.js';

/** Rows far above and far below 0. */
export const FAR: readonly Sizes[] = [
  ...ROWS,
  { rows: 3, columns: 7, around: 200 },
  { rows: 3, columns: 40, around: -700 },
];

export const around = (d: CaseData, { rows = 0, columns = 0, around: centre = 0 }: Sizes) =>
  centre ? { x: d.values(numbers(rows * columns, (i) => centre + ((i * 7) % 11) / 4)) } : {};

export const FAR_TOLERANCE = {
  tolerance: 1e-4,
  why: 'exponentials of numbers around 700, which single precision rounds by 3e-5, are off by as much',
};

/** The logarithm of the sum of a row's exponentials. */
export function logSumExp(x: ArrayLike<number>, at: number, columns: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < columns; c++) most = Math.max(most, x[at + c]!);
  let sum = 0;
  for (let c = 0; c < columns; c++) sum += Math.exp(x[at + c]! - most);
  return most + Math.log(sum);
}

export const normalisation = track(
  'normalisation',
  'Softmax and normalisation',
  'Exponentials that neither overflow nor vanish, logarithms of what may be zero, and rows brought to a common size.',
  [
    task({
      id: 'log-sum-exp',
      title: 'Logarithm of a sum of exponentials',
      minutes: 10,
      statement:
        'log(sum of exp(x)) of each row: the denominator of a softmax, and the heart of every cross-entropy. Rows around 200 and around -700 occur.',
      hints: [
        'exp(89) does not fit in float32, and exp(-104) is 0.',
        'log(sum of exp(x)) = a + log(sum of exp(x - a)) for any a: take the largest x of the row.',
        'out[row] = largest + log(sum of exp(x - largest)).',
      ],
      operands: { x: reads('rows columns'), out: writes('rows') },
      ...byRow,
      data: around,
      ...SUMS,
      twin({ x, out, rows, columns }) {
        for (let row = 0; row < rows; row++) out[row] = logSumExp(x, row * columns, columns);
      },
      cases: FAR,
    }),
    fixSoftmax(kernelNamed('softmax')),
    task({
      id: 'log-softmax',
      title: 'Logarithm of a softmax',
      minutes: 10,
      statement:
        'The logarithm of each element of the softmax. The file takes the softmax first, then its logarithm: where a probability is too small for float32, that is ' +
        'minus infinity, though the right answer is a quite ordinary number.',
      hints: [
        'log(a / b) = log(a) - log(b). What is the logarithm of an exponential?',
        'No exponential of a single element is needed.',
        'out[at + c] = x[at + c] - largest - log(sum);',
      ],
      ...SUMS,
      operands: { x: reads('rows columns'), out: writes('rows columns') },
      ...byRow,
      data: (d, { rows = 0, columns = 0, unlikely }) =>
        unlikely ? { x: d.values(numbers(rows * columns, (i) => (i % 3 === 2 ? 120 : -(i % 7)))) } : {},
      twin({ x, out, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          const whole = logSumExp(x, row * columns, columns);
          for (let c = 0; c < columns; c++) out[row * columns + c] = x[row * columns + c]! - whole;
        }
      },
      cases: [...ROWS, { rows: 3, columns: 7, unlikely: 1 }],
    }),
    removeBarriers(kernelNamed('softmax')),
    task({
      id: 'online-softmax',
      title: 'Softmax statistics in one loop',
      minutes: 20,
      statement:
        'The largest number of each row, and the sum of exp(x - largest): with a single loop, so that each number is read once. What has been added up for a smaller ' +
        'maximum must be scaled when a larger one comes. Attention that never stores its scores rests on this.',
      hints: [
        'If the maximum grows from a to b, every exp(x - a) that was added becomes exp(x - b): all by the same factor.',
        'The factor is exp(a - b).',
        'sum = sum * exp(most - next) + exp(x[at + c] - next); most = next; with next = max(most, x[at + c]).',
      ],
      ...FAR_TOLERANCE,
      operands: { x: reads('rows columns'), largest: writes('rows'), total: writes('rows') },
      ...byRow,
      data: around,
      twin({ x, largest, total, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          const at = row * columns;
          let most = Number.NEGATIVE_INFINITY;
          for (let c = 0; c < columns; c++) most = Math.max(most, x[at + c]!);
          largest[row] = most;
          total[row] = Math.exp(logSumExp(x, at, columns) - most);
        }
      },
      cases: FAR,
      condition: ({ text }) => {
        const loops = text.replaceAll(/\/\/.*/g, '').match(/\b(?:for|while|loop)\b/g)?.length ?? 0;
        return loops > 1 ? `it has ${loops} loops; one is enough` : undefined;
      },
    }),
    task({
      id: 'rms-norm',
      title: 'Divide by the root mean square',
      minutes: 10,
      statement:
        'Divide each row by the square root of the mean of its squares plus 1e-5. The 1e-5 keeps a row of zeros from being divided by zero.',
      hints: [
        'Add up the squares first.',
        'WGSL has inverseSqrt(v), which is 1 / sqrt(v).',
        'let factor = inverseSqrt(squares / f32(params.columns) + 1e-5);',
      ],
      ...SUMS,
      operands: { x: reads('rows columns'), out: writes('rows columns') },
      ...byRow,
      data: small,
      twin({ x, out, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          const at = row * columns;
          let squares = 0;
          for (let c = 0; c < columns; c++) squares += x[at + c]! ** 2;
          for (let c = 0; c < columns; c++) out[at + c] = x[at + c]! / Math.sqrt(squares / columns + 1e-5);
        }
      },
      cases: [...ROWS, { rows: 3, columns: 7, small: 1 }, { rows: 2, columns: 5, zeros: 1 }],
    }),
    task({
      id: 'layer-norm',
      title: 'Layer normalisation',
      minutes: 15,
      statement:
        'Subtract the mean of the row, divide by the square root of its variance plus 1e-5, multiply by gain and add shift, which have a number for each column. The ' +
        'mean is there.',
      hints: [
        'The variance is the mean of the squared distances from the mean.',
        'Another loop, over (x - mean) * (x - mean).',
        'let factor = inverseSqrt(squares / count + 1e-5);',
      ],
      ...SUMS,
      operands: {
        x: reads('rows columns'),
        gain: reads('columns'),
        shift: reads('columns'),
        out: writes('rows columns'),
      },
      ...byRow,
      data: small,
      twin({ x, gain, shift, out, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          const at = row * columns;
          let [sum, squares] = [0, 0];
          for (let c = 0; c < columns; c++) sum += x[at + c]!;
          const mean = sum / columns;
          for (let c = 0; c < columns; c++) squares += (x[at + c]! - mean) ** 2;
          const factor = 1 / Math.sqrt(squares / columns + 1e-5);
          for (let c = 0; c < columns; c++) out[at + c] = (x[at + c]! - mean) * factor * gain[c]! + shift[c]!;
        }
      },
      cases: [...ROWS.slice(1), { rows: 3, columns: 7, small: 1 }, { rows: 2, columns: 5, zeros: 1 }],
    }),
    task({
      id: 'unit-rows',
      title: 'Rows of length one',
      minutes: 10,
      statement:
        'Divide each row by its length, the square root of the sum of its squares: the features of pictures and texts are compared in this form. A row of zeros has no ' +
        'direction and stays a row of zeros.',
      hints: [
        'What is 0 * (1 / 0)?',
        'Handle a sum of 0 apart.',
        'let factor = select(0.0, inverseSqrt(squares), squares > 0.0);',
      ],
      ...SUMS,
      operands: { x: reads('rows columns'), out: writes('rows columns') },
      ...byRow,
      data: small,
      twin({ x, out, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          const at = row * columns;
          let squares = 0;
          for (let c = 0; c < columns; c++) squares += x[at + c]! ** 2;
          for (let c = 0; c < columns; c++) out[at + c] = squares > 0 ? x[at + c]! / Math.sqrt(squares) : 0;
        }
      },
      cases: [...ROWS, { rows: 2, columns: 5, zeros: 1 }],
    }),
  ],
);

/** Rows so small that the 1e-5 counts, or of zeros. */
function small(d: CaseData, { rows = 0, columns = 0, small: isSmall, zeros }: Sizes) {
  if (zeros) return { x: d.values(numbers(rows * columns, () => 0)) };
  return isSmall ? { x: d.values(numbers(rows * columns, (i) => (((i * 7) % 11) - 5) / 1000)) } : {};
}
