/** Operations that move elements and do not change them, with their gradients. `Tensor.reshape` is another, which moves nothing. */
import { denseStrides, stridesOf } from '../../kernels/families/shapes.js';
import { generalKernels } from '../../kernels/index.js';
import { axisNumber, mergedAxes } from '../strides.js';
import type { Tensor } from '../tensor.js';

/** Where a walk begins, in elements, and its stride along each axis. */
interface Place {
  offset?: number;
  strides: readonly number[];
}

/** Copies a block of `shape` from one place to another; `operation` is named in errors. */
export function copy(
  operation: string,
  x: Tensor,
  from: Place,
  out: Tensor,
  to: Place,
  shape: readonly number[],
): void {
  const { sizes, strides } = mergedAxes(operation, shape, from.strides, to.strides);
  const [size0, size1, size2, size3] = sizes;
  x.engine.run(
    generalKernels.stridedCopy,
    {
      ...{ x, out, count: size0 * size1 * size2 * size3, size1, size2, size3 },
      ...{ xOffset: from.offset ?? 0, ...stridesOf('xStride', strides[0]!) },
      ...{ outOffset: to.offset ?? 0, ...stridesOf('outStride', strides[1]!) },
    },
    operation,
  );
}

/**
 * The axes in another order: axis i of the result is axis `order[i]` of x; by default the last two change places. Throws Error if `order` is not
 * a permutation.
 */
export function transpose(x: Tensor, order?: readonly number[]): Tensor {
  const { engine, shape } = x;
  const axes = order ?? defaultOrder(shape);
  if (axes.length !== shape.length || shape.some((_, axis) => !axes.includes(axis)))
    throw new Error(`transpose: expected the axes of [${shape.join(', ')}] in some order, found [${axes.join(', ')}]`);
  const out = engine.empty(axes.map((axis) => shape[axis]!));
  const strides = denseStrides(shape);
  copy(
    'transpose',
    x,
    { strides: axes.map((axis) => strides[axis]!) },
    out,
    { strides: denseStrides(out.shape) },
    out.shape,
  );
  engine.record(out, [x], {}, (gradOut, _, { give }) => {
    give(0, () =>
      transpose(
        gradOut,
        axes.map((_, axis) => axes.indexOf(axis)),
      ),
    );
  });
  return out;
}

function defaultOrder({ length }: readonly number[]): number[] {
  if (length < 2) throw new Error('transpose: expected a tensor of at least two axes, or an order');
  return [...Array.from({ length: length - 2 }, (_, axis) => axis), length - 1, length - 2];
}

/** Those with numbers `start` to `end - 1` along an axis; negative axes count from the last. Throws Error if there are none, or not so many. */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  const { engine, shape } = x;
  const at = axisNumber('slice', axis, shape);
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end <= start || end > shape[at]!)
    throw new Error(`slice: expected a range within 0 to ${shape[at]} of axis ${axis}, found ${start} to ${end}`);
  const out = engine.empty(shape.with(at, end - start));
  const strides = denseStrides(shape);
  const place = { offset: start * strides[at]!, strides };
  const own = { strides: denseStrides(out.shape) };
  copy('slice', x, place, out, own, out.shape);
  engine.record(out, [x], {}, (gradOut, _, { give }) => {
    give(0, () => {
      const grad = engine.zeros(shape);
      copy('slice', gradOut, own, grad, place, gradOut.shape);
      return grad;
    });
  });
  return out;
}

/** Tensors one behind the other along an axis; the other axes are equal. Throws Error if they are not, or if there is no tensor. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const [first] = tensors;
  if (!first) throw new Error('concat: expected at least one tensor');
  const { engine } = first;
  const at = axisNumber('concat', axis, first.shape);
  for (const { shape } of tensors) {
    if (shape.length !== first.shape.length || shape.some((length, i) => i !== at && length !== first.shape[i]))
      throw new Error(
        `concat: expected tensors [${first.shape.with(at, -1).join(', ').replace('-1', 'n')}], found [${shape.join(', ')}]`,
      );
  }
  let length = 0;
  const starts = tensors.map(({ shape }) => {
    length += shape[at]!;
    return length - shape[at]!;
  });
  const out = engine.empty(first.shape.with(at, length));
  const strides = denseStrides(out.shape);
  for (const [i, x] of tensors.entries())
    copy('concat', x, { strides: denseStrides(x.shape) }, out, { offset: starts[i]! * strides[at]!, strides }, x.shape);
  engine.record(out, tensors, {}, (gradOut, _, { give }) => {
    for (const [i, { shape }] of tensors.entries())
      give(i, () => slice(gradOut, at, starts[i]!, starts[i]! + shape[at]!));
  });
  return out;
}
