/** Runs one kernel on made-up data and returns what it wrote, so that two implementations can be compared on the same case. */
import { InputError } from '../errors.js';
import type { Backend, DeviceBuffer, DType, KernelName, Kernels } from '../kernels/index.js';
import { uniformGenerator } from '../ptdpc/random.js';

/** Makes the buffers of a case. The same seed gives the same data on every backend. */
export interface CaseData {
  /** Random numbers in [-1, 1). */
  real(length: number): DeviceBuffer;
  /** Random halves, in half precision. */
  half(length: number): DeviceBuffer;
  /** Given numbers. */
  values(values: ArrayLike<number>): DeviceBuffer;
  /** Given whole numbers. */
  ints(values: ArrayLike<number>): DeviceBuffer;
  /** A buffer of this shape that the kernel writes, poisoned before. */
  output(...shape: number[]): DeviceBuffer;
  /** A buffer that the kernel updates. */
  inPlace(values: ArrayLike<number>): DeviceBuffer;
}

/** Arguments for one call of a kernel, to be made on any device. */
export interface KernelCase<K extends KernelName = KernelName> {
  readonly name: string;
  readonly kernel: K;
  /** Makes the buffers and returns the arguments. */
  readonly args: (data: CaseData) => Kernels[K];
}

/** A case, called after its kernel and what is special about it. */
export function kernelCase<K extends KernelName>(
  kernel: K,
  name: string,
  args: (data: CaseData) => Kernels[K],
): KernelCase<K> {
  return { kernel, name: `${kernel} ${name}`, args };
}

/** What a kernel wrote into one buffer. */
export interface KernelOutput {
  /** The argument's name, `gradQ` for `gradQ.buffer`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float64Array;
  /** Numbers behind the output that the kernel wrote over. */
  readonly overrun: number;
}

/** A case's arguments in memory, and the buffers that the kernel writes. */
export interface OpenCase<K extends KernelName> extends Disposable {
  readonly args: Kernels[K];
  /** What the outputs hold now. */
  read(): Promise<KernelOutput[]>;
}

/** The longest buffer of a case, 256 MiB: more takes too long to fill with numbers. */
const MOST_NUMBERS = 2 ** 26;

/** Numbers behind every output that no kernel may touch. */
const GUARD = 64;

/** Allocates and fills a case's buffers on a device. Throws InputError if they do not fit. Dispose it: that frees them. */
export function openCase<K extends KernelName>(device: Backend, test: KernelCase<K>, seed = 1): OpenCase<K> {
  const uniform = uniformGenerator(seed);
  const random = (length: number) => {
    const numbers = new Float32Array(length);
    for (let i = 0; i < length; i++) numbers[i] = 2 * uniform() - 1;
    return numbers;
  };
  const buffers: DeviceBuffer[] = [];
  const outputs: { buffer: DeviceBuffer; shape: readonly number[] }[] = [];
  const allocate = (dtype: DType, length: number): DeviceBuffer => {
    if (!(length <= MOST_NUMBERS)) {
      throw new InputError(`${test.name}: a buffer of ${length} numbers; at most ${MOST_NUMBERS} are tried`);
    }
    const buffer = device.allocate(dtype, length);
    buffers.push(buffer);
    return buffer;
  };
  const filled = (dtype: DType, length: number, data: (length: number) => ArrayLike<number>): DeviceBuffer => {
    const buffer = allocate(dtype, length);
    device.write(buffer, data(length));
    return buffer;
  };
  const written = (shape: readonly number[], values?: ArrayLike<number>): DeviceBuffer => {
    // Poison even on devices that were not opened with `poison`: what is not written, and what lies behind, stays NaN.
    const buffer = filled('f32', sizeOf(shape) + GUARD, (length) => {
      const numbers = new Float32Array(length).fill(Number.NaN);
      if (values) numbers.set(values);
      return numbers;
    });
    outputs.push({ buffer, shape });
    return buffer;
  };
  const free = () => {
    for (const buffer of buffers) device.free(buffer);
  };
  try {
    const args = test.args({
      real: (length) => filled('f32', length, random),
      half: (length) => filled('f16', length, random),
      values: (values) => filled('f32', values.length, () => values),
      ints: (values) => filled('i32', values.length, () => values),
      output: (...shape) => written(shape),
      inPlace: (values) => written([values.length], values),
    });
    return {
      args,
      async read() {
        const all: KernelOutput[] = [];
        for (const { buffer, shape } of outputs) {
          const numbers = Float64Array.from(await device.read(buffer));
          const values = numbers.slice(0, sizeOf(shape));
          const overrun = numbers.subarray(values.length).reduce((sum, one) => sum + Number(!Number.isNaN(one)), 0);
          all.push({ name: nameOf(args, buffer), shape, values, overrun });
        }
        return all;
      },
      [Symbol.dispose]: free,
    };
  } catch (error) {
    free();
    throw error;
  }
}

/** A case's arguments with buffers that have a type and a length, and no memory: enough to work out a launch or a cost. */
export function sizedArgs<K extends KernelName>(test: KernelCase<K>): Kernels[K] {
  const buffer = (dtype: DType, length: number): DeviceBuffer => ({ dtype, length });
  return test.args({
    real: (length) => buffer('f32', length),
    half: (length) => buffer('f16', length),
    values: ({ length }) => buffer('f32', length),
    ints: ({ length }) => buffer('i32', length),
    output: (...shape) => buffer('f32', sizeOf(shape)),
    inPlace: ({ length }) => buffer('f32', length),
  });
}

/** Opens a case, runs it by `run` (by default the backend's own kernel), and returns its outputs. */
export async function runCase<K extends KernelName>(
  device: Backend,
  test: KernelCase<K>,
  seed = 1,
  run: (args: Kernels[K]) => void = (args) => device.run(test.kernel, args),
): Promise<KernelOutput[]> {
  using open = openCase(device, test, seed);
  run(open.args);
  return await open.read();
}

/** The name of the argument that holds this buffer, or whose view does. */
function nameOf(args: object, buffer: DeviceBuffer): string {
  for (const [name, value] of Object.entries(args)) {
    if (value === buffer) return name;
    if (typeof value === 'object' && value !== null && Object.values(value).includes(buffer)) return name;
  }
  return 'output';
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, axis) => size * axis, 1);
}
