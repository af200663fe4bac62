/** Sums, means and maxima over an axis or over all elements, and the repetition that undoes a sum, with their gradients. */
import { denseStrides } from '../../kernels/families/shapes.js';
import { generalKernels, kernels } from '../../kernels/index.js';
import { aroundAxis, axisNumber, broadcastShape, broadcastStrides, padded } from '../strides.js';
import type { Tensor } from '../tensor.js';
import { affine } from './elementwise.js';
import { copy } from './layout.js';

/** What becomes of the axis. */
export interface ReduceOptions {
  /** It stays with length 1, so that the result broadcasts with the input. Default false: it goes. */
  keep?: boolean;
}

/** scale times the sum over all axes but the last: [..., n] to [n]. */
export function sumRows(x: Tensor, scale = 1): Tensor {
  const { engine, rows } = x;
  const { out } = engine.run(kernels.sumRows, { x, scale });
  engine.record(out, [x], {}, (gradOut, _, { give }) => {
    give(0, () => engine.run(kernels.broadcastRows, { x: gradOut, scale, rows }).out);
  });
  return out;
}

/** The sum over an axis, or of all elements, a scalar [1]. Negative axes count from the last. Throws Error if there is no such axis. */
export function sum(x: Tensor, axis?: number, options?: ReduceOptions): Tensor {
  return axis === undefined ? ofAll(x, 1) : scaledSum('sum', x, axis, () => 1, options);
}

/** As `sum`, divided by the number of elements that are summed. */
export function mean(x: Tensor, axis?: number, options?: ReduceOptions): Tensor {
  return axis === undefined ? ofAll(x, 1 / x.size) : scaledSum('mean', x, axis, (count) => 1 / count, options);
}

function ofAll(x: Tensor, scale: number): Tensor {
  return x.engine.scope(() => sumRows(x.reshape([x.size, 1]), scale));
}

function scaledSum(
  operation: string,
  x: Tensor,
  axis: number,
  scaleOf: (count: number) => number,
  options?: ReduceOptions,
): Tensor {
  const { engine, shape } = x;
  const at = axisNumber(operation, axis, shape);
  const scale = scaleOf(shape[at]!);
  const out = engine.empty(reducedShape(shape, at, options));
  engine.run(generalKernels.sumAxis, { x, out, ...aroundAxis(shape, at), scale }, operation);
  engine.record(out, [x], {}, (gradOut, _, { give }) => {
    give(0, () => {
      const each = scale === 1 ? gradOut : affine(gradOut, scale);
      return broadcastTo(each.reshape(shape.with(at, 1)), shape);
    });
  });
  return out;
}

/**
 * The largest element along an axis. The gradient goes to the first of those that are equal. A row that holds NaN has no defined result. Throws
 * Error if there is no such axis.
 */
export function max(x: Tensor, axis: number, options?: ReduceOptions): Tensor {
  const { engine, shape } = x;
  const at = axisNumber('max', axis, shape);
  const around = aroundAxis(shape, at);
  const out = engine.empty(reducedShape(shape, at, options));
  engine.scope(() => {
    const { index } = engine.run(generalKernels.maxAxis, { x, out, ...around }, 'max');
    engine.record(out, [x], { index }, (gradOut, saved, { give }) => {
      give(0, () => engine.run(generalKernels.maxAxisGrad, { ...saved, gradOut, ...around }).gradX.reshape(shape));
    });
  });
  return out;
}

/** Where the largest element along an axis is: the first such number, as a float. It has no gradient. Throws Error if there is no such axis. */
export function indexOfMax(x: Tensor, axis: number, options?: ReduceOptions): Tensor {
  const { engine, shape } = x;
  const at = axisNumber('indexOfMax', axis, shape);
  return engine.scope(() => {
    const index = engine.empty(reducedShape(shape, at, options));
    engine.run(generalKernels.maxAxis, { x, index, ...aroundAxis(shape, at) }, 'indexOfMax');
    return index;
  });
}

/** x repeated along axes that it lacks, or has with length 1. Throws Error if it does not fit. */
export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  const { engine } = x;
  if (broadcastShape('broadcastTo', x.shape, shape).some((length, axis) => length !== shape[axis]))
    throw new Error(`broadcastTo: [${x.shape.join(', ')}] is not a part of [${shape.join(', ')}]`);
  const out = engine.empty(shape);
  copy('broadcastTo', x, { strides: broadcastStrides(x.shape, shape) }, out, { strides: denseStrides(shape) }, shape);
  engine.record(out, [x], {}, (gradOut, _, { give }) => {
    give(0, () => sumTo(gradOut, x.shape));
  });
  return out;
}

/** What broadcasting to the shape of x undoes: the sum over the axes that `shape` lacks, or has with length 1. */
export function sumTo(x: Tensor, shape: readonly number[]): Tensor {
  const wanted = padded(shape, x.shape.length);
  let out = x;
  for (const [axis, length] of wanted.entries()) {
    if (length === 1 && out.shape[axis] !== 1) out = sum(out, axis, { keep: true });
  }
  return out.reshape(shape);
}

function reducedShape(shape: readonly number[], axis: number, { keep = false }: ReduceOptions = {}): number[] {
  return keep ? shape.with(axis, 1) : shape.toSpliced(axis, 1);
}
