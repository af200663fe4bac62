/** One copy for all changes of layout: transposing, cutting out, putting together, and repeating along an axis (a stride of 0). */
import { ELEMENTWISE, kernel, only, reads, writesPart } from '../../definition.js';
import { denseStrides, fourAxes, stridesOf } from '../shapes.js';

/** Of `count` elements: what the out operand holds elsewhere stays. */
export const stridedCopy = kernel({
  name: 'stridedCopy',
  formula: 'out[outOffset + i . outStride] = x[xOffset + i . xStride] for all i = (i0, i1, i2, i3)',
  operands: { x: reads('...xLength'), out: writesPart('...outLength') },
  scalars: {
    ...{ count: 1, size1: 1, size2: 1, size3: 1 },
    ...{ xOffset: 0, xStride0: 0, xStride1: 0, xStride2: 0, xStride3: 1 },
    ...{ outOffset: 0, outStride0: 0, outStride1: 0, outStride2: 0, outStride3: 1 },
  },
  twin(args) {
    const { x, out, count, size1, size2, size3 } = args;
    for (let at = 0; at < count; at++) {
      const i3 = at % size3;
      const i2 = Math.floor(at / size3) % size2;
      const i1 = Math.floor(at / (size3 * size2)) % size1;
      const i0 = Math.floor(at / (size3 * size2 * size1));
      const from = args.xOffset + i0 * args.xStride0 + i1 * args.xStride1 + i2 * args.xStride2 + i3 * args.xStride3;
      const to =
        args.outOffset + i0 * args.outStride0 + i1 * args.outStride1 + i2 * args.outStride2 + i3 * args.outStride3;
      out[to] = x[from]!;
    }
  },
  variants: only('strided_copy', ELEMENTWISE),
  unit: 'element',
  units: ({ count }) => count,
  cases: {
    sizes: { n0: 1, n1: 1, n2: 1728, n3: 512 },
    // Reversed axes of out, or of x; a cut off the last axis on either side; x repeated along the second axis.
    variations: { reversed: 0, fromReversed: 0, cut: 0, repeated: 0 },
    data(_, { n0 = 1, n1 = 1, n2 = 1, n3 = 1, reversed, fromReversed, cut, repeated }) {
      const shape = [n0, n1, n2, n3];
      const xShape = fromReversed ? shape.toReversed() : [n0, repeated ? 1 : n1, n2, n3 + (cut ? 2 : 0)];
      const outShape = reversed ? shape.toReversed() : [n0, n1, n2, n3 + (cut ? 3 : 0)];
      const xStrides = denseStrides(xShape);
      const outStrides = denseStrides(outShape);
      const size = (axes: readonly number[]) => axes.reduce((product, length) => product * length, 1);
      return {
        ...{ count: size(shape), xLength: size(xShape), outLength: size(outShape) },
        ...{ size1: n1, size2: n2, size3: n3, xOffset: cut ? 1 : 0, outOffset: cut ? 2 : 0 },
        ...stridesOf('xStride', fromReversed ? xStrides.reverse() : repeated ? xStrides.with(1, 0) : xStrides),
        ...stridesOf('outStride', reversed ? outStrides.reverse() : outStrides),
      };
    },
    suite: fourAxes.flatMap((shape) => [
      shape,
      { ...shape, reversed: 1 },
      { ...shape, fromReversed: 1 },
      { ...shape, cut: 1 },
      { ...shape, repeated: 1 },
      { ...shape, repeated: 1, reversed: 1 },
    ]),
  },
});
