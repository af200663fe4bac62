/** How one product is described to the compiled code: the fields of `MatmulJob` in `assembly/job.ts`, in the same order. */
import type { Activation, MatmulArgs } from '../../contract.js';
import type { CpuHeap } from './heap.js';

/** `MatmulArgs` with heap addresses in place of buffers. */
export interface HeapMatmulArgs extends Pick<MatmulArgs, 'm' | 'n' | 'k' | 'transposeA' | 'transposeB' | 'alpha'> {
  a: number;
  b: number;
  /** `b` is in half precision. */
  halfB?: boolean | undefined;
  out: number;
  bias?: number | undefined;
  activation?: Activation | undefined;
  preActivation?: number | undefined;
  activationGrad?: { activation: Activation; preActivation: number } | undefined;
  residual?: number | undefined;
}

/** How a product is cut into tasks. Depends on its sizes alone, never on the number of threads. */
export interface Tasks {
  rows: number;
  columns: number;
  /** Length of a block of k. */
  depth: number;
  /** Bytes of all of B in packed panels, or 0 if each task packs what it needs. */
  packedBytes: number;
}

/** `Kind.Matmul` in `assembly/job.ts`. */
const KIND = 0;
/** Bytes of a `MatmulJob`. */
export const MATMUL_JOB_BYTES = 25 * 4;

// As in assembly/tile.ts.
const TILE_ROWS = 5;
const TILE_COLUMNS = 8;
/** A panel of A (5 floats per step) and one of B (8) of this depth take 20 KB of a first-level cache of 32 KB or more. */
const DEPTH = 384;
/** Rows of a task that shares packed panels of B: its block of A takes 92 KB of the second-level cache. */
const SHARED_ROWS = 60;
/** Multiply-adds of such a task: about a millisecond, so that the threads finish together; but never fewer columns than this. */
const SHARED_PRODUCTS = 1 << 25;
const SHARED_COLUMNS = 256;
/** Rows of a task that packs its panels of B itself: with more rows, each packed panel is used more often. */
const OWN_ROWS = 240;
const OWN_COLUMNS = 128;
/** Columns of a task if there is one row and nothing to widen. */
const VECTOR_COLUMNS = 256;
/** Most memory that packed panels of B may use. */
const MAXIMUM_PACKED_BYTES = 64 << 20;

/** Panels of B that a task packs at once, as in assembly/index.ts. */
const GROUP = 4;

/** Bytes of a thread's own memory for products: one tile, a group of panels of B, the same widened, and the largest block of A. */
export const SCRATCH_BYTES = 192 + DEPTH * 4 * (2 * GROUP * TILE_COLUMNS + OWN_ROWS);

/** Cuts a product into tasks. */
export function cut({ m, n, k, halfB }: HeapMatmulArgs): Tasks {
  const depth = evenly(k, DEPTH, 4);
  const packedBytes = Math.ceil(n / TILE_COLUMNS) * TILE_COLUMNS * k * 4;
  if (m === 1 && !halfB) return { rows: 1, columns: VECTOR_COLUMNS, depth, packedBytes: 0 };
  if (m <= SHARED_ROWS || packedBytes > MAXIMUM_PACKED_BYTES) {
    return {
      rows: evenly(m, OWN_ROWS, TILE_ROWS),
      columns: evenly(n, OWN_COLUMNS, TILE_COLUMNS),
      depth,
      packedBytes: 0,
    };
  }
  const rows = evenly(m, SHARED_ROWS, TILE_ROWS);
  const columns = Math.max(SHARED_COLUMNS, Math.floor(SHARED_PRODUCTS / (rows * k * TILE_COLUMNS)) * TILE_COLUMNS);
  return { rows, columns: evenly(n, columns, TILE_COLUMNS), depth, packedBytes };
}

/** Size of nearly equal parts of `length` of at most `most` each, rounded up to a multiple of `unit`, which divides `most`. */
function evenly(length: number, most: number, unit: number): number {
  const parts = Math.max(1, Math.ceil(length / most));
  return Math.max(unit, Math.ceil(length / parts / unit) * unit);
}

/** Writes the job at `address`, its counters at zero. */
export function writeMatmulJob(
  heap: CpuHeap,
  address: number,
  args: HeapMatmulArgs,
  tasks: Tasks,
  packedB: number,
): void {
  const { alpha = 1, bias = 0, preActivation = 0, activationGrad, residual = 0 } = args;
  const plain = alpha === 1 && !bias && !preActivation && !args.activation && !activationGrad && !residual;
  const words = heap.i32(address, MATMUL_JOB_BYTES / 4);
  let at = 0;
  for (const value of [KIND, 0, args.a, args.b, args.out, args.m, args.n, args.k]) words[at++] = value;
  words[at++] = Number(args.transposeA ?? false);
  words[at++] = Number(args.transposeB ?? false);
  words[at++] = Number(args.halfB ?? false);
  heap.f32(address, MATMUL_JOB_BYTES / 4)[at++] = alpha;
  words[at++] = bias;
  words[at++] = preActivation;
  words[at++] = activationNumber(args.activation);
  words[at++] = activationGrad?.preActivation ?? 0;
  words[at++] = activationNumber(activationGrad?.activation);
  words[at++] = residual;
  words[at++] = Number(!plain);
  for (const value of [packedB, tasks.rows, tasks.columns, tasks.depth, 0, 0]) words[at++] = value;
}

function activationNumber(activation: Activation | undefined): number {
  if (!activation) return 0;
  return activation === 'quick_gelu' ? 1 : 2;
}
