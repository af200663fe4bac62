/** The format-independent interface to a checkpoint: named tensors with a shape and a type, read lazily, one at a time. */
import { InputError } from '../../errors.js';
import type { DType, TensorData } from './dtype.js';
import { quoted } from './quoted.js';

/** The file format of a checkpoint. */
export type CheckpointFormat = 'safetensors' | 'torch' | 'torchscript';

/** A range of rows: indices `[first, first + count)` along the first dimension. */
export interface RowRange {
  readonly first: number;
  readonly count: number;
}

/** A checkpoint in any supported format. */
export interface Checkpoint {
  /** File name for error messages. */
  readonly name: string;
  readonly format: CheckpointFormat;
  /** Free-form text stored with the tensors: safetensors' `__metadata__`, numbers and texts beside a PyTorch state_dict. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Tensor names in file order. */
  names(): readonly string[];
  /** Whether the checkpoint has a tensor with this name. */
  has(name: string): boolean;
  /** Sizes, outermost first; `[]` for a scalar. Throws `InputError` for an unknown name, as do the next two. */
  shape(name: string): readonly number[];
  /** The type in the file. F16 and BF16 tensors are widened on reading. */
  dtype(name: string): DType;
  /**
   * Reads a tensor, or some of its rows, in row-major order. With `halves` 'bits', an F16 tensor is returned as a Uint16Array of
   * bit patterns.
   */
  read(name: string, rows?: RowRange, halves?: 'widened' | 'bits'): Promise<TensorData>;
}

/** Looks up `name` in a checkpoint's table, or throws `InputError` naming the tensor and the file. */
export function requireTensor<T>(table: ReadonlyMap<string, T>, name: string, fileName: string): T {
  const entry = table.get(name);
  if (entry === undefined) throw new InputError(`${fileName}: there is no tensor ${quoted(name)} in this checkpoint`);
  return entry;
}

/** Reads a floating-point tensor as Float32Array. F64 is rounded; integer types throw `InputError`. */
export async function readFloat32(checkpoint: Checkpoint, name: string, rows?: RowRange): Promise<Float32Array> {
  const data = await checkpoint.read(name, rows);
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return new Float32Array(data);
  throw new InputError(
    `${checkpoint.name}: tensor ${quoted(name)} should hold floating-point numbers, found ${checkpoint.dtype(name)}`,
  );
}
