/** CPU memory: a typed array behind the contract's opaque buffer, and the two casts with which every twin begins. */
import type { DeviceBuffer, DType, HeadsView } from '../contract.js';

/** float32 in normal use, float64 when the backend serves as the oracle of a test. */
export type RealArray = Float32Array | Float64Array;

export interface CpuBuffer extends DeviceBuffer {
  /** If fp16 values are packed (see `Backend.packsHalves`), a widened copy of them. */
  readonly data: RealArray | Int32Array;
}

/** The values of an `f32` buffer. */
export function real(buffer: DeviceBuffer): RealArray {
  return dataOf(buffer, 'f32') as RealArray;
}

/** The values of a buffer that may be `f32` or `f16`. */
export function realOrHalf(buffer: DeviceBuffer): RealArray {
  return dataOf(buffer, buffer.dtype === 'f16' ? 'f16' : 'f32') as RealArray;
}

/** The row numbers of an `i32` buffer. */
export function ints(buffer: DeviceBuffer): Int32Array {
  return dataOf(buffer, 'i32') as Int32Array;
}

/** The array of a heads view, with its stride and offset. */
export function heads(view: HeadsView): { data: RealArray; stride: number; offset: number } {
  return { data: real(view.buffer), stride: view.stride, offset: view.offset };
}

function dataOf(buffer: DeviceBuffer, dtype: DType): RealArray | Int32Array {
  if (buffer.dtype !== dtype) throw new Error(`kernel wants an ${dtype} buffer, got ${buffer.dtype}`);
  return (buffer as CpuBuffer).data;
}
