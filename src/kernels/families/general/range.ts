/** The range of a tensor's numbers, and whether any of them is not finite: for checks (../../checked.ts), not for models. */
import { kernel, only, reads, writes } from '../../definition.js';
import { lengths } from '../shapes.js';

/** Beyond all float32 numbers that a model has: the range of no numbers is [EMPTY, -EMPTY]. */
const EMPTY = 3e38;

export const range = kernel({
  name: 'range',
  formula:
    'out = smallest and largest finite number of x, how many are not finite, and the place of the first of these or -1',
  operands: { x: reads('...length'), out: writes('4') },
  twin({ x, out, length }) {
    let [smallest, largest, bad, first] = [EMPTY, -EMPTY, 0, -1];
    for (let i = 0; i < length; i++) {
      const value = x[i]!;
      if (Number.isFinite(value)) {
        smallest = Math.min(smallest, value);
        largest = Math.max(largest, value);
      } else {
        if (bad === 0) first = i;
        bad++;
      }
    }
    out.set([smallest, largest, bad, first]);
  },
  variants: only('range', 1),
  unit: 'tensor',
  units: () => 1,
  cases: {
    sizes: { length: 884_736 },
    // Numbers that are not finite; and finite ones beyond 2^127, whose exponents differ from those by a bit.
    variations: { bad: 0, huge: 0 },
    data(d, { length = 0, bad, huge }) {
      if (huge) return { x: d.values(Array.from({ length }, (_, i) => (i % 3 ? 2e38 : -2.5e38) / (1 + (i % 2)))) };
      if (!bad) return {};
      const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      const wrong = (i: number) => (i + 1) % 5 === 0 || i === length - 1;
      return { x: d.values(Float32Array.from({ length }, (_, i) => (wrong(i) ? values[i % 3]! : Math.sin(i)))) };
    },
    suite: lengths.flatMap((size) => [size, { ...size, bad: 1 }, { ...size, huge: 1 }]),
  },
});
