/**
 * The CPU backend's fast kernels: owns the compiled code, the worker threads and their memory.
 *
 * A call of a kernel is a job, described in the heap and cut into tasks; the caller and whichever workers are awake take
 * tasks until none is left. Nothing waits for a worker to start: it takes tasks once it has started.
 */
import {
  attentionCapacity,
  attentionProducts,
  describeAttention,
  type HeapAttentionArgs,
  type HeapHeads,
  othersSeen,
  planAttention,
} from './attention-job.js';
import type { CpuHeap } from './heap.js';
import { describeLayerNorm, type HeapLayerNormArgs } from './layer-norm-job.js';
import { BYTES, Control, SPINS, type Tile } from './layout.generated.js';
import {
  cut,
  describeMatmul,
  type HeapMatmulArgs,
  SCRATCH_BYTES,
  WIDE_SCRATCH_BYTES,
  type Windows,
} from './matmul-job.js';
import { compile, relaxedSupported, tileOf, type WasmBuild } from './module.js';
import { describePool, type HeapPoolArgs } from './pool-job.js';
import { bySquares, describeSquares, type HeapConvolutionArgs, squaresOf } from './winograd-job.js';
import { type KernelWorker, type StartWorker, startWebWorker } from './workers.js';

/** Multiplications below which waking a worker costs more time than it saves. */
const SMALLEST_THREADED = 1 << 20;
const MAXIMUM_THREADS = 64;

export interface WasmEngineOptions {
  heap: CpuHeap;
  /** Threads that compute, the caller among them. More than one needs a shared heap. Default 1. */
  threads?: number;
  /** Default: `relaxed` if the engine has relaxed SIMD, else `plain`. */
  build?: WasmBuild | undefined;
  /** How to start a worker. Default: as in a browser. */
  startWorker?: StartWorker;
}

/** The largest of all jobs. */
const JOB_BYTES = Math.max(BYTES.MatmulJob, BYTES.AttentionJob, BYTES.LayerNormJob, BYTES.PoolJob, BYTES.WinogradJob);

/** Cost of a layer norm per element, in multiply-adds of a product. */
const LAYER_NORM_COST = 8;

/** Cost of a pooling per element that it reads, likewise. */
const POOL_COST = 4;

interface Exports {
  takePart(job: number, scratch: number, maySleep: number): void;
}

export class WasmEngine {
  readonly build: WasmBuild;
  readonly #tile: Tile;
  readonly #heap: CpuHeap;
  readonly #takePart: Exports['takePart'];
  readonly #control: number;
  readonly #job: number;
  readonly #scratch: number[] = [];
  readonly #workers: KernelWorker[] = [];
  readonly #maySleep: boolean;
  #packed: Room = { address: 0, bytes: 0 };
  #squares: Room = { address: 0, bytes: 0 };
  #blocks: Room = { address: 0, bytes: 0 };
  #ranges: Room = { address: 0, bytes: 0 };

  private constructor({
    heap,
    threads = 1,
    build = relaxedSupported() ? 'relaxed' : 'plain',
    startWorker = startWebWorker,
  }: WasmEngineOptions) {
    this.build = build;
    this.#tile = tileOf(build);
    this.#heap = heap;
    const module = compile({ build, shared: heap.shared });
    const instance = new WebAssembly.Instance(module, { env: { memory: heap.memory } });
    this.#takePart = (instance.exports as unknown as Exports).takePart;
    this.#control = heap.allocate(BYTES.Control);
    heap.i32(this.#control, BYTES.Control / 4).fill(0);
    this.#job = heap.allocate(JOB_BYTES);
    this.#scratch.push(heap.allocate(WIDE_SCRATCH_BYTES));
    this.#maySleep = heap.shared && mayBlock();
    const wanted = heap.shared ? Math.min(threads, MAXIMUM_THREADS) - 1 : 0;
    for (let i = 0; i < wanted; i++) {
      const scratch = heap.allocate(WIDE_SCRATCH_BYTES);
      this.#scratch.push(scratch);
      const worker = startWorker({ module, memory: heap.memory, control: this.#control, job: this.#job, scratch });
      if (!worker) break;
      this.#workers.push(worker);
    }
  }

  /** Compiles the code (some 20 KB) and starts the workers, without waiting for them. */
  static create(options: WasmEngineOptions): WasmEngine {
    return new WasmEngine(options);
  }

  /** Threads that compute, the caller among them. */
  get threads(): number {
    return this.#workers.length + 1;
  }

  /**
   * Computes one product, as `MatmulArgs` defines it, before it returns. The result does not depend on the number of threads, not even in
   * the last bit; nor do those of the other kernels.
   */
  matmul(args: HeapMatmulArgs): void {
    const { m, n, k } = args;
    if (m === 0 || n === 0) return;
    this.#checkMatmul(args);
    if (bySquares(args)) {
      this.#convolveSquares(args);
      return;
    }
    const tasks = cut(args, this.#tile);
    this.#packed = this.#atLeast(this.#packed, tasks.packedBytes);
    const packed = this.#packed.bytes >= tasks.packedBytes ? this.#packed.address : 0;
    describeMatmul(this.#heap, this.#job, args, tasks, this.#tile, tasks.packedBytes > 0 ? packed : undefined);
    this.#run(m * n * k);
  }

  /**
   * Attention or one of its gradients, as the contract defines them. False, with nothing done, if a row sees more than a
   * thread's memory holds (some hundred others and more, depending on the width of a head).
   */
  attention(args: HeapAttentionArgs): boolean {
    const { ranges } = args;
    if (ranges.rows === 0) return true;
    this.#require(args.kind, { ranges: { block: ranges.address, bytes: ranges.rows * ranges.perRow * 8 } });
    const seen = this.#heap.i32(ranges.address, ranges.rows * ranges.perRow * 2);
    const plan = planAttention(seen, ranges, attentionCapacity(args.kind, args.headWidth, SCRATCH_BYTES), this.#tile);
    if (!plan) return false;
    this.#checkAttention(args, othersSeen(plan));
    this.#blocks = this.#certainly(this.#blocks, plan.blocks.length * BYTES.Block);
    describeAttention(this.#heap, this.#job, args, plan, this.#tile, this.#blocks.address);
    this.#run(2 * attentionProducts(plan, args));
    return true;
  }

  /** Attention with a bias among the rows of each of `images` images; false as for `attention`. */
  biasedAttention(
    args: Omit<HeapAttentionArgs, 'kind' | 'ranges'> & { bias: { address: number; rows: number } },
    images: number,
  ): boolean {
    const each = args.bias.rows;
    const rows = images * each;
    this.#require('biasedAttention', {
      bias: { block: args.bias.address, bytes: 4 * args.heads * each * each },
    });
    this.#ranges = this.#certainly(this.#ranges, rows * 16);
    const ranges = this.#heap.i32(this.#ranges.address, rows * 4);
    for (let row = 0; row < rows; row++) {
      const first = row - (row % each);
      ranges.set([first, first + each, 0, 0], 4 * row);
    }
    return this.attention({ ...args, kind: 'attention', ranges: { address: this.#ranges.address, rows, perRow: 2 } });
  }

  /** Layer norm or its gradient, as the contract defines them. */
  layerNorm(args: HeapLayerNormArgs): void {
    if (args.rows === 0) return;
    this.#checkLayerNorm(args);
    describeLayerNorm(this.#heap, this.#job, args);
    this.#run(args.rows * args.columns * LAYER_NORM_COST);
  }

  #convolveSquares(args: HeapConvolutionArgs): void {
    const squares = squaresOf(args, this.#tile);
    this.#squares = this.#certainly(this.#squares, squares.packedBytes + this.threads * squares.slotBytes);
    const packedB = this.#squares.address;
    describeSquares(this.#heap, this.#job, args, squares, { packedB, workspace: packedB + squares.packedBytes });
    this.#run(args.m * args.n * args.k);
  }

  /** Max or average pooling, as the contract defines them. */
  pool(args: HeapPoolArgs): void {
    const { kind, images, height, width, channels, outHeight, outWidth, x, out } = args;
    const outputs = images * outHeight * outWidth * channels;
    if (outputs === 0) return;
    const inputs = images * height * width * channels;
    this.#require(kind, { x: { block: x, bytes: 4 * inputs } }, { out: { block: out, bytes: 4 * outputs } });
    describePool(this.#heap, this.#job, args);
    this.#run(Math.max(inputs, outputs) * POOL_COST);
  }

  /** Ends the workers and frees this object's memory, except the few bytes that tell a late worker about it. */
  dispose(): void {
    const control = this.#heap.i32(this.#control, BYTES.Control / 4);
    Atomics.store(control, Control.stop, 1);
    Atomics.add(control, Control.generation, 1);
    Atomics.notify(control, Control.generation);
    for (const worker of this.#workers.splice(0)) worker.terminate();
    for (const address of this.#scratch.splice(0)) this.#heap.free(address);
    this.#heap.free(this.#job);
    for (const { address } of [this.#packed, this.#blocks, this.#ranges, this.#squares])
      if (address) this.#heap.free(address);
    this.#packed = this.#blocks = this.#ranges = this.#squares = { address: 0, bytes: 0 };
  }

  /** Runs the job that was written, alone or with the workers; `cost` is its number of multiply-adds. */
  #run(cost: number): void {
    if (this.#workers.length === 0 || cost < SMALLEST_THREADED) {
      this.#takePart(this.#job, this.#scratch[0]!, 0);
      return;
    }
    const control = this.#heap.i32(this.#control, BYTES.Control / 4);
    Atomics.store(control, Control.open, 1);
    Atomics.add(control, Control.generation, 1);
    Atomics.notify(control, Control.generation);
    this.#takePart(this.#job, this.#scratch[0]!, Number(this.#maySleep));
    Atomics.store(control, Control.open, 0);
    this.#waitForWorkers(control);
  }

  #waitForWorkers(control: Int32Array): void {
    for (let spins = 0; ; spins++) {
      const active = Atomics.load(control, Control.active);
      if (active === 0) return;
      if (this.#maySleep && spins > SPINS) Atomics.wait(control, Control.active, active);
    }
  }

  /** Memory of at least `bytes`, kept from job to job; none if the heap is full or at its
   * limit: there is a slower path without it. */
  #atLeast(room: Room, bytes: number): Room {
    if (bytes <= room.bytes) return room;
    if (room.address) this.#heap.free(room.address);
    const address = this.#heap.allocateWithinLimit(bytes);
    return address === undefined ? { address: 0, bytes: 0 } : { address, bytes };
  }

  /** The same beyond the heap's limit too: the twin rounds differently, and a result must not depend on the available memory. */
  #certainly(room: Room, bytes: number): Room {
    if (bytes <= room.bytes) return room;
    if (room.address) this.#heap.free(room.address);
    return { address: this.#heap.allocate(bytes), bytes };
  }

  #checkMatmul(args: HeapMatmulArgs): void {
    const { a, b, halfB, out, m, n, k, windows, bias, preActivation, activationGrad, residual } = args;
    const whole = 4 * m * n;
    this.#require(
      'matmul',
      {
        a: { block: a, bytes: 4 * (windows ? pixels(windows) * windows.channels : m * k) },
        b: { block: b, bytes: (halfB ? 2 : 4) * k * n },
        bias: { block: bias, bytes: 4 * n },
        activationGrad: { block: activationGrad?.preActivation, bytes: whole },
        residual: { block: residual, bytes: whole },
      },
      { out: { block: out, bytes: whole }, preActivation: { block: preActivation, bytes: whole } },
    );
  }

  #checkAttention(args: HeapAttentionArgs, { start, end }: { start: number; end: number }): void {
    const { kind, heads, headWidth, ranges } = args;
    if (start < 0) throw new Error(`${kind}: expected row numbers from 0 in ranges, found ${start}`);
    const byKey = kind === 'attentionGradKeyValue';
    const [queries, keys] = byKey ? [end, ranges.rows] : [ranges.rows, end];
    const rowsOf = ({ block, offset, stride }: HeapHeads, rows: number): Operand => ({
      block,
      bytes: rows === 0 ? 0 : offset + (rows - 1) * stride + 4 * heads * headWidth,
    });
    const perHead = 4 * queries * heads;
    const logSumExp = { logSumExp: { block: args.logSumExp, bytes: perHead } };
    this.#require(
      kind,
      {
        q: rowsOf(args.q, queries),
        k: rowsOf(args.k, keys),
        v: rowsOf(args.v, keys),
        delta: { block: args.delta, bytes: perHead },
        gradOut: { block: args.gradOut, bytes: perHead * headWidth },
        ...(kind !== 'attention' && logSumExp),
      },
      {
        out: rowsOf(args.out, ranges.rows),
        ...(args.gradV && { gradV: rowsOf(args.gradV, ranges.rows) }),
        ...(kind === 'attention' && logSumExp),
      },
    );
  }

  #checkLayerNorm({ rows, columns, x, weight, bias, statistics, gradOut, addend, out }: HeapLayerNormArgs): void {
    const whole = 4 * rows * columns;
    const kept = { statistics: { block: statistics, bytes: 8 * rows } };
    const forward = gradOut === undefined;
    this.#require(
      forward ? 'layerNorm' : 'layerNormGrad',
      {
        x: { block: x, bytes: whole },
        weight: { block: weight, bytes: 4 * columns },
        bias: { block: bias, bytes: 4 * columns },
        gradOut: { block: gradOut, bytes: whole },
        addend: { block: addend, bytes: whole },
        ...(!forward && kept),
      },
      { out: { block: out, bytes: whole }, ...(forward && kept) },
    );
  }

  /** The compiled code trusts its addresses; a wrong one would read or overwrite other tensors. */
  #require(kernel: string, inputs: Operands, outputs: Operands = {}): void {
    for (const [name, { block, bytes }] of Object.entries({ ...inputs, ...outputs })) {
      if (block === undefined) continue;
      const found = this.#heap.sizeOf(block);
      if (found < bytes || found === 0)
        throw new Error(`${kernel}: expected ${name} of ${bytes} bytes or more, found ${found} at address ${block}`);
    }
    for (const [name, { block }] of Object.entries(outputs)) {
      const input = Object.entries(inputs).find(([, operand]) => operand.block === block && block !== undefined);
      if (input) throw new Error(`${kernel}: ${name} is also an input, ${input[0]}`);
    }
  }
}

function pixels({ images, height, width }: Windows): number {
  return images * height * width;
}

/** An operand's offset and extent in its memory; undefined if it is absent. */
interface Operand {
  block: number | undefined;
  bytes: number;
}

type Operands = Readonly<Record<string, Operand>>;

/** A piece of the heap. */
interface Room {
  address: number;
  bytes: number;
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
