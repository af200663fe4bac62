/**
 * What threads share: the description of one job, and the control block by which the caller wakes them. The files *-job.ts
 * in the folder above write the same fields in the same order; pointers are addresses in bytes, 0 where absent.
 */

/** Which kernel a job is. */
export const enum Kind {
  Matmul,
  Attention,
  AttentionGradQuery,
  AttentionGradKeyValue,
  LayerNorm,
  LayerNormGrad,
}

/** The first fields of every job. */
// @ts-ignore: decorator
@unmanaged
export class Job {
  kind: Kind;
  /** Tasks handed out so far: zero at the start. */
  tasksTaken: i32;
}

/** Takes the next task of a job. */
// @ts-ignore: decorator
@inline
export function takeTask(job: Job): i32 {
  return atomic.add<i32>(changetype<usize>(job) + offsetof<Job>('tasksTaken'), 1);
}

/** One product. */
// @ts-ignore: decorator
@unmanaged
export class MatmulJob extends Job {
  a: usize;
  b: usize;
  out: usize;
  m: i32;
  n: i32;
  k: i32;
  transposeA: i32;
  transposeB: i32;
  /** Whether b is in half precision. */
  halfB: i32;
  alpha: f32;
  bias: usize;
  preActivation: usize;
  /** 0 none, 1 QuickGELU, 2 exact GELU. */
  activation: i32;
  /** The pre-activation at which the derivative of `gradActivation` is taken. */
  gradAt: usize;
  gradActivation: i32;
  residual: usize;
  /** Whether anything but a plain store happens to a finished element. */
  hasEpilogue: i32;
  /** Space for all of B in packed panels, shared by the threads; 0: each task packs the panels that it needs. */
  packedB: usize;
  /** Rows and columns of a task: multiples of a tile's. */
  taskRows: i32;
  taskColumns: i32;
  /** Length of a block of k. */
  taskDepth: i32;
  // Counters, zero at the start: packing tasks handed out, and done.
  packTaken: i32;
  packDone: i32;
}

/**
 * Attention or one of its gradients. `rows` are what tasks run over, `others` the rows that each of them is combined with: queries and keys,
 * or, in the gradient with respect to keys and values, keys and queries.
 */
// @ts-ignore: decorator
@unmanaged
export class AttentionJob extends Job {
  heads: i32;
  headWidth: i32;
  scale: f32;
  /** Where the first head of each operand begins; distances between its rows in bytes. */
  q: usize;
  qStride: usize;
  k: usize;
  kStride: usize;
  v: usize;
  vStride: usize;
  /** [rows, rangesPerRow, 2] i32: the others of each row. */
  ranges: usize;
  /** 1 or 2. */
  rangesPerRow: i32;
  /** [queries, heads]; written by attention, read by the gradients. */
  logSumExp: usize;
  /** [queries, heads]. */
  delta: usize;
  /** [queries, heads * headWidth]. */
  gradOut: usize;
  /** The result: out, gradQ or gradK. */
  out: usize;
  outStride: usize;
  /** gradV; its rows are `outStride` apart, too. */
  gradV: usize;
  /** [blocks] Block. */
  blocks: usize;
  blockCount: i32;
  /** Others that fit in a thread's scratch memory: a multiple of 8, and enough for every block. */
  capacity: i32;
}

/** A run of rows, and the two runs of others that contain all others of those rows. */
// @ts-ignore: decorator
@unmanaged
export class Block {
  row: i32;
  rowEnd: i32;
  first: i32;
  firstEnd: i32;
  second: i32;
  secondEnd: i32;
}

/** Layer norm or its gradient. */
// @ts-ignore: decorator
@unmanaged
export class LayerNormJob extends Job {
  rows: i32;
  columns: i32;
  taskRows: i32;
  epsilon: f32;
  x: usize;
  weight: usize;
  bias: usize;
  /** [rows, 2]: mean and reciprocal of the standard deviation. */
  statistics: usize;
  gradOut: usize;
  addend: usize;
  out: usize;
}

/** Through it the caller wakes the workers and sees that they have left a job. */
// @ts-ignore: decorator
@unmanaged
export class Control {
  /** Workers sleep until it changes. */
  generation: i32;
  stop: i32;
  /** Whether the job may be entered. */
  open: i32;
  /** Workers inside the job. While it is not 0 the job must not be changed. */
  active: i32;
}
