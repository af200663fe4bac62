/** How one product is cut into tasks, and described to the compiled code. */
import type { Activation } from '../../families/activation.js';
import type { CpuHeap } from './heap.js';
import { EDGE_TILE_BYTES, TILES, type Tile, WINDOWS_BYTES, writeMatmulJob } from './layout.generated.js';

/** Images [images, height, width, channels], and the windows that a convolution sees them by. */
export interface Windows {
  images: number;
  height: number;
  width: number;
  channels: number;
  /** Rows and columns of a window. */
  window: number;
  stride: number;
  padding: number;
  outHeight: number;
  outWidth: number;
}

/** A product's arguments with heap addresses in place of buffers. */
export interface HeapMatmulArgs {
  m: number;
  n: number;
  k: number;
  /** `a` is images, and its rows are what windows see of them. */
  windows?: Windows | undefined;
  transposeA?: boolean | undefined;
  transposeB?: boolean | undefined;
  alpha?: number | undefined;
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
  relu?: boolean | undefined;
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

/** A panel of A (5 or 6 floats per step) and one of B (8 or 16) of this depth take 20 or 22 KB of a first-level cache of 32 KB or more. */
const DEPTH = { narrow: 384, wide: 256 };
/** Rows of a task that shares packed panels of B: its block of A takes 92 or 61 KB of the second-level cache. */
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

/** Bytes of a thread's own memory that the narrow tile uses: as the largest task of a product needs. */
export const SCRATCH_BYTES = scratchOf({ rows: OWN_ROWS, depth: DEPTH.narrow }, TILES.narrow).bytes;

/**
 * The same for the wide tile: what attention needs for as many others, in panels of twice as many columns. Every build allocates this
 * much: the build is chosen by a measurement, and what fits into a memory budget must not depend on one.
 */
export const WIDE_SCRATCH_BYTES = 2 * SCRATCH_BYTES + (64 << 10);

/** How a thread's memory is divided: one tile, windows and zeros for them, a group of panels of B, the same widened, and the block of A. */
function scratchOf({ rows, depth }: Pick<Tasks, 'rows' | 'depth'>, tile: Tile) {
  const panels = depth * tile.group * tile.columns * 4;
  const windowsAt = EDGE_TILE_BYTES;
  const zerosAt = windowsAt + WINDOWS_BYTES;
  const panelsAt = zerosAt + depth * 4;
  const packedAt = panelsAt + 2 * panels;
  return { windowsAt, zerosAt, panelsAt, stagingAt: panelsAt + panels, packedAt, bytes: packedAt + depth * rows * 4 };
}

/** Cuts a product into tasks for an inner kernel. How does not change the result: every element adds its products in order of k. */
export function cut({ m, n, k, halfB, windows }: HeapMatmulArgs, tile: Tile): Tasks {
  const depth = evenly(k, tile === TILES.wide ? DEPTH.wide : DEPTH.narrow, 4);
  const packedBytes = Math.ceil(n / tile.columns) * tile.columns * k * 4;
  if (m === 1 && !halfB && !windows) return { rows: 1, columns: VECTOR_COLUMNS, depth, packedBytes: 0 };
  if (m <= SHARED_ROWS || packedBytes > MAXIMUM_PACKED_BYTES) {
    return {
      rows: evenly(m, OWN_ROWS, tile.rows),
      columns: evenly(n, OWN_COLUMNS, tile.columns),
      depth,
      packedBytes: 0,
    };
  }
  const rows = evenly(m, SHARED_ROWS, tile.rows);
  const columns = Math.max(SHARED_COLUMNS, Math.floor(SHARED_PRODUCTS / (rows * k * tile.columns)) * tile.columns);
  return { rows, columns: evenly(n, columns, tile.columns), depth, packedBytes };
}

/** Size of nearly equal parts of `length` of at most `most` each, rounded up to a multiple of `unit`, which divides `most`. */
function evenly(length: number, most: number, unit: number): number {
  const parts = Math.max(1, Math.ceil(length / most));
  return Math.max(unit, Math.ceil(length / parts / unit) * unit);
}

/** Writes the job at `address`; `packedB` is space for the packed panels, if there is any. */
export function describeMatmul(
  heap: CpuHeap,
  address: number,
  args: HeapMatmulArgs,
  tasks: Tasks,
  tile: Tile,
  packedB: number | undefined,
): void {
  const { panelsAt, stagingAt, packedAt, windowsAt, zerosAt } = scratchOf(tasks, tile);
  const { alpha = 1, bias, preActivation, activation, activationGrad, residual, relu, windows } = args;
  writeMatmulJob(heap, address, {
    kind: 'matmul',
    a: args.a,
    b: args.b,
    out: args.out,
    m: args.m,
    n: args.n,
    k: args.k,
    transposeA: args.transposeA,
    transposeB: args.transposeB,
    halfB: args.halfB,
    alpha,
    bias,
    preActivation,
    activation,
    gradAt: activationGrad?.preActivation,
    gradActivation: activationGrad?.activation,
    residual,
    relu,
    hasEpilogue: alpha !== 1 || Boolean(bias || preActivation || activation || activationGrad || residual || relu),
    packedB,
    taskRows: tasks.rows,
    taskColumns: tasks.columns,
    taskDepth: tasks.depth,
    panelsAt,
    stagingAt,
    packedAt,
    windowRun: windows ? windows.window * windows.channels : 0,
    height: windows?.height ?? 0,
    width: windows?.width ?? 0,
    channels: windows?.channels ?? 0,
    stride: windows?.stride ?? 0,
    padding: windows?.padding ?? 0,
    outHeight: windows?.outHeight ?? 0,
    outWidth: windows?.outWidth ?? 0,
    windowsAt,
    zerosAt,
  });
}
