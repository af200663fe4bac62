/** Sum and maximum over one axis of a tensor that is seen as [outer, axis, inner], and the maximum's gradient. */
import type { CaseData } from '../../cases.js';
import { ELEMENTWISE, kernel, only, reads, type Sizes, writes } from '../../definition.js';

const shapes = [
  [1, 1, 1],
  [1, 7, 1],
  [5, 1, 3],
  [3, 64, 5],
  [7, 65, 2],
  [2, 131, 1],
  [1, 5, 129],
  [3, 768, 1],
].map(([outer, axis, inner]) => ({ outer: outer!, axis: axis!, inner: inner! }));

const USUAL = { outer: 64, axis: 512, inner: 1 };
const perResult = {
  unit: 'result',
  units: ({ outer, inner }: { outer: number; inner: number }) => outer * inner,
} as const;

export const sumAxis = kernel({
  name: 'sumAxis',
  formula: 'out[o, i] = scale * sum over a of x[o, a, i]',
  operands: { x: reads('...outer*axis*inner'), out: writes('...outer*inner') },
  scalars: { scale: 0.3 },
  twin({ x, out, outer, axis, inner, scale }) {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let a = 0; a < axis; a++) sum += x[(o * axis + a) * inner + i]!;
        out[o * inner + i] = scale * sum;
      }
    }
  },
  variants: only('sum_axis', 1),
  ...perResult,
  cases: { sizes: USUAL, suite: shapes },
});

export const maxAxis = kernel({
  name: 'maxAxis',
  formula: 'out[o, i] = max over a of x[o, a, i]; index[o, i] = the first a where it is',
  operands: { x: reads('...outer*axis*inner'), out: writes('...outer*inner'), index: writes('...outer*inner') },
  twin({ x, out, index, outer, axis, inner }) {
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        let best = 0;
        for (let a = 1; a < axis; a++) {
          if (x[(o * axis + a) * inner + i]! > x[(o * axis + best) * inner + i]!) best = a;
        }
        out[o * inner + i] = x[(o * axis + best) * inner + i]!;
        index[o * inner + i] = best;
      }
    }
  },
  variants: only('max_axis', 1),
  ...perResult,
  notes: { index: 'a whole number, exact below 2^24' },
  cases: {
    sizes: USUAL,
    // Few different numbers, so that the largest stands in several places; nothing above the most negative numbers.
    variations: { ties: 0, lowest: 0 },
    data(d, { outer = 1, axis = 1, inner = 1, ties, lowest }) {
      if (!ties && !lowest) return {};
      const numbers = Array.from({ length: outer * axis * inner }, (_, i) => (i * 7) % 3);
      return { x: d.values(lowest ? numbers.map((one) => -3.1e38 - one * 1e37) : numbers) };
    },
    suite: shapes.flatMap((shape) => [shape, { ...shape, ties: 1 }, { ...shape, lowest: 1 }]),
  },
});

export const maxAxisGrad = kernel({
  name: 'maxAxisGrad',
  formula: 'gradX[o, a, i] = gradOut[o, i] where a is index[o, i], else 0',
  operands: {
    index: reads('...outer*inner'),
    gradOut: reads('...outer*inner'),
    gradX: writes('...outer*axis*inner'),
  },
  twin({ index, gradOut, gradX, outer, axis, inner }) {
    for (let o = 0; o < outer; o++) {
      for (let a = 0; a < axis; a++) {
        for (let i = 0; i < inner; i++) {
          const from = o * inner + i;
          gradX[(o * axis + a) * inner + i] = index[from] === a ? gradOut[from]! : 0;
        }
      }
    }
  },
  variants: only('max_axis_grad', ELEMENTWISE),
  unit: 'element',
  units: ({ outer, axis, inner }) => outer * axis * inner,
  notes: { index: 'as maxAxis writes it' },
  cases: {
    sizes: USUAL,
    data: (d: CaseData, { outer = 1, axis = 1, inner = 1 }: Sizes) => ({
      index: d.values(Array.from({ length: outer * inner }, (_, i) => (i * 5) % axis)),
    }),
    suite: shapes,
  },
});
