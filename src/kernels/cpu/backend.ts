/**
 * The CPU backend. Each kernel is its plain TypeScript twin, run at once, in float32 or (as the oracle of tests) in float64;
 * those that are nearly all of the work have a fast form in WebAssembly (wasm/).
 */
import { InputError } from '../../errors.js';
import type { Backend, DeviceBuffer, DType, HostArray, KernelName, Kernels } from '../contract.js';
import { kernelCost } from '../cost.js';
import { float32FromHalf, roundedToHalves } from '../half.js';
import { MemoryMeter } from '../memory.js';
import type { Profiler } from '../profiler.js';
import { activationGrad } from './activation.js';
import type { CpuBuffer } from './arrays.js';
import { attention, attentionGradKeyValue, attentionGradQuery } from './attention.js';
import { runCompiled } from './compiled.js';
import { compose, composeGradPrompts, composeGradWeights, groupDot, groupDotGradA, groupDotGradB } from './compose.js';
import { adamW, crossEntropy, crossEntropyGrad, sgd } from './loss.js';
import { matmul } from './matmul.js';
import { layerNorm, layerNormGrad, normalizeRows, normalizeRowsGrad, softmax, softmaxGrad } from './normalize.js';
import { affine, broadcastRows, gatherRows, patchRows, scatterAddRows, sumRows } from './rows.js';
import { CpuHeap, type StartWorker, simdSupported, WasmEngine } from './wasm/index.js';

type Twins = { readonly [K in KernelName]: (args: Kernels[K]) => void };

/** The definition of every kernel. */
export const twins: Twins = {
  matmul,
  layerNorm,
  layerNormGrad,
  attention,
  attentionGradQuery,
  attentionGradKeyValue,
  gatherRows,
  scatterAddRows,
  compose,
  composeGradWeights,
  composeGradPrompts,
  normalizeRows,
  normalizeRowsGrad,
  groupDot,
  groupDotGradA,
  groupDotGradB,
  softmax,
  softmaxGrad,
  crossEntropy,
  crossEntropyGrad,
  affine,
  sumRows,
  broadcastRows,
  activationGrad,
  patchRows,
  sgd,
  adamW,
};

export interface CpuOptions {
  /** 'f64' computes and stores in double precision, all in plain TypeScript: the oracle. */
  precision?: 'f32' | 'f64';
  /** The heavy kernels in WebAssembly, tensors in its memory. Default: where the engine has SIMD; never for 'f64'. */
  wasm?: boolean;
  /** Threads for those kernels. More than one needs shared memory. Default 1. */
  threads?: number;
  /** How to start a thread, where that is not as in a browser. */
  startWorker?: StartWorker;
  /** Hears how long each kernel took. */
  profiler?: Profiler | undefined;
  /** Fill fresh memory with NaN, so that a kernel that forgets an element is found out. For tests. */
  poison?: boolean;
}

export class CpuBackend implements Backend {
  readonly kind = 'cpu';
  readonly description: string;
  readonly memory = new MemoryMeter();
  /** Halves are stored as the wider numbers that they are, so that the products need not unpack them. */
  readonly packsHalves = false;
  readonly #precision: 'f32' | 'f64';
  readonly #poison: boolean;
  readonly #profiler: Profiler | undefined;
  readonly #wasm: { heap: CpuHeap; engine: WasmEngine } | undefined;

  constructor(options: CpuOptions = {}) {
    const { precision = 'f32', poison = false, threads = 1, startWorker } = options;
    this.#precision = precision;
    this.#poison = poison;
    this.#profiler = options.profiler;
    if (precision === 'f32' && (options.wasm ?? simdSupported())) {
      const heap = new CpuHeap({ onGrowth: (bytes) => this.memory.hold(bytes) });
      this.#wasm = { heap, engine: WasmEngine.create({ heap, threads, ...(startWorker && { startWorker }) }) };
      this.memory.fixedBytes = heap.bytesInUse;
    }
    this.description = this.#describe();
  }

  allocate(dtype: DType, length: number): CpuBuffer {
    const buffer = this.#wasm ? heapBuffer(this.#wasm.heap, dtype, length) : this.#arrayBuffer(dtype, length);
    if (this.#poison) buffer.data.fill(dtype === 'i32' ? -0x7fffffff : Number.NaN);
    this.memory.add(bytesOf(buffer));
    if (!this.#wasm) this.memory.hold(bytesOf(buffer));
    return buffer;
  }

  /** WebAssembly memory cannot be given back; it grows no further than it must. */
  limitMemory(bytes: number): void {
    if (this.#wasm) this.#wasm.heap.softLimit = bytes;
  }

  free(buffer: DeviceBuffer): void {
    this.memory.remove(bytesOf(buffer));
    if (this.#wasm) this.#wasm.heap.free((buffer as HeapBuffer).address);
    else this.memory.hold(-bytesOf(buffer));
  }

  write(buffer: DeviceBuffer, data: ArrayLike<number>): void {
    (buffer as CpuBuffer).data.set(buffer.dtype === 'f16' ? roundedToHalves(data) : data);
  }

  writeHalves(buffer: DeviceBuffer, bits: Uint16Array): void {
    if (this.#wasm) this.#wasm.engine.widenHalves(bits, addressOf(buffer));
    else (buffer as CpuBuffer).data.set(float32FromHalf(bits));
  }

  read(buffer: DeviceBuffer): Promise<HostArray> {
    return Promise.resolve((buffer as CpuBuffer).data.slice());
  }

  run<K extends KernelName>(kernel: K, args: Kernels[K]): void {
    if (!this.#profiler) {
      this.#run(kernel, args);
      return;
    }
    const start = performance.now();
    this.#run(kernel, args);
    this.#profiler.add(kernel, kernelCost(kernel, args), (performance.now() - start) / 1000);
  }

  #run<K extends KernelName>(kernel: K, args: Kernels[K]): void {
    if (!this.#wasm || !runCompiled(this.#wasm.engine, kernel, args, addressOf)) twins[kernel](args);
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

  #describe(): string {
    if (!this.#wasm) return `CPU, plain TypeScript (${this.#precision})`;
    const { threads, relaxed } = this.#wasm.engine;
    return `CPU, WebAssembly SIMD${relaxed ? ' with fused multiply-add' : ''}, ${threads} thread${threads === 1 ? '' : 's'}`;
  }
}

/** A buffer in WebAssembly memory. Its view is made on each access, since growing the memory may detach older ones. */
interface HeapBuffer extends CpuBuffer {
  readonly address: number;
}

function heapBuffer(heap: CpuHeap, dtype: DType, length: number): HeapBuffer {
  const address = heap.allocate(length * 4);
  return {
    dtype,
    length,
    address,
    get data() {
      return dtype === 'i32' ? heap.i32(address, length) : heap.f32(address, length);
    },
  };
}

function addressOf(buffer: DeviceBuffer): number {
  return (buffer as HeapBuffer).address;
}

function bytesOf(buffer: DeviceBuffer): number {
  return (buffer as CpuBuffer).data.byteLength;
}
