/** How a tensor is walked through: shapes that broadcast, strides, and axes merged to the four that kernels take. */
import { denseStrides } from '../kernels/families/shapes.js';

/** Four lengths, and for each walk four strides. */
export interface Walk {
  readonly sizes: readonly [number, number, number, number];
  readonly strides: readonly (readonly number[])[];
}

/**
 * Walks of several tensors over one shape, with as few axes as they need: axes of length 1 are left out, and neighbours that every walk passes in one
 * stride are one. Throws Error, which names `operation`, if more than four remain.
 */
export function mergedAxes(
  operation: string,
  shape: readonly number[],
  ...walks: readonly (readonly number[])[]
): Walk {
  const axes: { size: number; strides: readonly number[] }[] = [];
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    const strides = walks.map((walk) => walk[axis]!);
    const last = axes.at(-1);
    if (last?.strides.every((stride, i) => stride === size * strides[i]!))
      axes[axes.length - 1] = { size: last.size * size, strides };
    else axes.push({ size, strides });
  }
  if (axes.length > 4)
    throw new Error(`${operation}: [${shape.join(', ')}] needs ${axes.length} axes here, of which kernels take four`);
  while (axes.length < 4) axes.unshift({ size: 1, strides: walks.map(() => 0) });
  return {
    sizes: axes.map(({ size }) => size) as [number, number, number, number],
    strides: walks.map((_, i) => axes.map(({ strides }) => strides[i]!)),
  };
}

/**
 * The shape of a result of both: axes are matched from the last on, and one of length 1, or that is missing, is repeated. Throws Error, which names
 * `operation`, if two axes differ.
 */
export function broadcastShape(operation: string, a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const [left, right] = [padded(a, rank), padded(b, rank)];
  return left.map((length, axis) => {
    const other = right[axis]!;
    if (length !== other && length !== 1 && other !== 1)
      throw new Error(`${operation}: [${a.join(', ')}] and [${b.join(', ')}] do not broadcast`);
    return Math.max(length, other);
  });
}

/** Strides of a dense tensor repeated over a larger shape: 0 along the axes that it lacks. */
export function broadcastStrides(own: readonly number[], shape: readonly number[]): number[] {
  const strides = denseStrides(own);
  const missing = shape.length - own.length;
  return shape.map((_, axis) => (axis < missing || own[axis - missing] === 1 ? 0 : strides[axis - missing]!));
}

/** A shape with as many leading axes of length 1 as are missing. */
export function padded(shape: readonly number[], rank: number): number[] {
  return [...Array.from({ length: rank - shape.length }, () => 1), ...shape];
}

/** The number of an axis, counted from the end if negative. Throws Error, which names `operation`, if there is none. */
export function axisNumber(operation: string, axis: number, shape: readonly number[]): number {
  const number = axis < 0 ? axis + shape.length : axis;
  if (Number.isInteger(number) && number >= 0 && number < shape.length) return number;
  throw new Error(`${operation}: expected an axis of [${shape.join(', ')}], found ${axis}`);
}

/** A shape around one of its axes: the product of the lengths before it, its own, and the product of those after it. */
export function aroundAxis(shape: readonly number[], axis: number): { outer: number; axis: number; inner: number } {
  const product = (lengths: readonly number[]) => lengths.reduce((all, length) => all * length, 1);
  return { outer: product(shape.slice(0, axis)), axis: shape[axis]!, inner: product(shape.slice(axis + 1)) };
}
