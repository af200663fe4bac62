/** A checkpoint of any configuration whose numbers are made as they are read, for work that has no file. */
import { type CanonicalClip, canonicalClip } from '../checkpoint/canonical-clip.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { ClipConfig } from './clip-config.js';
import { clipTensors } from './tensors.js';

/** Which numbers of which tensor are wanted. */
export interface WantedNumbers {
  readonly name: string;
  readonly shape: readonly number[];
  /** Of the tensor's numbers in row-major order, the first that is wanted, and how many are. */
  readonly start: number;
  readonly length: number;
}

/** A checkpoint of a CLIP whose tensors `make` fills. `name` is for messages. */
export function madeCheckpoint(
  config: ClipConfig,
  name: string,
  make: (wanted: WantedNumbers) => Float32Array,
): Checkpoint {
  const shapes = new Map(clipTensors(config).map(({ name, shape }) => [name, shape]));
  const shapeOf = (tensor: string): readonly number[] => {
    const shape = shapes.get(tensor);
    if (!shape) throw new Error(`no tensor ${tensor} in a CLIP`);
    return shape;
  };
  return {
    name,
    format: 'safetensors',
    metadata: new Map(),
    names: () => [...shapes.keys()],
    has: (tensor) => shapes.has(tensor),
    shape: shapeOf,
    dtype: () => 'F32',
    read: async (tensor, rows) => {
      const shape = shapeOf(tensor);
      const columns = shape.slice(1).reduce((size, axis) => size * axis, 1);
      const { first, count } = rows ?? { first: 0, count: shape[0] ?? 1 };
      return make({ name: tensor, shape, start: first * columns, length: count * columns });
    },
  };
}

/** The same with canonical names. */
export function madeClip(
  config: ClipConfig,
  name: string,
  make: (wanted: WantedNumbers) => Float32Array,
): CanonicalClip {
  return canonicalClip(madeCheckpoint(config, name, make));
}
