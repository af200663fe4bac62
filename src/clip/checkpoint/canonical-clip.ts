/** A view of any CLIP checkpoint under canonical names and shapes. Lazy: nothing is copied. */
import { InputError } from '../../errors.js';
import { type CanonicalTensor, CLIP_ANCHOR, canonicalTensors, type Derivation, prefixOf } from './canonical-names.js';
import { type Checkpoint, type RowRange, readFloat32, requireTensor } from './checkpoint.js';
import type { DType } from './dtype.js';
import { quoted } from './quoted.js';

/** A checkpoint with Hugging Face's tensor names, read as Float32Array. */
export interface CanonicalClip extends Checkpoint {
  /** The underlying checkpoint. */
  readonly stored: Checkpoint;
  /** The stored name of a canonical tensor, for messages. */
  storedName(name: string): string;
  read(name: string, rows?: RowRange): Promise<Float32Array>;
  /** The bit patterns of a tensor stored in half precision; undefined for other types and for tensors stored transposed. */
  readHalves(name: string): Promise<Uint16Array | undefined>;
}

interface Origin {
  readonly storedName: string;
  readonly shape: readonly number[];
  readonly derivation: Derivation;
}

/**
 * Returns the canonical view of a checkpoint. Throws `InputError` if two stored tensors claim one canonical name, or
 * if a tensor cannot be split or transposed as its name demands. Whether it is a CLIP at all is for `inferConfig` and
 * `validateShapes` to say. `translate` knows the stored names, and `anchor` the one by which their prefix is found (`prefixOf`): CLIP's unless
 * others are given. What is not under the prefix keeps its name.
 */
export function canonicalClip(
  checkpoint: Checkpoint,
  translate = canonicalTensors,
  anchor: RegExp = CLIP_ANCHOR,
): CanonicalClip {
  const { name } = checkpoint;
  const origins = new Map<string, Origin>();
  const names = checkpoint.names();
  const prefix = prefixOf(names, anchor, name);
  for (const storedName of names) {
    const isWithin = storedName.startsWith(prefix);
    const tensors = isWithin
      ? translate(storedName.slice(prefix.length))
      : [{ name: storedName, derivation: 'same' } as const];
    for (const tensor of tensors) {
      const other = origins.get(tensor.name);
      if (other) {
        throw new InputError(
          `${name}: ${quoted(other.storedName)} and ${quoted(storedName)} are both ${quoted(tensor.name)}`,
        );
      }
      origins.set(tensor.name, originOf(checkpoint, storedName, tensor));
    }
  }
  const find = (tensor: string): Origin => requireTensor(origins, tensor, name);
  return {
    name,
    format: checkpoint.format,
    metadata: checkpoint.metadata,
    stored: checkpoint,
    names: () => [...origins.keys()],
    has: (tensor) => origins.has(tensor),
    shape: (tensor) => find(tensor).shape,
    dtype: (tensor): DType => checkpoint.dtype(find(tensor).storedName),
    storedName: (tensor) => find(tensor).storedName,
    read: async (tensor, rows) => readCanonical(checkpoint, find(tensor), rows),
    readHalves: async (tensor) => readHalves(checkpoint, find(tensor)),
  };
}

function originOf(checkpoint: Checkpoint, storedName: string, { derivation }: CanonicalTensor): Origin {
  const stored = checkpoint.shape(storedName);
  const what = `${checkpoint.name}: tensor ${quoted(storedName)}`;
  if (derivation === 'same') return { storedName, derivation, shape: stored };
  if (derivation === 'squeezed') {
    const first = stored.findIndex((size) => size !== 1);
    return { storedName, derivation, shape: stored.slice(first === -1 ? stored.length - 1 : first) };
  }
  if (derivation === 'scalar') {
    if (stored.some((size) => size !== 1))
      throw new InputError(`${what} should be one number, it has shape [${stored.join(', ')}]`);
    return { storedName, derivation, shape: [] };
  }
  if (derivation === 'transposed') {
    if (stored.length !== 2) throw new InputError(`${what} should be a matrix, it has shape [${stored.join(', ')}]`);
    return { storedName, derivation, shape: [stored[1]!, stored[0]!] };
  }
  const [rows, ...rest] = stored;
  if (rows === undefined || rows % 3 !== 0) {
    throw new InputError(`${what} should stack query, key and value, it has shape [${stored.join(', ')}]`);
  }
  return { storedName, derivation, shape: [rows / 3, ...rest] };
}

async function readCanonical(
  checkpoint: Checkpoint,
  { storedName, derivation, shape }: Origin,
  rows?: RowRange,
): Promise<Float32Array> {
  if (derivation === 'same' || derivation === 'scalar') return readFloat32(checkpoint, storedName, rows);
  if (derivation === 'squeezed') {
    if (rows) throw new Error(`${storedName} is read as a whole only`);
    return readFloat32(checkpoint, storedName);
  }
  const [height, width] = shape;
  if (rows && !(rows.first >= 0 && rows.count >= 0 && rows.first + rows.count <= height!)) {
    throw new InputError(
      `${checkpoint.name}: tensor ${quoted(storedName)} has no rows ${rows.first} to ${rows.first + rows.count}`,
    );
  }
  const { first, count } = rows ?? { first: 0, count: height! };
  if (derivation === 'transposed')
    return transposeColumns(await readFloat32(checkpoint, storedName), width!, height!, first, count);
  return readFloat32(checkpoint, storedName, { first: derivation.third * height! + first, count });
}

async function readHalves(
  checkpoint: Checkpoint,
  { storedName, derivation, shape }: Origin,
): Promise<Uint16Array | undefined> {
  if (checkpoint.dtype(storedName) !== 'F16' || derivation === 'transposed' || derivation === 'squeezed')
    return undefined;
  const height = shape[0] ?? 1;
  const rows = typeof derivation === 'object' ? { first: derivation.third * height, count: height } : undefined;
  return (await checkpoint.read(storedName, rows, 'bits')) as Uint16Array;
}

/** Columns `[first, first + count)` of a row-major [rows, columns] matrix, as the rows of a [count, rows] matrix. */
function transposeColumns(
  matrix: Float32Array,
  rows: number,
  columns: number,
  first: number,
  count: number,
): Float32Array {
  const out = new Float32Array(count * rows);
  for (let column = 0; column < count; column++) {
    for (let row = 0; row < rows; row++) out[column * rows + row] = matrix[row * columns + first + column]!;
  }
  return out;
}
