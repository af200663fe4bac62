/**
 * Cases of a kernel: arguments of given sizes on made-up data, the same on every backend, so that two implementations can be compared; and one
 * call on such a case, with what it wrote.
 */
import { InputError } from '../errors.js';
import type { Backend } from './backend.js';
import {
  type AnyArgs,
  type ArgsOf,
  anyKernel,
  type Declaration,
  type DeviceBuffer,
  type DType,
  type Kernel,
  type Sizes,
} from './definition.js';
import { shapeOf, storedPattern } from './shapes.js';

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
  /** A buffer of this shape that the kernel writes in part; what it leaves must stay. */
  part(...shape: number[]): DeviceBuffer;
  /** A buffer that the kernel updates. */
  inPlace(values: ArrayLike<number>): DeviceBuffer;
}

/** Arguments for one call of a kernel, to be made on any device. */
export interface KernelCase<D extends Declaration = Declaration> {
  readonly name: string;
  readonly kernel: Kernel<D>;
  /** Makes the buffers and returns the arguments. */
  args(data: CaseData): ArgsOf<D>;
}

/** The numbers of a kernel's cases by name, with usual values: its extents, and what else changes a case. */
export interface SizeNames {
  readonly extents: Sizes;
  readonly options: Sizes;
}

const knownNames = new WeakMap<Kernel, SizeNames>();

/** The numbers that a case of this kernel depends on. */
export function sizeNames(kernel: Kernel): SizeNames {
  const known = knownNames.get(kernel);
  if (known) return known;
  const { cases, operands } = kernel;
  const extents = cases.sizes;
  const options: Record<string, number> = { ...kernel.options, ...kernel.scalars };
  for (const [name, { optional, when = name, type }] of Object.entries(operands)) {
    if (optional && when === name) options[name] = 0;
    if (type === 'weights') options.half = 0;
  }
  Object.assign(options, cases.variations);
  const workedOut = cases.data?.(SIZES_ONLY, { ...options, ...extents }) ?? {};
  const own = (name: string) => !(name in extents) && (name in (cases.variations ?? {}) || !(name in workedOut));
  const names = { extents, options: Object.fromEntries(Object.entries(options).filter(([name]) => own(name))) };
  knownNames.set(kernel, names);
  return names;
}

/** A case of these sizes; those left out are as usual. */
export function caseOf<D extends Declaration>(kernel: Kernel<D>, sizes: Sizes = {}): KernelCase<D> {
  const { extents, options } = sizeNames(anyKernel(kernel));
  const all: Sizes = { ...kernel.scalars, ...options, ...extents, ...sizes };
  return {
    kernel,
    name: `${kernel.name} ${sizesText({ ...extents, ...options, ...sizes }, options)}`,
    args: (data) => argumentsOf(anyKernel(kernel), data, all) as ArgsOf<D>,
  };
}

/** The cases of a kernel's suite. */
export function suiteOf<D extends Declaration>(kernel: Kernel<D>): KernelCase<D>[] {
  return kernel.cases.suite.map((sizes) => caseOf(kernel, sizes));
}

/** `m=7,n=13,k=1,transposeA=1`: as `--shape` takes it; options that are as usual are left out. */
export function sizesText(sizes: Sizes, usual: Sizes = {}): string {
  return Object.entries(sizes)
    .filter(([name, value]) => usual[name] !== value)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

/** Arguments of these sizes: what the kernel's `data` gives, and random numbers for the rest. */
function argumentsOf(kernel: Kernel, data: CaseData, sizes: Sizes): AnyArgs {
  const { name, operands, scalars, options, cases } = kernel;
  const given: AnyArgs = cases.data?.(data, sizes) ?? {};
  const numbers: Record<string, number> = {};
  for (const [key, value] of Object.entries({ ...sizes, ...given }))
    if (typeof value === 'number') numbers[key] = value;
  const args: Record<string, AnyArgs[string]> = { ...given };
  for (const [operand, declared] of Object.entries(operands)) {
    const pattern = storedPattern(declared, numbers);
    for (const axis of pattern.axes.flatMap(({ names }) => names)) {
      if (numbers[axis] !== undefined) args[axis] = numbers[axis];
    }
    if (operand in given || (declared.optional && !numbers[declared.when ?? operand])) continue;
    const shape = shapeOf(`${name}, operand ${operand}`, pattern, numbers);
    const { access, type } = declared;
    if (type === 'i32') throw new Error(`${name}: its cases give no ${operand}`);
    if (access === 'write') args[operand] = data.output(...shape);
    else if (access === 'part') args[operand] = data.part(...shape);
    else if (access === 'update') args[operand] = data.inPlace(ramp(sizeOf(shape)));
    else args[operand] = type === 'weights' && numbers.half ? data.half(sizeOf(shape)) : data.real(sizeOf(shape));
  }
  for (const key of [...Object.keys(scalars), ...Object.keys(options)]) args[key] ??= numbers[key];
  return args;
}

/** Numbers in [-1, 1], none of them special. */
function ramp(length: number): number[] {
  return Array.from({ length }, (_, i) => ((i * 3) % 11) / 5 - 1);
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
export interface OpenCase<D extends Declaration = Declaration> extends Disposable {
  readonly args: ArgsOf<D>;
  /** What the outputs hold now. */
  read(): Promise<KernelOutput[]>;
}

/** The longest buffer of a case, 256 MiB: more takes too long to fill with numbers. */
const MOST_NUMBERS = 2 ** 26;

/** Numbers behind every output that no kernel may touch. What a kernel writes further on is cut off by WebGPU. */
const GUARD = 8192;

/** What they are, exact in float32. Not NaN: a kernel that updates an element past the end would leave NaN there again. */
const GUARDED = 2 ** 100;

/** Allocates and fills a case's buffers on a device. Throws InputError if they do not fit. Dispose it: that frees them. */
export function openCase<D extends Declaration>(device: Backend, test: KernelCase<D>, seed = 1): OpenCase<D> {
  const uniform = uniformNumbers(seed);
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
    // Poison even on devices that were not opened with `poison`: what is not written stays NaN.
    const buffer = filled('f32', sizeOf(shape) + GUARD, (length) => {
      const numbers = new Float32Array(length).fill(Number.NaN).fill(GUARDED, sizeOf(shape));
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
      part: (...shape) => written(shape, ramp(sizeOf(shape))),
      inPlace: (values) => written([values.length], values),
    });
    return {
      args,
      async read() {
        const all: KernelOutput[] = [];
        // In the order of the declaration, whatever the order in which they were made.
        const place = ({ buffer }: { buffer: DeviceBuffer }) =>
          Object.keys(test.kernel.operands).indexOf(nameOf(args, buffer));
        for (const { buffer, shape } of outputs.sort((one, other) => place(one) - place(other))) {
          const numbers = Float64Array.from(await device.read(buffer));
          const values = numbers.slice(0, sizeOf(shape));
          const overrun = numbers.subarray(values.length).reduce((sum, one) => sum + Number(one !== GUARDED), 0);
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

/** Buffers that have a type and a length, and no memory. */
const SIZES_ONLY: CaseData = {
  real: (length) => ({ dtype: 'f32', length }),
  half: (length) => ({ dtype: 'f16', length }),
  values: ({ length }) => ({ dtype: 'f32', length }),
  ints: ({ length }) => ({ dtype: 'i32', length }),
  output: (...shape) => ({ dtype: 'f32', length: sizeOf(shape) }),
  part: (...shape) => ({ dtype: 'f32', length: sizeOf(shape) }),
  inPlace: ({ length }) => ({ dtype: 'f32', length }),
};

/** A case's arguments without memory: enough to work out a launch or a cost. */
export function sizedArgs<D extends Declaration>(test: KernelCase<D>): ArgsOf<D> {
  return test.args(SIZES_ONLY);
}

/** Opens a case, runs it by `run` (by default the backend's own kernel), and returns its outputs. */
export async function runCase<D extends Declaration>(
  device: Backend,
  test: KernelCase<D>,
  seed = 1,
  run: (args: ArgsOf<D>) => void = (args) => device.run(test.kernel, args),
): Promise<KernelOutput[]> {
  using open = openCase(device, test, seed);
  run(open.args);
  return await open.read();
}

/** The name of the argument that is this buffer. */
function nameOf(args: object, buffer: DeviceBuffer): string {
  return Object.entries(args).find(([, value]) => value === buffer)?.[0] ?? 'output';
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, axis) => size * axis, 1);
}

/** Numbers in [0, 1) from a linear congruential generator (Steele and Vigna, 2021, table 4), whose low bits are dropped. */
function uniformNumbers(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  return () => {
    state = (Math.imul(state, 0x915f77f5) + 0x3c6ef372) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}
