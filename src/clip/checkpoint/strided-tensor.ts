/**
 * Reads stored tensors as strided views of a storage. PyTorch saves views as they are (a transposed weight keeps its
 * strides, a slice its offset); safetensors is always contiguous. One reader serves both.
 */
import { InputError } from '../../errors.js';
import type { RowRange } from './checkpoint.js';
import { type DType, decodeElements, elementCount, itemBytes, type TensorData } from './dtype.js';

export interface StridedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Distance between neighbours along each dimension, in elements. */
  readonly strides: readonly number[];
  /** Index of the first element in its storage. */
  readonly offset: number;
}

/** Returns bytes `[offset, offset + length)` of a tensor's storage. */
export type ReadStorage = (offset: number, length: number) => Promise<Uint8Array>;

/** Row-major strides, in elements. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Number of storage elements from the first to the last that a tensor uses, inclusive. */
export function storageSpan(shape: readonly number[], strides: readonly number[]): number {
  let last = 0;
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] === 0) return 0;
    last += (shape[axis]! - 1) * strides[axis]!;
  }
  return last + 1;
}

/** Reads a tensor, or some of its rows, in row-major order; for `halves` see `Checkpoint.read`. `what` names the tensor in errors. */
export async function readStrided(
  tensor: StridedTensor,
  readStorage: ReadStorage,
  what: string,
  rows?: RowRange,
  halves: 'widened' | 'bits' = 'widened',
): Promise<TensorData> {
  const { strides } = tensor;
  const dtype = tensor.dtype === 'F16' && halves === 'bits' ? 'U16' : tensor.dtype;
  const shape = [...tensor.shape];
  let { offset } = tensor;
  if (rows) {
    const height = shape[0] ?? 0;
    if (!(rows.first >= 0 && rows.count >= 0 && rows.first + rows.count <= height)) {
      throw new InputError(`${what}: rows ${rows.first} to ${rows.first + rows.count} of ${height} were asked for`);
    }
    shape[0] = rows.count;
    offset += rows.first * strides[0]!;
  }
  const bytesEach = itemBytes(dtype);
  const bytes = await readStorage(offset * bytesEach, storageSpan(shape, strides) * bytesEach);
  if (isContiguous(shape, strides)) return decodeElements(bytes, dtype);
  return decodeElements(gather(bytes, shape, strides, bytesEach, what), dtype);
}

/** Whether the elements are contiguous in row-major order. Strides of axes of size 1 are ignored. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  const wanted = contiguousStrides(shape);
  return shape.includes(0) || shape.every((size, axis) => size === 1 || strides[axis] === wanted[axis]);
}

/** Copies the elements of a strided view in row-major order, incrementing the index like an odometer. */
function gather(
  bytes: Uint8Array,
  shape: readonly number[],
  strides: readonly number[],
  bytesEach: number,
  what: string,
): Uint8Array {
  const count = elementCount(shape, what);
  const out = new Uint8Array(count * bytesEach);
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < count; to++) {
    for (let byte = 0; byte < bytesEach; byte++) out[to * bytesEach + byte] = bytes[from * bytesEach + byte]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
