/**
 * Element types of stored tensors, under safetensors' names, and their decoding into typed arrays.
 *
 * Files are little-endian, and so is every platform that runs WebGPU, so decoding needs no byte swap, only a view.
 */
import { InputError } from '../../errors.js';
import { float32FromHalf } from '../../kernels/index.js';
import { quoted } from './quoted.js';

/** Bytes per element of each supported type. */
const ITEM_BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
} as const;

/** PyTorch's own limit. */
const MAX_DIMENSIONS = 64;

export type DType = keyof typeof ITEM_BYTES;

/** The result of reading a tensor: F16 and BF16 are widened to Float32Array, BOOL is 0 or 1 in a Uint8Array. */
export type TensorData =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

export function isDType(name: unknown): name is DType {
  return typeof name === 'string' && Object.hasOwn(ITEM_BYTES, name);
}

export function itemBytes(dtype: DType): number {
  return ITEM_BYTES[dtype];
}

/**
 * The number of elements of `shape`. Throws `InputError` (prefixed with `what`) for a dimension that is not a
 * non-negative integer, and for a product beyond 2^53.
 */
export function elementCount(shape: readonly unknown[], what: string): number {
  if (shape.length > MAX_DIMENSIONS) throw new InputError(`${what}: ${shape.length} dimensions are too many`);
  let count = 1;
  for (const size of shape) {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
      throw new InputError(`${what}: a shape must consist of non-negative integers, found ${quoted(size)}`);
    }
    count *= size;
    if (!Number.isSafeInteger(count))
      throw new InputError(`${what}: the shape [${shape.join(', ')}] is impossibly large`);
  }
  return count;
}

/** Reinterprets little-endian bytes as elements. The result may be a view of `bytes`, so the caller must not reuse them. */
export function decodeElements(bytes: Uint8Array, dtype: DType): TensorData {
  const { buffer, byteOffset } = bytes;
  const count = bytes.length / ITEM_BYTES[dtype];
  if (byteOffset % ITEM_BYTES[dtype] !== 0) return decodeElements(bytes.slice(), dtype);
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, count);
    case 'F16':
      return float32FromHalf(new Uint16Array(buffer, byteOffset, count));
    case 'BF16':
      return float32FromBfloat16(new Uint16Array(buffer, byteOffset, count));
    case 'F64':
      return new Float64Array(buffer, byteOffset, count);
    case 'I64':
      return new BigInt64Array(buffer, byteOffset, count);
    case 'U64':
      return new BigUint64Array(buffer, byteOffset, count);
    case 'I32':
      return new Int32Array(buffer, byteOffset, count);
    case 'U32':
      return new Uint32Array(buffer, byteOffset, count);
    case 'I16':
      return new Int16Array(buffer, byteOffset, count);
    case 'U16':
      return new Uint16Array(buffer, byteOffset, count);
    case 'I8':
      return new Int8Array(buffer, byteOffset, count);
    case 'U8':
      return bytes;
    case 'BOOL':
      return bytes.map((byte) => Number(byte !== 0));
  }
}

/** Widens bfloat16 bit patterns to binary32. Exact. */
export function float32FromBfloat16(words: Uint16Array): Float32Array {
  const bits = new Uint32Array(words.length);
  for (let i = 0; i < words.length; i++) bits[i] = words[i]! << 16;
  return new Float32Array(bits.buffer);
}
