/**
 * The one view of a checkpoint that the rest of the program sees, whatever file it came from: named tensors with a
 * shape and a type, read lazily and one at a time.
 */
import { InputError } from '../../errors.js';
import type { DType, TensorData } from './dtype.js';
import { quoted } from './quoted.js';

/** What a checkpoint was stored as. */
export type CheckpointFormat = 'safetensors' | 'torch' | 'torchscript';

/** A run of rows: indices along the first dimension, `[first, first + count)`. */
export interface RowRange {
  readonly first: number;
  readonly count: number;
}

/** A checkpoint, whatever file it came from. */
export interface Checkpoint {
  /** The file, as error messages name it. */
  readonly name: string;
  readonly format: CheckpointFormat;
  /** Free-form text stored with the tensors (safetensors' `__metadata__`); empty if the format has none. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Tensor names in file order. */
  names(): readonly string[];
  /** Whether there is a tensor of this name. */
  has(name: string): boolean;
  /** Sizes, outermost first; `[]` for a scalar. Throws `InputError` for an unknown name, as the next two do. */
  shape(name: string): readonly number[];
  /** The type in the file. F16 and BF16 tensors are widened when they are read. */
  dtype(name: string): DType;
  /**
   * Reads one tensor, or only some of its rows, in row-major order. With `halves` 'bits', an F16 tensor comes as the Uint16Array of
   * its bit patterns instead.
   */
  read(name: string, rows?: RowRange, halves?: 'widened' | 'bits'): Promise<TensorData>;
}

/** Looks up `name` in a checkpoint's table, or throws `InputError` naming the tensor and the file. */
export function requireTensor<T>(table: ReadonlyMap<string, T>, name: string, fileName: string): T {
  const entry = table.get(name);
  if (entry === undefined) throw new InputError(`${fileName}: there is no tensor ${quoted(name)} in this checkpoint`);
  return entry;
}

/** Reads a floating-point tensor as Float32Array. F64 is rounded; an integer type is an `InputError`. */
export async function readFloat32(checkpoint: Checkpoint, name: string, rows?: RowRange): Promise<Float32Array> {
  const data = await checkpoint.read(name, rows);
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return new Float32Array(data);
  throw new InputError(
    `${checkpoint.name}: tensor ${quoted(name)} should hold floating-point numbers, found ${checkpoint.dtype(name)}`,
  );
}
