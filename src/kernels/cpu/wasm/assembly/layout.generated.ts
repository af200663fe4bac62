/** Made by scripts/build-wasm.mjs from ../layout.mjs; do not edit. */
/** Space for a tile at an edge of the result: up to 6 rows of 64 bytes. */
export const EDGE_TILE_BYTES: i32 = 384;
/** Space for where the windows of a tile lie: up to 6, 12 bytes each. */
export const WINDOWS_BYTES: i32 = 128;
/** How often a thread checks a counter before it sleeps. */
export const SPINS: i32 = 2000;
/** Whether this is the code for engines that fuse neighbouring vectors. */
export const WIDE: bool = isDefined(WIDE_TILE);
export const TILE_ROWS: i32 = WIDE ? 6 : 5;
export const TILE_COLUMNS: i32 = WIDE ? 16 : 8;
export const GROUP: i32 = WIDE ? 2 : 4;
/** Bytes of a row of a packed panel of B, and of a column of a packed panel of A. */
export const PANEL_ROW: usize = TILE_COLUMNS * 4;
export const PANEL_COLUMN: usize = TILE_ROWS * 4;
/** Addresses of numbers that the host has written. */
export const enum Numbers {
  ONE = 0,
  HALF = 4,
  MINUS_HALF = 8,
  EXP_LARGEST = 12,
  EXP_SMALLEST = 16,
  NOTHING = 20,
  LOG2_E = 24,
  ROUND = 28,
  MINUS_LN2_HIGH = 32,
  MINUS_LN2_LOW = 36,
  SERIES_7 = 40,
  SERIES_6 = 44,
  SERIES_5 = 48,
  SERIES_4 = 52,
  SERIES_3 = 56,
  QUICK = 60,
  MINUS_QUICK = 64,
  NORMAL = 68,
  TAIL_T = 72,
  TAIL_5 = 76,
  TAIL_4 = 80,
  TAIL_3 = 84,
  TAIL_2 = 88,
  TAIL_1 = 92,
}
export const enum Kind { matmul, attention, attentionGradQuery, attentionGradKeyValue, layerNorm, layerNormGrad, maxPool, averagePool, winograd }
export const enum Activation { none, quick_gelu, gelu }

/** The first fields of every job. */
// @ts-ignore: decorator
@unmanaged
export class Job {
  kind: Kind;
  /** Tasks handed out so far. */
  tasksTaken: i32;
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
  activation: i32;
  /** The pre-activation at which the derivative of `gradActivation` is taken. */
  gradAt: usize;
  gradActivation: i32;
  residual: usize;
  /** Whether what is negative in the end becomes 0. */
  relu: i32;
  /** Whether anything but a plain store happens to a finished element. */
  hasEpilogue: i32;
  /** All of B in packed panels, for all threads; absent: each task packs what it needs. */
  packedB: usize;
  /** Of a task: multiples of a tile's. */
  taskRows: i32;
  taskColumns: i32;
  /** Length of a block of k. */
  taskDepth: i32;
  /** In a thread's memory: panels of B, the same widened, the block of A. */
  panelsAt: usize;
  stagingAt: usize;
  packedAt: usize;
  /** Packing tasks handed out, and done. */
  packTaken: i32;
  packDone: i32;
  /** If not 0, row i of `a` is what the i-th window of images sees (a convolution): so many numbers of each of the window's rows. */
  windowRun: i32;
  height: i32;
  width: i32;
  channels: i32;
  stride: i32;
  padding: i32;
  outHeight: i32;
  outWidth: i32;
  /** In a thread's memory: where windows lie, and as many zeros as a block of k is long. */
  windowsAt: usize;
  zerosAt: usize;
}

/** Attention or one of its gradients. Tasks run over rows, each combined with others: queries with keys, or for gradK and gradV keys with queries. */
// @ts-ignore: decorator
@unmanaged
export class AttentionJob extends Job {
  heads: i32;
  headWidth: i32;
  scale: f32;
  /** Where the first head begins, and the distance between rows in bytes. */
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
  /** [queries, heads]; written by attention unless absent, read by the gradients. */
  logSumExp: usize;
  /** [heads, biasRows, biasRows], added to the scaled scores by attention; absent: none. */
  bias: usize;
  /** Rows of an image: with a bias each row sees those of its image. */
  biasRows: i32;
  /** [queries, heads]. */
  delta: usize;
  /** [queries, heads * headWidth]. */
  gradOut: usize;
  /** The result: out, gradQ or gradK. */
  out: usize;
  outStride: usize;
  /** Its rows are `outStride` apart, too. */
  gradV: usize;
  /** [blockCount] Block. */
  blocks: usize;
  blockCount: i32;
  /** Others that fit in a thread's scratch memory: a multiple of a panel's columns, and enough for every block. */
  capacity: i32;
  /** In a thread's memory: left operands of the two products over the width. */
  tileAt: usize;
  gradTileAt: usize;
  /** Results of those products, [rows of a tile, capacity]. */
  scoresAt: usize;
  gradScoresAt: usize;
  /** Left operand of a product over positions. */
  weightsAt: usize;
  /** The others' statistics [capacity]. */
  lseAt: usize;
  deltaAt: usize;
  /** Their right operands: panels of others. */
  transposedAt: usize;
  gradTransposedAt: usize;
  /** Right operands of such products: panels of columns. */
  straightAt: usize;
  gradStraightAt: usize;
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

/** Pooling, a row of results a task. */
// @ts-ignore: decorator
@unmanaged
export class PoolJob extends Job {
  images: i32;
  height: i32;
  width: i32;
  channels: i32;
  outHeight: i32;
  outWidth: i32;
  /** Of max pooling. */
  window: i32;
  stride: i32;
  padding: i32;
  x: usize;
  out: usize;
}

/** A convolution by 3 x 3 that moves by one pixel, in squares of 2 x 2 results. */
// @ts-ignore: decorator
@unmanaged
export class WinogradJob extends Job {
  a: usize;
  b: usize;
  out: usize;
  bias: usize;
  residual: usize;
  relu: i32;
  n: i32;
  height: i32;
  width: i32;
  channels: i32;
  padding: i32;
  outHeight: i32;
  outWidth: i32;
  /** Of an image, and of all. */
  squaresDown: i32;
  squaresAcross: i32;
  squares: i32;
  /** A multiple of a tile's rows. */
  taskSquares: i32;
  /** [16, panels of n, channels, columns of a tile]: the transformed weights. */
  packedB: usize;
  /** Memory of all threads, each with a slot of it. */
  workspace: usize;
  /** Size of a slot; in it, the 16 transforms of the pixels and the 16 sums. */
  slotBytes: i32;
  pixelsAt: i32;
  sumsAt: i32;
  slotsTaken: i32;
  packTaken: i32;
  packDone: i32;
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
