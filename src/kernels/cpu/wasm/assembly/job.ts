/** What threads share: the description of one product, and the control block by which the caller wakes them. */

/** One product. `job.ts` beside this folder writes the same fields in the same order; pointers are 0 where absent. */
// @ts-ignore: decorator
@unmanaged
export class Job {
  a: usize;
  b: usize;
  out: usize;
  m: i32;
  n: i32;
  k: i32;
  transposeA: i32;
  transposeB: i32;
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
  /** Room for all of B in packed panels, shared by the threads; 0: each task packs the panels that it needs. */
  packedB: usize;
  /** Rows and columns of a task: multiples of a tile's. */
  taskRows: i32;
  taskColumns: i32;
  /** Length of a block of k. */
  taskDepth: i32;
  // Counters, zero at the start: tasks handed out, and packing tasks done.
  packTaken: i32;
  packDone: i32;
  tasksTaken: i32;
}

/** By which the caller wakes the workers and knows that they have left a job. */
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
