/**
 * A device that executes WGSL on the host, in lockstep and for study: any text of `shaders/` or of the user's gives what a GPU would give, and every
 * access to memory can be watched. Thousands of times slower than the CPU backend.
 */
import { InputError } from '../../errors.js';
import type { CaseData } from '../../kernels/cases.js';
import {
  type AnyArgs,
  type ArgsOf,
  anyKernel,
  type Backend,
  type Declaration,
  type DeviceBuffer,
  type DType,
  type HostArray,
  halfFromFloat32,
  type Kernel,
  type Variant,
} from '../../kernels/index.js';
import { type Launch, launchOf } from '../../kernels/webgpu/launch.js';
import { unpackedHalf } from './arithmetic.js';
import { Compiler } from './compile.js';
import type { Expressions } from './expressions.js';
import { Machine, SharedMemory } from './machine.js';
import { type Binding, Scope } from './scope.js';
import { parseWgsl } from './syntax.js';
import { atLine } from './tokens.js';
import type { Declared } from './tree.js';
import { concrete, scalarOf, type Type, wordBytesOf, wordsOf } from './types.js';
import { wide } from './values.js';

/** A buffer with its memory: halves are two to a word. */
interface HeldBuffer extends DeviceBuffer {
  readonly memory: SharedMemory;
}

export class LockstepDevice implements Backend {
  readonly kind = 'cpu';
  readonly description = 'WGSL in lockstep, for study';
  readonly arithmetic = 'lockstep';
  readonly packsHalves = true;
  #live = 0;

  /** `variant` runs what is queued by `run`; of a kernel that it is none of, the plainest. */
  constructor(
    readonly subgroupSize = 32,
    private readonly variantName?: string,
  ) {}

  get memory() {
    return { buffers: this.#live, bytes: 0, peakBytes: 0, heldBytes: 0, peakHeldBytes: 0, fixedBytes: 0 };
  }

  allocate(dtype: DType, length: number): DeviceBuffer {
    this.#live++;
    const held: HeldBuffer = {
      dtype,
      length,
      memory: new SharedMemory('', 'storage', dtype === 'f16' ? Math.ceil(length / 2) : length),
    };
    return held;
  }

  free(): void {
    this.#live--;
  }

  limitMemory(): void {}

  write(buffer: DeviceBuffer, data: ArrayLike<number>): void {
    const { dtype, memory } = held(buffer);
    if (dtype === 'f16') this.writeHalves(buffer, Uint16Array.from(data, halfFromFloat32));
    else memory[dtype].set(data);
  }

  writeHalves(buffer: DeviceBuffer, bits: Uint16Array): void {
    new Uint16Array(held(buffer).memory.u32.buffer).set(bits);
  }

  async read(buffer: DeviceBuffer): Promise<HostArray> {
    const { dtype, length, memory } = held(buffer);
    if (dtype !== 'f16') return memory[dtype].slice();
    return Float32Array.from({ length }, (_, i) => unpackedHalf(memory.u32[i >> 1]!, (i & 1) as 0 | 1));
  }

  run<D extends Declaration>(kernel: Kernel<D>, args: ArgsOf<D>): void {
    const { variants } = anyKernel(kernel);
    const variant = variants.find(({ name }) => name === this.variantName) ?? variants[0]!;
    this.dispatch(launchOf(anyKernel(kernel), variant as Variant, args as AnyArgs));
  }

  /** Runs all workgroups of a launch, one after the other. Throws InputError for WGSL that is outside of what it reads. */
  dispatch(launch: Launch): void {
    const prepared = this.prepare(launch);
    const [width, height] = launch.workgroups;
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) prepared.run(x, y);
  }

  /** A launch whose workgroups can be run one by one. Throws InputError for WGSL that is outside of what it reads. */
  prepare(launch: Launch): Prepared {
    return new Prepared(launch, this.subgroupSize);
  }

  /** Makes the buffers of a case without the trouble that a comparison takes: numbers repeat, outputs are zeros. Throws InputError for too large ones. */
  caseData(): CaseData {
    const allocate = (dtype: DType, length: number) => {
      if (length <= MOST_NUMBERS) return held(this.allocate(dtype, length));
      throw new InputError(`a buffer of ${length} numbers; at most ${MOST_NUMBERS} are modelled`);
    };
    const given = (dtype: 'f32' | 'i32', values: ArrayLike<number>) => {
      const buffer = allocate(dtype, values.length);
      buffer.memory[dtype].set(values);
      return buffer;
    };
    const output = (...shape: number[]) =>
      allocate(
        'f32',
        shape.reduce((size, axis) => size * axis, 1),
      );
    return {
      real(length) {
        const buffer = allocate('f32', length);
        repeat(buffer.memory.f32, NUMBERS);
        return buffer;
      },
      half(length) {
        const buffer = allocate('f16', length);
        repeat(new Uint16Array(buffer.memory.u32.buffer), HALVES);
        return buffer;
      },
      values: (values) => given('f32', values),
      inPlace: (values) => given('f32', values),
      ints: (values) => given('i32', values),
      output,
      part: output,
    };
  }

  dispose(): void {}
}

/** The longest buffer of a case, 256 MiB. */
const MOST_NUMBERS = 2 ** 26;

/** Numbers in [-1, 1), in no order. */
const NUMBERS = Float32Array.from({ length: 4096 }, (_, i) => ((i * 1597) % 4096) / 2048 - 1);
const HALVES = Uint16Array.from(NUMBERS, halfFromFloat32);

function repeat<T extends Float32Array | Uint16Array>(to: T, numbers: T): void {
  for (let at = 0; at < to.length; at += numbers.length) to.set(numbers.subarray(0, to.length - at), at);
}

function held(buffer: DeviceBuffer): HeldBuffer {
  if (!('memory' in buffer)) throw new Error('a buffer of another device');
  return buffer as HeldBuffer;
}

/** A compiled launch. */
export class Prepared {
  readonly machine: Machine;
  readonly workgroupSize: readonly [number, number, number];
  readonly invocations: number;
  /** Bytes of the workgroup's memory. */
  readonly workgroupBytes: number;
  /** Words of each invocation's variables that live at once, as the text has them. */
  readonly words: number;
  readonly #shared: { readonly memory: SharedMemory; readonly bytes: number }[] = [];
  readonly #call: (x: number, y: number) => void;

  constructor(launch: Launch, subgroupSize: number) {
    const machine = new Machine(subgroupSize);
    this.machine = machine;
    const program = parseWgsl(launch.shader.text);
    const declared = new Map(program.globals.map((one) => [one.name, one]));
    const globals: Scope = new Scope(undefined, (name) => {
      const one = declared.get(name);
      return one && atLine(one.line, () => this.#binding(one, launch, expressions));
    });
    const compiler = new Compiler(machine, program, globals);
    const { expressions } = compiler;
    const entry = program.functions.get(launch.entryPoint);
    if (!entry?.workgroupSize) throw new InputError(`expected an entry point ${launch.entryPoint}, found none`);
    const [x = 1, y = 1, z = 1] = entry.workgroupSize.map((size) => expressions.number(size));
    this.workgroupSize = [x, y, z];
    this.invocations = x * y * z;
    const main = compiler.function(entry.name);
    this.words = main.words;
    this.workgroupBytes = this.#shared.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#call = (groupX, groupY) => {
      machine.start(this.invocations);
      const builtins = builtinsOf(machine, this.workgroupSize, [groupX, groupY, 0], launch.workgroups);
      const builtin = (name: string | undefined): Float64Array => {
        const value = builtins[name ?? ''];
        if (!value) throw new InputError(`@builtin(${name}): expected one that the model knows`);
        return value;
      };
      for (const [i, { type, bind }] of main.parameters.entries()) {
        if (type.kind !== 'struct') {
          bind(builtin(entry.parameters[i]!.builtin));
          continue;
        }
        const all = new Float64Array(wordsOf(type) * machine.lanes);
        for (const field of type.fields)
          all.set(wide(builtin(field.builtin), wordsOf(field.type), machine.lanes), field.at * machine.lanes);
        bind(all);
      }
      main.call();
    };
  }

  /** What a name outside of functions stands for. */
  #binding(
    { kind, space, name, type: typeName, value: given }: Declared,
    launch: Launch,
    expressions: Expressions,
  ): Binding {
    if (kind === 'var') {
      const type = expressions.typeOf(typeName!);
      const memory = this.#memoryOf(launch, space, name, type);
      return { kind: 'place', place: { type, space, name, at: () => ({ memory, offset: 0 }) } };
    }
    const constant = kind === 'override' ? launch.constants[name] : undefined;
    const raw = given && expressions.value(given, expressions.globals);
    const type = typeName ? expressions.typeOf(typeName) : raw && (kind === 'const' ? raw.type : concrete(raw.type));
    if (!type || !(raw || constant !== undefined)) throw new InputError(`${kind} ${name}: expected a value`);
    return {
      kind: 'value',
      value: constant === undefined ? expressions.as(type, raw!) : expressions.literal(constant, scalarOf(type)),
    };
  }

  #memoryOf({ params, buffers, shader }: Launch, space: string, name: string, type: Type): SharedMemory {
    if (space === 'uniform') {
      const memory = new SharedMemory(name, space, wordsOf(type));
      shader.interface.params.forEach((param, i) => {
        memory[param.type][i] = params[param.name]!;
      });
      return memory;
    }
    if (space === 'workgroup') {
      const memory = new SharedMemory(name, space, wordsOf(type));
      this.#shared.push({ memory, bytes: memory.words * wordBytesOf(type) });
      return memory;
    }
    if (space !== 'storage') throw new InputError(`var<${space}> ${name}: expected storage, uniform or workgroup`);
    if (wordBytesOf(type) === 2)
      throw new InputError(`${name}: expected a buffer of numbers of 32 bits; halves come two to a word`);
    const buffer = buffers[name];
    if (buffer) return held(buffer).memory;
    // What is not given no kernel may count on.
    const missing = new SharedMemory(name, space, 4);
    missing.f32.fill(Number.NaN);
    return missing;
  }

  /** Runs one workgroup. */
  run(x: number, y: number): void {
    // WGSL's zeros, and NaN where a kernel would rather not rely on them, are the same to a correct kernel.
    for (const { memory } of this.#shared) memory.u32.fill(0);
    this.#call(x, y);
  }
}

function builtinsOf(
  { lanes, subgroupSize }: Machine,
  size: readonly [number, number, number],
  group: readonly [number, number, number],
  groups: readonly [number, number],
): Readonly<Record<string, Float64Array>> {
  const each = (of: (lane: number) => number) => Float64Array.from({ length: lanes }, (_, lane) => of(lane));
  const three = (of: (lane: number, axis: 0 | 1 | 2) => number) =>
    Float64Array.from({ length: 3 * lanes }, (_, at) => of(at % lanes, Math.floor(at / lanes) as 0 | 1 | 2));
  const local = (lane: number, axis: 0 | 1 | 2) =>
    [lane % size[0], Math.floor(lane / size[0]) % size[1], Math.floor(lane / (size[0] * size[1]))][axis]!;
  return {
    workgroup_id: Float64Array.from(group),
    num_workgroups: Float64Array.of(...groups, 1),
    local_invocation_id: three(local),
    global_invocation_id: three((lane, axis) => group[axis] * size[axis] + local(lane, axis)),
    local_invocation_index: each((lane) => lane),
    subgroup_invocation_id: each((lane) => lane % subgroupSize),
    subgroup_size: each(() => subgroupSize),
    subgroup_id: each((lane) => Math.floor(lane / subgroupSize)),
    num_subgroups: each(() => Math.ceil(lanes / subgroupSize)),
  };
}
