/**
 * The CPU backend. Each kernel is its plain TypeScript twin, run at once, in float32 or (as the oracle of tests) in float64;
 * those that make up nearly all of the work have a fast version in WebAssembly (wasm/).
 */
import { InputError } from '../../errors.js';
import { span } from '../../trace.js';
import type { Backend, HostArray, Origin } from '../backend.js';
import { isBuffer, kernelCost } from '../cost.js';
import {
  type AnyArgs,
  type ArgsOf,
  anyKernel,
  type Declaration,
  type DeviceBuffer,
  type DType,
  type Kernel,
  type RealArray,
} from '../definition.js';
import { matmul } from '../families/matmul.js';
import { float32FromHalf, halvesFromFloat32, roundedToHalves } from '../half.js';
import { MemoryMeter } from '../memory.js';
import type { Profiler } from '../profiler.js';
import { isCompiled, runCompiled } from './compiled.js';
import { binaryText, CpuHeap, type StartWorker, simdSupported, type WasmBuild, WasmEngine } from './wasm/index.js';

/** Options of the CPU backend. */
export interface CpuOptions {
  /** 'f64' computes and stores in double precision, all in plain TypeScript: the oracle. */
  precision?: 'f32' | 'f64';
  /** The heavy kernels in WebAssembly, tensors in its memory. Default: where the engine has SIMD; never for 'f64'. */
  wasm?: boolean;
  /**
   * Which compiled code: `plain` gives the same bits on every processor; `relaxed` fuses multiply-adds; `wide` gives the same bits as
   * `relaxed`, faster if the engine fuses vectors and slower if not. Default: `relaxed` if the engine has relaxed SIMD, else `plain`.
   */
  build?: WasmBuild | undefined;
  /** Threads for those kernels. More than one needs shared memory. Default 1. */
  threads?: number;
  /** How to start a thread, if not as in a browser. */
  startWorker?: StartWorker;
  /** Records the time of each kernel. */
  profiler?: Profiler | undefined;
  /** Fill new memory with NaN, so that a kernel that forgets an element is detected. For tests. */
  poison?: boolean;
}

const HALF_NAN = 0x7e00;

/** The CPU as a device. */
export class CpuBackend implements Backend {
  readonly kind = 'cpu';
  readonly description: string;
  readonly memory = new MemoryMeter();
  readonly #precision: 'f32' | 'f64';
  readonly #poison: boolean;
  readonly #profiler: Profiler | undefined;
  readonly #wasm: { heap: CpuHeap; engine: WasmEngine } | undefined;

  constructor(options: CpuOptions = {}) {
    const { precision = 'f32', poison = false, threads = 1, startWorker, build } = options;
    this.#precision = precision;
    this.#poison = poison;
    this.#profiler = options.profiler;
    if (precision === 'f32' && (options.wasm ?? simdSupported())) {
      const given = { ...(startWorker && { startWorker }), build };
      const heap = new CpuHeap({ onGrowth: (bytes) => this.memory.hold(bytes) });
      this.#wasm = { heap, engine: WasmEngine.create({ heap, threads, ...given }) };
      this.memory.fixedBytes = heap.bytesInUse;
    }
    this.description = this.#describe();
  }

  /** Not the number of threads, which does not change results. Relaxed SIMD fuses multiply-adds if the processor can. */
  get arithmetic(): string {
    if (!this.#wasm) return `cpu, ${this.#precision}`;
    const { build } = this.#wasm.engine;
    return `cpu, ${binaryText(build)}, ${build !== 'plain' && this.#fuses() ? 'fused' : 'not fused'}`;
  }

  /** Whether products fuse multiply-adds: 2^-24 is lost if the product is rounded before it is added. */
  #fuses(): boolean {
    const [m, n] = [16, 64];
    const [a, b, out] = [this.allocate('f32', m * 2), this.allocate('f32', n * 2), this.allocate('f32', m * n)];
    this.write(
      a,
      Array.from({ length: m * 2 }, (_, i) => (i % 2 === 0 ? -(1 + 2 ** -11) : 1 + 2 ** -12)),
    );
    this.write(
      b,
      Array.from({ length: n * 2 }, (_, i) => (i < n ? 1 : 1 + 2 ** -12)),
    );
    this.#run(matmul, { a, b, out, m, n, k: 2, alpha: 1, transposeB: false });
    const fused = out.data[0] !== 0;
    for (const buffer of [a, b, out]) this.free(buffer);
    return fused;
  }

  /** True if products are compiled: they widen fp16 values as they read them. The twins store them as floats. */
  get packsHalves(): boolean {
    return this.#wasm !== undefined;
  }

  allocate(dtype: DType, length: number): CpuBuffer {
    const buffer = this.#wasm ? heapBuffer(this.#wasm.heap, dtype, length) : this.#arrayBuffer(dtype, length);
    if (this.#poison) this.#fillWithPoison(buffer);
    this.memory.add(buffer, this.#bytesOf(buffer));
    if (!this.#wasm) this.memory.hold(this.#bytesOf(buffer));
    return buffer;
  }

  /** WebAssembly memory cannot be released; it grows no further than necessary. */
  limitMemory(bytes: number): void {
    if (this.#wasm) this.#wasm.heap.softLimit = bytes;
  }

  free(buffer: DeviceBuffer): void {
    const bytes = this.memory.remove(buffer);
    if (this.#wasm) this.#wasm.heap.free(addressOf(buffer));
    else this.memory.hold(-bytes);
  }

  write(buffer: DeviceBuffer, data: ArrayLike<number>): void {
    if (buffer.dtype !== 'f16') (buffer as CpuBuffer).data.set(data);
    else if (this.#wasm) this.writeHalves(buffer, halvesFromFloat32(Float32Array.from(data)));
    else (buffer as CpuBuffer).data.set(roundedToHalves(data));
  }

  writeHalves(buffer: DeviceBuffer, bits: Uint16Array): void {
    const { length, dtype } = buffer;
    if (this.#wasm && dtype === 'f16') this.#wasm.heap.u16(addressOf(buffer), length).set(bits);
    else (buffer as CpuBuffer).data.set(float32FromHalf(bits));
  }

  read(buffer: DeviceBuffer): Promise<HostArray> {
    return Promise.resolve((buffer as CpuBuffer).data.slice());
  }

  /** Runs a kernel to completion. */
  run<D extends Declaration>(kernel: Kernel<D>, args: ArgsOf<D>, origin?: Origin): void {
    if (this.#profiler) this.#profiled(this.#profiler, kernel, args, origin);
    else this.#run(kernel, args);
  }

  #profiled<D extends Declaration>(profiler: Profiler, kernel: Kernel<D>, args: ArgsOf<D>, origin?: Origin): void {
    using _ = span('compute', { kernel: kernel.name });
    const begin = performance.now();
    this.#run(kernel, args);
    const end = performance.now();
    profiler.add({ kernel: kernel.name, cost: kernelCost(kernel, args), origin, begin, end });
  }

  #run<D extends Declaration>(kernel: Kernel<D>, args: ArgsOf<D>): void {
    const erased = anyKernel(kernel);
    if (!this.#wasm || !runCompiled(this.#wasm.engine, erased, args, addressOf)) runTwin(erased, args);
  }

  variant(kernel: Kernel): string {
    return this.#wasm && isCompiled(kernel) ? 'WebAssembly' : 'twin';
  }

  dispose(): void {
    this.#wasm?.engine.dispose();
  }

  #arrayBuffer(dtype: DType, length: number): CpuBuffer {
    try {
      if (dtype === 'i32') return { dtype, length, data: new Int32Array(length) };
      return { dtype, length, data: this.#precision === 'f64' ? new Float64Array(length) : new Float32Array(length) };
    } catch {
      throw new InputError(`out of memory: a tensor of ${length} numbers does not fit on the CPU`);
    }
  }

  #bytesOf({ dtype, length }: DeviceBuffer): number {
    if (this.#precision === 'f64') return (dtype === 'i32' ? 4 : 8) * length;
    return (dtype === 'f16' && this.packsHalves ? 2 : 4) * length;
  }

  #fillWithPoison(buffer: CpuBuffer): void {
    const { dtype, length, data } = buffer;
    if (dtype === 'f16') this.writeHalves(buffer, new Uint16Array(length).fill(HALF_NAN));
    else data.fill(dtype === 'i32' ? -0x7fffffff : Number.NaN);
  }

  #describe(): string {
    if (!this.#wasm) return `CPU, plain TypeScript (${this.#precision})`;
    const { threads, build } = this.#wasm.engine;
    // The same for builds that give the same bits: it stands in the records of runs, which must not depend on what was faster at the time.
    return `CPU, WebAssembly SIMD${build === 'plain' ? '' : ' with fused multiply-add'}, ${threads} thread${threads === 1 ? '' : 's'}`;
  }
}

/** CPU memory: a typed array behind the opaque buffer. */
interface CpuBuffer extends DeviceBuffer {
  /** If fp16 values are packed (see `Backend.packsHalves`), a widened copy of them. */
  readonly data: RealArray | Int32Array;
}

/** Runs a kernel as its definition. Throws Error if a buffer is not of its operand's type. */
function runTwin(kernel: Kernel, args: AnyArgs): void {
  const arrays: Record<string, RealArray | Int32Array | number | boolean | undefined> = {};
  for (const [name, value] of Object.entries(args)) if (!isBuffer(value)) arrays[name] = value;
  for (const [name, { type }] of Object.entries(kernel.operands)) {
    const buffer = args[name];
    if (!isBuffer(buffer)) continue;
    if (type === 'weights' ? buffer.dtype === 'i32' : buffer.dtype !== type)
      throw new Error(`${kernel.name}: expected ${name} of ${type}, found ${buffer.dtype}`);
    arrays[name] = (buffer as CpuBuffer).data;
  }
  kernel.twin(arrays);
}

/** A buffer in WebAssembly memory. Its view is made on each access, since growing the memory may detach older ones. */
interface HeapBuffer extends CpuBuffer {
  readonly address: number;
}

function heapBuffer(heap: CpuHeap, dtype: DType, length: number): HeapBuffer {
  const address = heap.allocate(length * (dtype === 'f16' ? 2 : 4));
  return {
    dtype,
    length,
    address,
    get data() {
      if (dtype === 'i32') return heap.i32(address, length);
      return dtype === 'f16' ? float32FromHalf(heap.u16(address, length)) : heap.f32(address, length);
    },
  };
}

function addressOf(buffer: DeviceBuffer): number {
  return (buffer as HeapBuffer).address;
}
