/**
 * The CPU backend's fast matrix product: owns the compiled code, the worker threads and their memory.
 *
 * A product is described in the heap and cut into tasks; the caller and whichever workers are awake take tasks until
 * none is left. No one waits for a worker to start: one that is not there yet takes no tasks.
 */
import type { CpuHeap } from './heap.js';
import { cut, type HeapMatmulArgs, JOB_BYTES, SCRATCH_BYTES, writeJob } from './job.js';
import { compile, relaxedSupported } from './module.js';
import { type MatmulWorker, type StartWorker, startWebWorker } from './workers.js';

/** Multiplications below which waking a worker takes longer than it helps. */
const SMALLEST_THREADED = 1 << 20;
/** How often the caller looks whether the workers have left before it goes to sleep. */
const SPINS = 2000;
const MAXIMUM_THREADS = 64;

/** Fields of `Control` in `assembly/job.ts`, in 4-byte words. */
const CONTROL = { generation: 0, stop: 1, open: 2, active: 3 } as const;
const CONTROL_WORDS = 4;

export interface WasmMatmulOptions {
  heap: CpuHeap;
  /** Threads that compute, the caller among them. More than one needs a shared heap. Default 1. */
  threads?: number;
  /** Fused multiply-add where the engine and processor have it. Default: if the engine has relaxed SIMD. */
  relaxed?: boolean;
  /** How to start a worker. Default: as a browser does. */
  startWorker?: StartWorker;
}

interface Exports {
  multiply(job: number, scratch: number, maySleep: number): void;
}

export class WasmMatmul {
  /** Whether products use fused multiply-add instructions (relaxed SIMD). */
  readonly relaxed: boolean;
  readonly #heap: CpuHeap;
  readonly #multiply: Exports['multiply'];
  readonly #control: number;
  readonly #job: number;
  readonly #scratch: number[] = [];
  readonly #workers: MatmulWorker[] = [];
  readonly #maySleep: boolean;
  #packed = { address: 0, bytes: 0 };

  private constructor({
    heap,
    threads = 1,
    relaxed = relaxedSupported(),
    startWorker = startWebWorker,
  }: WasmMatmulOptions) {
    this.relaxed = relaxed;
    this.#heap = heap;
    const module = compile({ relaxed, shared: heap.shared });
    const instance = new WebAssembly.Instance(module, { env: { memory: heap.memory } });
    this.#multiply = (instance.exports as unknown as Exports).multiply;
    this.#control = heap.allocate(CONTROL_WORDS * 4);
    heap.i32(this.#control, CONTROL_WORDS).fill(0);
    this.#job = heap.allocate(JOB_BYTES);
    this.#scratch.push(heap.allocate(SCRATCH_BYTES));
    this.#maySleep = heap.shared && mayBlock();
    const wanted = heap.shared ? Math.min(threads, MAXIMUM_THREADS) - 1 : 0;
    for (let i = 0; i < wanted; i++) {
      const scratch = heap.allocate(SCRATCH_BYTES);
      this.#scratch.push(scratch);
      const worker = startWorker({ module, memory: heap.memory, control: this.#control, job: this.#job, scratch });
      if (!worker) break;
      this.#workers.push(worker);
    }
  }

  /** Compiles the code (some 7 KB) and starts the workers, without waiting for them. */
  static create(options: WasmMatmulOptions): WasmMatmul {
    return new WasmMatmul(options);
  }

  /** Threads that compute, the caller among them. */
  get threads(): number {
    return this.#workers.length + 1;
  }

  /**
   * Computes one product, as `MatmulArgs` defines it, before it returns. The result does not depend on the number of threads, to
   * the last bit.
   */
  run(args: HeapMatmulArgs): void {
    const { m, n, k } = args;
    if (m === 0 || n === 0) return;
    this.#check(args);
    const tasks = cut(args);
    writeJob(this.#heap, this.#job, args, tasks, this.#packedMemory(tasks.packedBytes));
    if (this.#workers.length === 0 || m * n * k < SMALLEST_THREADED) {
      this.#multiply(this.#job, this.#scratch[0]!, 0);
      return;
    }
    const control = this.#heap.i32(this.#control, CONTROL_WORDS);
    Atomics.store(control, CONTROL.open, 1);
    Atomics.add(control, CONTROL.generation, 1);
    Atomics.notify(control, CONTROL.generation);
    this.#multiply(this.#job, this.#scratch[0]!, Number(this.#maySleep));
    Atomics.store(control, CONTROL.open, 0);
    this.#waitForWorkers(control);
  }

  /** Ends the workers and frees what belongs to this object, except the 16 bytes by which a late worker learns of it. */
  dispose(): void {
    const control = this.#heap.i32(this.#control, CONTROL_WORDS);
    Atomics.store(control, CONTROL.stop, 1);
    Atomics.add(control, CONTROL.generation, 1);
    Atomics.notify(control, CONTROL.generation);
    for (const worker of this.#workers.splice(0)) worker.terminate();
    for (const address of this.#scratch.splice(0)) this.#heap.free(address);
    this.#heap.free(this.#job);
    if (this.#packed.address) this.#heap.free(this.#packed.address);
    this.#packed = { address: 0, bytes: 0 };
  }

  #waitForWorkers(control: Int32Array): void {
    for (let spins = 0; ; spins++) {
      const active = Atomics.load(control, CONTROL.active);
      if (active === 0) return;
      if (this.#maySleep && spins > SPINS) Atomics.wait(control, CONTROL.active, active);
    }
  }

  /** Room for the packed panels of B, kept for the next product; 0 if there is none, which is slower but works. */
  #packedMemory(bytes: number): number {
    if (bytes > this.#packed.bytes) {
      if (this.#packed.address) this.#heap.free(this.#packed.address);
      this.#packed = { address: 0, bytes: 0 };
      try {
        this.#packed = { address: this.#heap.allocate(bytes), bytes };
      } catch {
        return 0;
      }
    }
    return bytes > 0 ? this.#packed.address : 0;
  }

  /** The compiled code trusts its addresses; a wrong one would overwrite other tensors. */
  #check({ a, b, out, m, n, k, bias, preActivation, activationGrad, residual }: HeapMatmulArgs): void {
    const atLeast = (name: string, address: number | undefined, count: number): void => {
      if (address === undefined || this.#heap.sizeOf(address) >= count * 4) return;
      throw new Error(`matmul: ${name} at ${address} holds fewer than ${count} floats`);
    };
    atLeast('a', a, m * k);
    atLeast('b', b, k * n);
    atLeast('out', out, m * n);
    atLeast('bias', bias, n);
    atLeast('preActivation', preActivation, m * n);
    atLeast('activationGrad', activationGrad?.preActivation, m * n);
    atLeast('residual', residual, m * n);
    if (out === a || out === b || out === residual) throw new Error('matmul: out is also an input');
  }
}

/** Whether this thread may block: a page's main thread may not. */
function mayBlock(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}
