/**
 * A backend that finds the kernel that first wrote NaN or an infinity (`--check-finite`, `PTDPC_DEBUG=finite`): beside each kernel that another
 * backend runs, it has the range of every output computed there (families/general/range.ts), and the next `read` looks at all of them, in the order
 * of the calls.
 *
 * Nothing is copied to the host but four numbers for each output, so that real sizes fit, but a training step takes several times as long: on a
 * GPU each range is one more dispatch and one more read, on the CPU one more pass over the output.
 */
import { InputError } from '../errors.js';
import type { Backend, HostArray, MemoryUse, Origin } from './backend.js';
import { isBuffer } from './cost.js';
import {
  type AnyArgs,
  type ArgsOf,
  anyKernel,
  type Declaration,
  type DeviceBuffer,
  type DType,
  type Kernel,
} from './definition.js';
import { range } from './families/general/range.js';

/** What is known of a buffer: its numbers' range, as the device computes it, or as the host wrote it. */
interface Known {
  /** Four numbers, until they are read. */
  onDevice?: DeviceBuffer | undefined;
  values?: readonly number[] | undefined;
}

/** One kernel's call, until its outputs are known to be finite. */
interface Call {
  readonly what: string;
  readonly operands: readonly (readonly [name: string, known: Known | undefined])[];
  readonly outputs: readonly (readonly [name: string, length: number, known: Known])[];
}

/** The numbers of a kernel that wrote something that is not finite. */
export class NonFiniteKernelError extends InputError {}

/** Runs kernels on another backend and checks what they write. Its `dispose` disposes that, too. */
export class CheckedBackend implements Backend {
  readonly #inner: Backend;
  readonly #known = new WeakMap<DeviceBuffer, Known>();
  readonly #calls: Call[] = [];
  /** Written in part so far: which call of a kernel did, and as what. Checked when it is read as a whole. */
  readonly #partly = new Map<DeviceBuffer, { what: string; name: string }>();
  /** Device memory of ranges whose buffers are gone; freed once they are read. */
  readonly #ranges: DeviceBuffer[] = [];

  constructor(inner: Backend) {
    this.#inner = inner;
  }

  get kind(): 'cpu' | 'webgpu' {
    return this.#inner.kind;
  }

  get description(): string {
    return `${this.#inner.description}, checked for NaN and infinities`;
  }

  get arithmetic(): string {
    return this.#inner.arithmetic;
  }

  get memory(): MemoryUse {
    return this.#inner.memory;
  }

  get packsHalves(): boolean {
    return this.#inner.packsHalves;
  }

  allocate(dtype: DType, length: number): DeviceBuffer {
    return this.#inner.allocate(dtype, length);
  }

  free(buffer: DeviceBuffer): void {
    this.#partly.delete(buffer);
    this.#inner.free(buffer);
  }

  limitMemory(bytes: number): void {
    this.#inner.limitMemory(bytes);
  }

  write(buffer: DeviceBuffer, data: ArrayLike<number>): void {
    this.#inner.write(buffer, data);
    this.#partly.delete(buffer);
    if (buffer.dtype === 'f32') this.#known.set(buffer, { values: rangeOf(data) });
  }

  writeHalves(buffer: DeviceBuffer, bits: Uint16Array): void {
    this.#inner.writeHalves(buffer, bits);
    this.#known.delete(buffer);
  }

  /** Throws NonFiniteKernelError if a kernel before wrote a number that is not finite. */
  async read(buffer: DeviceBuffer): Promise<HostArray> {
    const [data] = await Promise.all([this.#inner.read(buffer), this.#settle()]);
    return data;
  }

  run<D extends Declaration>(kernel: Kernel<D>, args: ArgsOf<D>, origin?: Origin): void {
    this.#run(anyKernel(kernel), args as AnyArgs, origin);
  }

  dispose(): void {
    this.#inner.dispose();
  }

  #run(kernel: Kernel, args: AnyArgs, origin: Origin | undefined): void {
    const buffers = Object.entries(kernel.operands).flatMap(([name, operand]) => {
      const buffer = args[name];
      return isBuffer(buffer) && buffer.dtype === 'f32' ? [{ name, buffer, access: operand.access }] : [];
    });
    for (const { buffer, access } of buffers) {
      const by = access === 'read' ? this.#partly.get(buffer) : undefined;
      if (!by) continue;
      this.#partly.delete(buffer);
      this.#calls.push({ what: by.what, operands: [], outputs: [[by.name, buffer.length, this.#range(buffer)]] });
    }
    const what = `${kernel.name} (${this.#inner.variant?.(kernel, args) ?? this.#inner.kind}${placeOf(kernel, origin)})`;
    const operands = buffers
      .filter(({ access }) => access === 'read' || access === 'update')
      .map(({ name, buffer }) => [name, this.#known.get(buffer)] as const);
    this.#inner.run(kernel, args, origin);
    const written = buffers.filter(({ access }) => access === 'write' || access === 'update');
    const outputs = written.map(({ name, buffer }) => [name, buffer.length, this.#range(buffer)] as const);
    for (const { name, buffer, access } of buffers) if (access === 'part') this.#partly.set(buffer, { what, name });
    if (outputs.length > 0) this.#calls.push({ what, operands, outputs });
  }

  /** Has a buffer's range computed. */
  #range(buffer: DeviceBuffer): Known {
    const onDevice = this.#inner.allocate('f32', 4);
    this.#inner.run(range, { x: buffer, out: onDevice, length: buffer.length });
    this.#ranges.push(onDevice);
    const known: Known = { onDevice };
    this.#known.set(buffer, known);
    return known;
  }

  /** Reads all ranges so far, and throws for the first call that wrote something that is not finite. */
  async #settle(): Promise<void> {
    const ranges = this.#ranges.splice(0);
    const calls = this.#calls.splice(0);
    const found = new Map<DeviceBuffer, readonly number[]>();
    try {
      const read = await Promise.all(ranges.map(async (one) => [...(await this.#inner.read(one))]));
      ranges.forEach((one, i) => {
        found.set(one, read[i]!);
      });
    } finally {
      for (const one of ranges) this.#inner.free(one);
    }
    const known = calls.flatMap(({ outputs }) => outputs.map(([, , one]) => one));
    for (const one of known) {
      if (one.onDevice) one.values = found.get(one.onDevice);
      one.onDevice = undefined;
    }
    for (const { what, operands, outputs } of calls) {
      for (const [name, length, { values }] of outputs) {
        const [, , bad = 0, first = -1] = values ?? [];
        if (bad === 0) continue;
        const inputs = operands.map(([operand, one]) => `${operand} ${rangeText(one?.values)}`).join(', ');
        throw new NonFiniteKernelError(
          `${what} wrote ${bad} of ${length} numbers of ${name} that are not finite, the first at ${first}${inputs && `; ${inputs}`}`,
        );
      }
    }
  }
}

/** `, in layerNorm` or `, in the backward pass of linear`. */
function placeOf(kernel: Kernel, origin: Origin | undefined): string {
  if (!origin || (origin.operation === kernel.name && !origin.backward)) return '';
  return origin.backward ? `, in the backward pass of ${origin.operation}` : `, in ${origin.operation}`;
}

function rangeOf(data: ArrayLike<number>): number[] {
  const out = new Float64Array(4);
  range.twin({ x: Float64Array.from(data), out, length: data.length });
  return [...out];
}

function rangeText(values: readonly number[] | undefined): string {
  if (!values) return 'of unknown range';
  const [smallest, largest, bad] = values as [number, number, number];
  const finite = smallest > largest ? 'nothing finite' : `in [${smallest.toPrecision(4)}, ${largest.toPrecision(4)}]`;
  return bad > 0 ? `${finite} and ${bad} not finite` : finite;
}
