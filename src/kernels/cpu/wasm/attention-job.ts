/** How attention and its gradients are described to the compiled code: `AttentionJob` and `Block` in `assembly/job.ts`. */
import type { CpuHeap } from './heap.js';

/** One operand: the address of its memory; in bytes, the offset of the first head's first value, and the distance between rows. */
export interface HeapHeads {
  block: number;
  offset: number;
  stride: number;
}

/** The arguments that attention and its gradients share, with heap addresses in place of buffers; absent ones are undefined. */
export interface HeapAttentionArgs {
  kind: keyof typeof KINDS;
  heads: number;
  headWidth: number;
  q: HeapHeads;
  k: HeapHeads;
  v: HeapHeads;
  /** [rows, rangesPerRow, 2]: of each query the keys that it sees, or of each key the queries that see it. */
  ranges: { address: number; rows: number; perRow: 1 | 2 };
  logSumExp: number;
  delta?: number;
  gradOut?: number;
  out: HeapHeads;
  gradV?: HeapHeads;
}

/** `Kind` in `assembly/job.ts`. */
const KINDS = { attention: 1, attentionGradQuery: 2, attentionGradKeyValue: 3 } as const;

/** Bytes of an `AttentionJob`. */
export const ATTENTION_JOB_BYTES = 22 * 4;
const BLOCK_WORDS = 6;

// As in assembly/tile.ts.
const TILE_ROWS = 5;
const TILE_COLUMNS = 8;
/** Most rows of a block: enough to amortise packing what they see. */
const MOST_ROWS = 60;
/** Once it has this many rows, a block ends before rows that see nothing of what it saw, such as the next image or sentence. */
const ENOUGH_ROWS = 16;

/** How the rows are divided: [blocks, 6], `Block` in `assembly/job.ts`; and the space that the largest needs. */
export interface AttentionPlan {
  blocks: Int32Array;
  /** Others that a thread's scratch memory must hold. */
  capacity: number;
}

/** Others that fit in `scratchBytes`; the layouts are in assembly/attention.ts and attention-grad.ts. */
export function attentionCapacity(kind: HeapAttentionArgs['kind'], headWidth: number, scratchBytes: number): number {
  const straight = Math.ceil(headWidth / TILE_COLUMNS) * TILE_COLUMNS * 4;
  const transposed = headWidth * 4;
  const scores = TILE_ROWS * 4;
  const [tiles, perOther] = {
    attention: [1, 2 * scores + transposed + straight],
    attentionGradQuery: [2, 3 * scores + 2 * transposed + straight],
    attentionGradKeyValue: [2, 3 * scores + 8 + 2 * transposed + 2 * straight],
  }[kind] as [number, number];
  const room = scratchBytes - 192 - tiles * headWidth * TILE_ROWS * 4;
  return Math.max(0, Math.floor(room / perOther / TILE_COLUMNS) * TILE_COLUMNS);
}

/**
 * Divides rows into blocks with at most `capacity` others. Depends on the ranges alone, so that the result of a kernel does not
 * depend on the number of threads. Undefined if one row sees more than that.
 */
export function planAttention(
  ranges: Int32Array,
  { rows, perRow }: HeapAttentionArgs['ranges'],
  capacity: number,
): AttentionPlan | undefined {
  const blocks: number[] = [];
  let row = 0;
  let largest = 0;
  while (row < rows) {
    const start = row;
    let runs: Runs = [0, 0, 0, 0];
    for (; row < rows && row - start < MOST_ROWS; row++) {
      const at = row * perRow * 2;
      const [a, b] = [ranges[at]!, ranges[at + 1]!];
      const [c, d] = perRow === 2 ? [ranges[at + 2]!, ranges[at + 3]!] : [0, 0];
      const apart = disjoint(runs[0], runs[1], a, b) && disjoint(runs[2], runs[3], c, d);
      if (apart && row - start >= ENOUGH_ROWS) break;
      const wider: Runs = [...hull(runs[0], runs[1], a, b), ...hull(runs[2], runs[3], c, d)];
      if (room(wider) > capacity) break;
      runs = wider;
    }
    if (row === start) return undefined;
    blocks.push(start, row, ...runs);
    largest = Math.max(largest, room(runs));
  }
  return { blocks: Int32Array.from(blocks), capacity: largest };
}

/** Two runs: [start, end) and [start, end). */
type Runs = [number, number, number, number];

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
function room([a, b, c, d]: Runs): number {
  return (Math.ceil((b - a) / TILE_COLUMNS) + Math.ceil((d - c) / TILE_COLUMNS)) * TILE_COLUMNS;
}

/** The others that rows see: all lie in [start, end). */
export function othersSeen({ blocks }: AttentionPlan): { start: number; end: number } {
  let [start, end] = [0, 0];
  for (let at = 0; at < blocks.length; at += BLOCK_WORDS) {
    for (const run of [at + 2, at + 4]) {
      if (blocks[run]! >= blocks[run + 1]!) continue;
      start = Math.min(start, blocks[run]!);
      end = Math.max(end, blocks[run + 1]!);
    }
  }
  return { start, end };
}

/** Multiply-adds of one product over all blocks, roughly. */
export function attentionProducts({ blocks }: AttentionPlan, { heads, headWidth }: HeapAttentionArgs): number {
  let pairs = 0;
  for (let at = 0; at < blocks.length; at += BLOCK_WORDS) {
    pairs += (blocks[at + 1]! - blocks[at]!) * room(blocks.slice(at + 2, at + BLOCK_WORDS) as unknown as Runs);
  }
  return pairs * heads * headWidth;
}

/** Writes the job at `address`; the blocks are at `blocks`. */
export function writeAttentionJob(
  heap: CpuHeap,
  address: number,
  args: HeapAttentionArgs,
  plan: AttentionPlan,
  blocks: number,
): void {
  const { q, k, v, ranges, out } = args;
  const words = heap.i32(address, ATTENTION_JOB_BYTES / 4);
  words.set([KINDS[args.kind], 0, args.heads, args.headWidth]);
  heap.f32(address, ATTENTION_JOB_BYTES / 4)[4] = 1 / Math.sqrt(args.headWidth);
  words.set(
    [q, k, v].flatMap(({ block, offset, stride }) => [block + offset, stride]),
    5,
  );
  words.set([ranges.address, ranges.perRow, args.logSumExp, args.delta ?? 0, args.gradOut ?? 0], 11);
  words.set([out.block + out.offset, out.stride, args.gradV ? args.gradV.block + args.gradV.offset : 0], 16);
  words.set([blocks, plan.blocks.length / BLOCK_WORDS, plan.capacity], 19);
}
