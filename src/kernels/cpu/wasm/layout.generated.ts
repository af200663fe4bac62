/** Made by scripts/build-wasm.mjs from layout.mjs, which says what everything means; do not edit. */
import type { CpuHeap } from './heap.js';

export const EDGE_TILE_BYTES = 384;
export const WINDOWS_BYTES = 128;
export const SPINS = 2000;

export interface Tile {
  rows: number;
  columns: number;
  group: number;
}

export const TILES = {
  narrow: { rows: 5, columns: 8, group: 4 },
  wide: { rows: 6, columns: 16, group: 2 },
} as const satisfies Record<string, Tile>;

/** What stands at the beginning of the heap, in this order. */
export const NUMBERS = {
  ONE: 1,
  HALF: 0.5,
  MINUS_HALF: -0.5,
  EXP_LARGEST: 88,
  EXP_SMALLEST: -87,
  NOTHING: -85,
  LOG2_E: 1.4426950216293335,
  ROUND: 12582912,
  MINUS_LN2_HIGH: -0.693359375,
  MINUS_LN2_LOW: 0.00021219444170128554,
  SERIES_7: 0.00019841270113829523,
  SERIES_6: 0.0013888889225199819,
  SERIES_5: 0.008333333767950535,
  SERIES_4: 0.0416666679084301,
  SERIES_3: 0.1666666716337204,
  QUICK: 1.7020000219345093,
  MINUS_QUICK: -1.7020000219345093,
  NORMAL: 0.3989422917366028,
  TAIL_T: 0.23164188861846924,
  TAIL_5: 0.5307027101516724,
  TAIL_4: -0.726576030254364,
  TAIL_3: 0.710706889629364,
  TAIL_2: -0.14224836230278015,
  TAIL_1: 0.1274147927761078,
};

export const Kind = {
  matmul: 0,
  attention: 1,
  attentionGradQuery: 2,
  attentionGradKeyValue: 3,
  layerNorm: 4,
  layerNormGrad: 5,
  maxPool: 6,
  averagePool: 7,
  winograd: 8,
} as const;
export type Kind = keyof typeof Kind;

export const Activation = {
  none: 0,
  quick_gelu: 1,
  gelu: 2,
} as const;
export type Activation = keyof typeof Activation;

export const BYTES = {
  Job: 8,
  MatmulJob: 156,
  AttentionJob: 140,
  Block: 24,
  LayerNormJob: 52,
  PoolJob: 52,
  WinogradJob: 108,
  Control: 16,
} as const;

export interface MatmulJob {
  kind: Kind;
  a: number | undefined;
  b: number | undefined;
  out: number | undefined;
  m: number;
  n: number;
  k: number;
  transposeA: boolean | undefined;
  transposeB: boolean | undefined;
  halfB: boolean | undefined;
  alpha: number;
  bias: number | undefined;
  preActivation: number | undefined;
  activation: Activation | undefined;
  gradAt: number | undefined;
  gradActivation: Activation | undefined;
  residual: number | undefined;
  relu: boolean | undefined;
  hasEpilogue: boolean | undefined;
  packedB: number | undefined;
  taskRows: number;
  taskColumns: number;
  taskDepth: number;
  panelsAt: number | undefined;
  stagingAt: number | undefined;
  packedAt: number | undefined;
  windowRun: number;
  height: number;
  width: number;
  channels: number;
  stride: number;
  padding: number;
  outHeight: number;
  outWidth: number;
  windowsAt: number | undefined;
  zerosAt: number | undefined;
}

export function writeMatmulJob(heap: CpuHeap, address: number, given: MatmulJob): void {
  const words = heap.i32(address, 39);
  words[0] = Kind[given.kind];
  words[1] = 0;
  words[2] = given.a ?? 0;
  words[3] = given.b ?? 0;
  words[4] = given.out ?? 0;
  words[5] = given.m;
  words[6] = given.n;
  words[7] = given.k;
  words[8] = Number(given.transposeA ?? false);
  words[9] = Number(given.transposeB ?? false);
  words[10] = Number(given.halfB ?? false);
  heap.f32(address, 12)[11] = given.alpha;
  words[12] = given.bias ?? 0;
  words[13] = given.preActivation ?? 0;
  words[14] = Activation[given.activation ?? 'none'];
  words[15] = given.gradAt ?? 0;
  words[16] = Activation[given.gradActivation ?? 'none'];
  words[17] = given.residual ?? 0;
  words[18] = Number(given.relu ?? false);
  words[19] = Number(given.hasEpilogue ?? false);
  words[20] = given.packedB ?? 0;
  words[21] = given.taskRows;
  words[22] = given.taskColumns;
  words[23] = given.taskDepth;
  words[24] = given.panelsAt ?? 0;
  words[25] = given.stagingAt ?? 0;
  words[26] = given.packedAt ?? 0;
  words[27] = 0;
  words[28] = 0;
  words[29] = given.windowRun;
  words[30] = given.height;
  words[31] = given.width;
  words[32] = given.channels;
  words[33] = given.stride;
  words[34] = given.padding;
  words[35] = given.outHeight;
  words[36] = given.outWidth;
  words[37] = given.windowsAt ?? 0;
  words[38] = given.zerosAt ?? 0;
}

export interface AttentionJob {
  kind: Kind;
  heads: number;
  headWidth: number;
  scale: number;
  q: number | undefined;
  qStride: number | undefined;
  k: number | undefined;
  kStride: number | undefined;
  v: number | undefined;
  vStride: number | undefined;
  ranges: number | undefined;
  rangesPerRow: number;
  logSumExp: number | undefined;
  bias: number | undefined;
  biasRows: number;
  delta: number | undefined;
  gradOut: number | undefined;
  out: number | undefined;
  outStride: number | undefined;
  gradV: number | undefined;
  blocks: number | undefined;
  blockCount: number;
  capacity: number;
  tileAt: number | undefined;
  gradTileAt: number | undefined;
  scoresAt: number | undefined;
  gradScoresAt: number | undefined;
  weightsAt: number | undefined;
  lseAt: number | undefined;
  deltaAt: number | undefined;
  transposedAt: number | undefined;
  gradTransposedAt: number | undefined;
  straightAt: number | undefined;
  gradStraightAt: number | undefined;
}

export function writeAttentionJob(heap: CpuHeap, address: number, given: AttentionJob): void {
  const words = heap.i32(address, 35);
  words[0] = Kind[given.kind];
  words[1] = 0;
  words[2] = given.heads;
  words[3] = given.headWidth;
  heap.f32(address, 5)[4] = given.scale;
  words[5] = given.q ?? 0;
  words[6] = given.qStride ?? 0;
  words[7] = given.k ?? 0;
  words[8] = given.kStride ?? 0;
  words[9] = given.v ?? 0;
  words[10] = given.vStride ?? 0;
  words[11] = given.ranges ?? 0;
  words[12] = given.rangesPerRow;
  words[13] = given.logSumExp ?? 0;
  words[14] = given.bias ?? 0;
  words[15] = given.biasRows;
  words[16] = given.delta ?? 0;
  words[17] = given.gradOut ?? 0;
  words[18] = given.out ?? 0;
  words[19] = given.outStride ?? 0;
  words[20] = given.gradV ?? 0;
  words[21] = given.blocks ?? 0;
  words[22] = given.blockCount;
  words[23] = given.capacity;
  words[24] = given.tileAt ?? 0;
  words[25] = given.gradTileAt ?? 0;
  words[26] = given.scoresAt ?? 0;
  words[27] = given.gradScoresAt ?? 0;
  words[28] = given.weightsAt ?? 0;
  words[29] = given.lseAt ?? 0;
  words[30] = given.deltaAt ?? 0;
  words[31] = given.transposedAt ?? 0;
  words[32] = given.gradTransposedAt ?? 0;
  words[33] = given.straightAt ?? 0;
  words[34] = given.gradStraightAt ?? 0;
}

export interface Block {
  row: number;
  rowEnd: number;
  first: number;
  firstEnd: number;
  second: number;
  secondEnd: number;
}

export function writeBlock(heap: CpuHeap, address: number, given: Block): void {
  const words = heap.i32(address, 6);
  words[0] = given.row;
  words[1] = given.rowEnd;
  words[2] = given.first;
  words[3] = given.firstEnd;
  words[4] = given.second;
  words[5] = given.secondEnd;
}

export interface LayerNormJob {
  kind: Kind;
  rows: number;
  columns: number;
  taskRows: number;
  epsilon: number;
  x: number | undefined;
  weight: number | undefined;
  bias: number | undefined;
  statistics: number | undefined;
  gradOut: number | undefined;
  addend: number | undefined;
  out: number | undefined;
}

export function writeLayerNormJob(heap: CpuHeap, address: number, given: LayerNormJob): void {
  const words = heap.i32(address, 13);
  words[0] = Kind[given.kind];
  words[1] = 0;
  words[2] = given.rows;
  words[3] = given.columns;
  words[4] = given.taskRows;
  heap.f32(address, 6)[5] = given.epsilon;
  words[6] = given.x ?? 0;
  words[7] = given.weight ?? 0;
  words[8] = given.bias ?? 0;
  words[9] = given.statistics ?? 0;
  words[10] = given.gradOut ?? 0;
  words[11] = given.addend ?? 0;
  words[12] = given.out ?? 0;
}

export interface PoolJob {
  kind: Kind;
  images: number;
  height: number;
  width: number;
  channels: number;
  outHeight: number;
  outWidth: number;
  window: number;
  stride: number;
  padding: number;
  x: number | undefined;
  out: number | undefined;
}

export function writePoolJob(heap: CpuHeap, address: number, given: PoolJob): void {
  const words = heap.i32(address, 13);
  words[0] = Kind[given.kind];
  words[1] = 0;
  words[2] = given.images;
  words[3] = given.height;
  words[4] = given.width;
  words[5] = given.channels;
  words[6] = given.outHeight;
  words[7] = given.outWidth;
  words[8] = given.window;
  words[9] = given.stride;
  words[10] = given.padding;
  words[11] = given.x ?? 0;
  words[12] = given.out ?? 0;
}

export interface WinogradJob {
  kind: Kind;
  a: number | undefined;
  b: number | undefined;
  out: number | undefined;
  bias: number | undefined;
  residual: number | undefined;
  relu: boolean | undefined;
  n: number;
  height: number;
  width: number;
  channels: number;
  padding: number;
  outHeight: number;
  outWidth: number;
  squaresDown: number;
  squaresAcross: number;
  squares: number;
  taskSquares: number;
  packedB: number | undefined;
  workspace: number | undefined;
  slotBytes: number;
  pixelsAt: number;
  sumsAt: number;
}

export function writeWinogradJob(heap: CpuHeap, address: number, given: WinogradJob): void {
  const words = heap.i32(address, 27);
  words[0] = Kind[given.kind];
  words[1] = 0;
  words[2] = given.a ?? 0;
  words[3] = given.b ?? 0;
  words[4] = given.out ?? 0;
  words[5] = given.bias ?? 0;
  words[6] = given.residual ?? 0;
  words[7] = Number(given.relu ?? false);
  words[8] = given.n;
  words[9] = given.height;
  words[10] = given.width;
  words[11] = given.channels;
  words[12] = given.padding;
  words[13] = given.outHeight;
  words[14] = given.outWidth;
  words[15] = given.squaresDown;
  words[16] = given.squaresAcross;
  words[17] = given.squares;
  words[18] = given.taskSquares;
  words[19] = given.packedB ?? 0;
  words[20] = given.workspace ?? 0;
  words[21] = given.slotBytes;
  words[22] = given.pixelsAt;
  words[23] = given.sumsAt;
  words[24] = 0;
  words[25] = 0;
  words[26] = 0;
}

export const Control = {
  generation: 0,
  stop: 1,
  open: 2,
  active: 3,
} as const;
