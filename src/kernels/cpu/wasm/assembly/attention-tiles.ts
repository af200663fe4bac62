/**
 * What attention and its gradients are made of: the inner kernel of the matrix product, run over tiles of 5 rows and the
 * others that these rows see.
 *
 * A task takes one head of one block of rows. It first packs what the rows are held against, once for all its tiles. The
 * others get positions: those of the block's first run from 0 on, those of the second from the next multiple of 8 on, so
 * that every panel of 8 belongs to one run. Scores [5, capacity] are computed by whole panels; what a row does not see is masked
 * out afterwards.
 */
import { AttentionJob, Block } from './job';
import { packPanels, packRows } from './pack';
import { copyTile, TILE_COLUMNS, TILE_ROWS, tile } from './tile';

/** Panels that are packed together. */
const GROUP: i32 = 4;

// The positions that the tile in hand needs, whole panels: from the first run and from the second. Each thread has an
// instance of this module, and so variables, of its own.
let firstFrom: i32 = 0;
let firstTo: i32 = 0;
let secondFrom: i32 = 0;
let secondTo: i32 = 0;

// @ts-ignore: decorator
@inline
export function firstRun(): i32 { return firstFrom; }
// @ts-ignore: decorator
@inline
export function firstRunEnd(): i32 { return firstTo; }
// @ts-ignore: decorator
@inline
export function secondRun(): i32 { return secondFrom; }
// @ts-ignore: decorator
@inline
export function secondRunEnd(): i32 { return secondTo; }

/** `n` rounded up to whole panels. */
// @ts-ignore: decorator
@inline
export function roundUp(n: i32): i32 {
  return (n + TILE_COLUMNS - 1) & -TILE_COLUMNS;
}

/** Bytes of a head's columns of `capacity` others in panels of 8 columns each. */
// @ts-ignore: decorator
@inline
export function straightBytes(job: AttentionJob): usize {
  return <usize>job.capacity * <usize>roundUp(job.headWidth) * 4;
}

/** Bytes of the same in panels of 8 others each. */
// @ts-ignore: decorator
@inline
export function transposedBytes(job: AttentionJob): usize {
  return <usize>job.capacity * <usize>job.headWidth * 4;
}

/** The others' columns of one head as right operand of a product over the head's width: rows of 8 positions. */
export function packTransposed(job: AttentionJob, block: Block, at: usize, stride: usize, to: usize): void {
  const first = block.firstEnd - block.first;
  const second = block.secondEnd - block.second;
  packRunTransposed(at + <usize>block.first * stride, stride, job.headWidth, first, to);
  to += <usize>roundUp(first) * <usize>job.headWidth * 4;
  packRunTransposed(at + <usize>block.second * stride, stride, job.headWidth, second, to);
}

function packRunTransposed(at: usize, stride: usize, width: i32, count: i32, to: usize): void {
  const panels = (count + TILE_COLUMNS - 1) / TILE_COLUMNS;
  packPanels(at, 4, stride, panels, count, width, to, <usize>width * (TILE_COLUMNS * 4));
}

/** The others' columns of one head as right operand of a product over positions: rows of 8 columns; gaps are zero. */
export function packStraight(job: AttentionJob, block: Block, at: usize, stride: usize, to: usize): void {
  const first = block.firstEnd - block.first;
  packRunStraight(job, at + <usize>block.first * stride, stride, first, to);
  to += <usize>roundUp(first) * (TILE_COLUMNS * 4);
  packRunStraight(job, at + <usize>block.second * stride, stride, block.secondEnd - block.second, to);
}

function packRunStraight(job: AttentionJob, at: usize, stride: usize, count: i32, to: usize): void {
  const width = job.headWidth;
  const panelBytes = <usize>job.capacity * (TILE_COLUMNS * 4);
  const gap = <usize>(roundUp(count) - count) * (TILE_COLUMNS * 4);
  for (let column = 0; column < width; column += GROUP * TILE_COLUMNS) {
    const columns = min(GROUP * TILE_COLUMNS, width - column);
    const panels = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
    packPanels(at + (<usize>column << 2), stride, 4, panels, columns, count, to, panelBytes);
    for (let panel = 0; panel < panels; panel++) {
      memory.fill(to + <usize>count * (TILE_COLUMNS * 4), 0, gap);
      to += panelBytes;
    }
  }
}

/** Five rows of one head as left operand; `rows` of them exist. */
// @ts-ignore: decorator
@inline
export function packTileRows(at: usize, stride: usize, rows: i32, width: i32, to: usize): void {
  packRows(at, stride, 4, rows, width, to);
}

/** Finds the positions that the rows [row, row + rows) need. */
export function chooseRuns(job: AttentionJob, block: Block, row: i32, rows: i32): void {
  const base = roundUp(block.firstEnd - block.first);
  firstFrom = secondFrom = i32.MAX_VALUE;
  firstTo = secondTo = 0;
  for (let r = row; r < row + rows; r++) {
    const range = rangesOf(job, r);
    const a = load<i32>(range) - block.first;
    const b = load<i32>(range, 4) - block.first;
    if (a < b) {
      firstFrom = min(firstFrom, a);
      firstTo = max(firstTo, b);
    }
    if (job.rangesPerRow == 1) continue;
    const c = base + load<i32>(range, 8) - block.second;
    const d = base + load<i32>(range, 12) - block.second;
    if (c < d) {
      secondFrom = min(secondFrom, c);
      secondTo = max(secondTo, d);
    }
  }
  firstTo = roundUp(firstTo);
  firstFrom = min(firstFrom & -TILE_COLUMNS, firstTo);
  secondTo = roundUp(secondTo);
  secondFrom = min(secondFrom & -TILE_COLUMNS, secondTo);
}

// @ts-ignore: decorator
@inline
function rangesOf(job: AttentionJob, row: i32): usize {
  return job.ranges + ((<usize>row * <usize>job.rangesPerRow) << 3);
}

/** `out` [5, capacity] = five packed rows times packed others, at the positions in use. */
export function multiplyTransposed(job: AttentionJob, rows: usize, others: usize, out: usize): void {
  for (let run = 0; run < 2; run++) {
    const end = run == 0 ? firstTo : secondTo;
    for (let p = run == 0 ? firstFrom : secondFrom; p < end; p += TILE_COLUMNS) {
      const panel = others + <usize>p * <usize>job.headWidth * 4;
      tile(rows, panel, out + (<usize>p << 2), <usize>job.capacity << 2, job.headWidth, true);
    }
  }
}

/** Overwrites what each row does not see with -infinity. */
export function mask(job: AttentionJob, block: Block, row: i32, rows: i32, scores: usize): void {
  const base = roundUp(block.firstEnd - block.first);
  for (let r = 0; r < rows; r++) {
    const at = scores + <usize>r * (<usize>job.capacity << 2);
    const range = rangesOf(job, row + r);
    hide(at, firstFrom, firstTo, load<i32>(range) - block.first, load<i32>(range, 4) - block.first);
    if (job.rangesPerRow == 1) continue;
    hide(at, secondFrom, secondTo, base + load<i32>(range, 8) - block.second, base + load<i32>(range, 12) - block.second);
  }
}

/** -infinity everywhere in [from, to) but in [seen, seenEnd), which lies within unless it is empty. */
function hide(at: usize, from: i32, to: i32, seen: i32, seenEnd: i32): void {
  if (seen >= seenEnd) seen = seenEnd = to;
  for (let p = from; p < seen; p++) store<f32>(at + (<usize>p << 2), -Infinity);
  for (let p = seenEnd; p < to; p++) store<f32>(at + (<usize>p << 2), -Infinity);
}

/**
 * `rows` rows of `out`, `stride` bytes apart = weights [5, capacity] times the others packed straight. `packed` has room for the
 * weights as left operand, `edgeTile` for one tile.
 */
export function multiplyStraight(
  job: AttentionJob, weights: usize, others: usize, out: usize, stride: usize, rows: i32, packed: usize, edgeTile: usize,
): void {
  const capacity = <usize>job.capacity;
  const firstDepth = firstTo - firstFrom;
  const secondDepth = secondTo - secondFrom;
  packRows(weights + (<usize>firstFrom << 2), capacity << 2, 4, TILE_ROWS, firstDepth, packed);
  const packedSecond = packed + <usize>firstDepth * (TILE_ROWS * 4);
  packRows(weights + (<usize>secondFrom << 2), capacity << 2, 4, TILE_ROWS, secondDepth, packedSecond);
  for (let column = 0; column < job.headWidth; column += TILE_COLUMNS) {
    const columns = min(TILE_COLUMNS, job.headWidth - column);
    const whole = rows == TILE_ROWS && columns == TILE_COLUMNS;
    const c = out + (<usize>column << 2);
    const to = whole ? c : edgeTile;
    const toStride: usize = whole ? stride : TILE_COLUMNS * 4;
    tile(packed, others + <usize>firstFrom * (TILE_COLUMNS * 4), to, toStride, firstDepth, true);
    tile(packedSecond, others + <usize>secondFrom * (TILE_COLUMNS * 4), to, toStride, secondDepth, false);
    if (!whole) copyTile(edgeTile, TILE_COLUMNS * 4, c, stride, rows, columns);
    others += capacity * (TILE_COLUMNS * 4);
  }
}
