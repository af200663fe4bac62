/** How attention and its gradients are divided into blocks, and described to the compiled code. */
import type { CpuHeap } from './heap.js';
import {
  type Block,
  BYTES,
  EDGE_TILE_BYTES,
  type Kind,
  TILES,
  type Tile,
  writeAttentionJob,
  writeBlock,
} from './layout.generated.js';

/** One operand: the address of its memory; in bytes, the offset of the first head's first value, and the distance between rows. */
export interface HeapHeads {
  block: number;
  offset: number;
  stride: number;
}

/** The arguments that attention and its gradients share, with heap addresses in place of buffers; absent ones are undefined. */
export interface HeapAttentionArgs {
  kind: Extract<Kind, `attention${string}`>;
  heads: number;
  headWidth: number;
  q: HeapHeads;
  k: HeapHeads;
  v: HeapHeads;
  /** [rows, rangesPerRow, 2]: of each query the keys that it sees, or of each key the queries that see it. */
  ranges: { address: number; rows: number; perRow: 1 | 2 };
  /** Absent: not wanted. */
  logSumExp?: number;
  /** Added to the scaled scores of attention: [heads, rows, rows], `rows` of an image. Each row sees all rows of its image. */
  bias?: { address: number; rows: number };
  delta?: number;
  gradOut?: number;
  out: HeapHeads;
  gradV?: HeapHeads;
}

/** Most rows of a block: enough to amortise packing what they see. */
const MOST_ROWS = 60;
/** Once it has this many rows, a block ends before rows that see nothing of what it saw, such as the next image or sentence. */
const ENOUGH_ROWS = 16;

/** How the rows are divided, and the space that the largest block needs. */
export interface AttentionPlan {
  blocks: Block[];
  /** Others that a thread's scratch memory must hold. */
  capacity: number;
}

/** How a thread's memory is divided for so many others: where each piece begins, and where the last ends. */
function scratchOf(kind: HeapAttentionArgs['kind'], headWidth: number, capacity: number, { rows, columns }: Tile) {
  const tile = headWidth * rows * 4;
  const scores = capacity * rows * 4;
  const transposed = capacity * headWidth * 4;
  const straight = capacity * Math.ceil(headWidth / columns) * columns * 4;
  const gradient = Number(kind !== 'attention');
  const byKey = Number(kind === 'attentionGradKeyValue');
  let end = EDGE_TILE_BYTES;
  const take = (bytes: number) => {
    end += bytes;
    return end - bytes;
  };
  return {
    tileAt: take(tile),
    gradTileAt: take(gradient * tile),
    scoresAt: take(scores),
    gradScoresAt: take(gradient * scores),
    weightsAt: take(scores),
    lseAt: take(byKey * capacity * 4),
    deltaAt: take(byKey * capacity * 4),
    transposedAt: take(transposed),
    gradTransposedAt: take(gradient * transposed),
    straightAt: take(straight),
    gradStraightAt: take(byKey * straight),
    bytes: end,
  };
}

/** Others that fit in `scratchBytes` with the narrow tile: a call is declined with either tile or with none. */
export function attentionCapacity(kind: HeapAttentionArgs['kind'], headWidth: number, scratchBytes: number): number {
  const fixed = scratchOf(kind, headWidth, 0, TILES.narrow).bytes;
  const perOther = scratchOf(kind, headWidth, 1, TILES.narrow).bytes - fixed;
  const { columns } = TILES.narrow;
  return Math.max(0, Math.floor((scratchBytes - fixed) / perOther / columns) * columns);
}

/**
 * Divides rows into blocks with at most `capacity` others in panels of the narrow tile, and says how many that is for `tile`. Depends on
 * the ranges alone, so that the result of a kernel does not depend on the number of threads. Undefined if one row sees more than that.
 */
export function planAttention(
  ranges: Int32Array,
  { rows, perRow }: HeapAttentionArgs['ranges'],
  capacity: number,
  tile: Tile,
): AttentionPlan | undefined {
  const blocks: Block[] = [];
  let row = 0;
  let largest = 0;
  while (row < rows) {
    const start = row;
    let runs: Runs = { first: 0, firstEnd: 0, second: 0, secondEnd: 0 };
    for (; row < rows && row - start < MOST_ROWS; row++) {
      const at = row * perRow * 2;
      const [a, b] = [ranges[at]!, ranges[at + 1]!];
      const [c, d] = perRow === 2 ? [ranges[at + 2]!, ranges[at + 3]!] : [0, 0];
      const apart = disjoint(runs.first, runs.firstEnd, a, b) && disjoint(runs.second, runs.secondEnd, c, d);
      if (apart && row - start >= ENOUGH_ROWS) break;
      const [first, firstEnd] = hull(runs.first, runs.firstEnd, a, b);
      const [second, secondEnd] = hull(runs.second, runs.secondEnd, c, d);
      const wider = { first, firstEnd, second, secondEnd };
      if (room(wider, TILES.narrow) > capacity) break;
      runs = wider;
    }
    if (row === start) return undefined;
    blocks.push({ row: start, rowEnd: row, ...runs });
    largest = Math.max(largest, room(runs, tile));
  }
  return { blocks, capacity: largest };
}

type Runs = Omit<Block, 'row' | 'rowEnd'>;

function disjoint(start: number, end: number, otherStart: number, otherEnd: number): boolean {
  return otherStart >= end || otherEnd <= start || otherStart >= otherEnd || start >= end;
}

/** The smallest range that contains both. */
function hull(start: number, end: number, otherStart: number, otherEnd: number): [number, number] {
  if (otherStart >= otherEnd) return [start, end];
  if (start >= end) return [otherStart, otherEnd];
  return [Math.min(start, otherStart), Math.max(end, otherEnd)];
}

/** Positions that a block uses: each run in whole panels. */
function room({ first, firstEnd, second, secondEnd }: Runs, { columns }: Tile): number {
  return (Math.ceil((firstEnd - first) / columns) + Math.ceil((secondEnd - second) / columns)) * columns;
}

/** The others that rows see: all lie in [start, end). */
export function othersSeen({ blocks }: AttentionPlan): { start: number; end: number } {
  let [start, end] = [0, 0];
  for (const { first, firstEnd, second, secondEnd } of blocks) {
    [start, end] = hull(...hull(start, end, first, firstEnd), second, secondEnd);
  }
  return { start, end };
}

/** Multiply-adds of one product over all blocks, roughly. */
export function attentionProducts({ blocks }: AttentionPlan, { heads, headWidth }: HeapAttentionArgs): number {
  let pairs = 0;
  for (const block of blocks) pairs += (block.rowEnd - block.row) * room(block, TILES.narrow);
  return pairs * heads * headWidth;
}

/** Writes the job at `address`, its blocks at `blocks`. */
export function describeAttention(
  heap: CpuHeap,
  address: number,
  args: HeapAttentionArgs,
  plan: AttentionPlan,
  tile: Tile,
  blocks: number,
): void {
  const { q, k, v, ranges, out, gradV } = args;
  for (const [i, block] of plan.blocks.entries()) writeBlock(heap, blocks + i * BYTES.Block, block);
  writeAttentionJob(heap, address, {
    kind: args.kind,
    heads: args.heads,
    headWidth: args.headWidth,
    scale: 1 / Math.sqrt(args.headWidth),
    q: q.block + q.offset,
    qStride: q.stride,
    k: k.block + k.offset,
    kStride: k.stride,
    v: v.block + v.offset,
    vStride: v.stride,
    ranges: ranges.address,
    rangesPerRow: ranges.perRow,
    logSumExp: args.logSumExp,
    bias: args.bias?.address,
    biasRows: args.bias?.rows ?? 0,
    delta: args.delta,
    gradOut: args.gradOut,
    out: out.block + out.offset,
    outStride: out.stride,
    gradV: gradV && gradV.block + gradV.offset,
    blocks,
    blockCount: plan.blocks.length,
    capacity: plan.capacity,
    ...scratchOf(args.kind, args.headWidth, plan.capacity, tile),
  });
}
