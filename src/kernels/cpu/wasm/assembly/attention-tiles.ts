/**
 * The building blocks of attention and its gradients: the inner kernel of the matrix product, run over tiles of rows and the
 * "others" (keys or queries) that these rows see.
 *
 * A task takes one head of one block of rows. It first packs the others of these rows, once for all its tiles. The
 * others get positions: those of the block's first run from 0 on, those of the second from the next whole panel on, so
 * that every panel belongs to one run. Scores [rows of a tile, capacity] are computed by whole panels; what a row does not see is masked
 * out afterwards.
 *
 * A weight of 0 does not keep a NaN or an infinity out of a sum, so the operands of products over positions are packed with 0 in their
 * place, and rows that see one get it afterwards.
 */
import { AttentionJob, Block, GROUP, PANEL_COLUMN, PANEL_ROW, TILE_COLUMNS, TILE_ROWS } from './layout.generated';
import { packPanels, packRows } from './pack';
import { sumLanes } from './simd';
import { copyTile, tile } from './tile';

// The positions that the current tile needs, in whole panels: from the first run and from the second. Each thread has its own
// instance of this module, and so its own variables.
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

/** The others' columns of one head as right operand of a product over the head's width: rows of a panel's positions. */
export function packTransposed(job: AttentionJob, block: Block, at: usize, stride: usize, to: usize): void {
  const first = block.firstEnd - block.first;
  const second = block.secondEnd - block.second;
  packRunTransposed(at + <usize>block.first * stride, stride, job.headWidth, first, to);
  to += <usize>roundUp(first) * <usize>job.headWidth * 4;
  packRunTransposed(at + <usize>block.second * stride, stride, job.headWidth, second, to);
}

function packRunTransposed(at: usize, stride: usize, width: i32, count: i32, to: usize): void {
  const panels = (count + TILE_COLUMNS - 1) / TILE_COLUMNS;
  packPanels(at, 4, stride, panels, count, width, to, <usize>width * PANEL_ROW);
}

/**
 * The others' columns of one head as right operand of a product over positions: rows of a panel's columns; gaps are zero, and so is what is not
 * finite. Returns whether there is any of that: `addNonFinite` handles it.
 */
export function packStraight(job: AttentionJob, block: Block, at: usize, stride: usize, to: usize): bool {
  const first = block.firstEnd - block.first;
  const inFirst = packRunStraight(job, at + <usize>block.first * stride, stride, first, to);
  to += <usize>roundUp(first) * PANEL_ROW;
  return packRunStraight(job, at + <usize>block.second * stride, stride, block.secondEnd - block.second, to) || inFirst;
}

function packRunStraight(job: AttentionJob, at: usize, stride: usize, count: i32, to: usize): bool {
  const width = job.headWidth;
  let notFinite = false;
  const panelBytes = <usize>job.capacity * PANEL_ROW;
  const gap = <usize>(roundUp(count) - count) * PANEL_ROW;
  for (let column = 0; column < width; column += GROUP * TILE_COLUMNS) {
    const columns = min(GROUP * TILE_COLUMNS, width - column);
    const panels = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
    packPanels(at + (<usize>column << 2), stride, 4, panels, columns, count, to, panelBytes);
    for (let panel = 0; panel < panels; panel++) {
      const end = to + <usize>count * PANEL_ROW;
      if (clearNonFinite(to, end)) notFinite = true;
      memory.fill(end, 0, gap);
      to += panelBytes;
    }
  }
  return notFinite;
}

/** Replaces NaN and infinities in [at, end) by 0; whether there were any. */
function clearNonFinite(at: usize, end: usize): bool {
  let found = i32x4.splat(0);
  for (let p = at; p < end; p += 16) {
    const x = v128.load(p);
    // 0 for a finite value, NaN otherwise.
    found = v128.or(found, f32x4.sub(x, x));
  }
  if (!v128.any_true(found)) return false;
  for (let p = at; p < end; p += 16) {
    const x = v128.load(p);
    v128.store(p, v128.and(x, f32x4.eq(f32x4.sub(x, x), f32x4.splat(0))));
  }
  return true;
}

/**
 * Adds to `rows` rows of `out`, of which each is its weights times the others that it sees, what `packStraight` left out: weight times
 * NaN or infinity, by columns. `at` is the first of the others' columns of the head.
 */
export function addNonFinite(
  job: AttentionJob, block: Block, row: i32, rows: i32, weights: usize, at: usize, stride: usize, out: usize, outStride: usize,
): void {
  const base = roundUp(block.firstEnd - block.first);
  for (let r = row; r < row + rows; r++) {
    const range = rangesOf(job, r);
    addRun(job, weights - (<usize>block.first << 2), load<i32>(range), load<i32>(range, 4), at, stride, out);
    if (job.rangesPerRow == 2) {
      const second = weights + (<usize>base << 2) - (<usize>block.second << 2);
      addRun(job, second, load<i32>(range, 8), load<i32>(range, 12), at, stride, out);
    }
    weights += <usize>job.capacity << 2;
    out += outStride;
  }
}

/** The same for one row and the others [from, to), whose weights begin where that of other 0 would be. */
function addRun(job: AttentionJob, weights: usize, from: i32, to: i32, at: usize, stride: usize, out: usize): void {
  for (let other = from; other < to; other++) {
    const weight = load<f32>(weights + (<usize>other << 2));
    const x = at + <usize>other * stride;
    for (let c: usize = 0; c < <usize>job.headWidth << 2; c += 4) {
      const value = load<f32>(x + c);
      if (value - value != 0) store<f32>(out + c, load<f32>(out + c) + weight * value);
    }
  }
}

/** A tile's rows of one head as left operand; `rows` of them exist. */
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

/** `out` [rows of a tile, capacity] = packed rows times packed others, at the positions in use. */
export function multiplyTransposed(job: AttentionJob, rows: usize, others: usize, out: usize): void {
  for (let run = 0; run < 2; run++) {
    const end = run == 0 ? firstTo : secondTo;
    for (let p = run == 0 ? firstFrom : secondFrom; p < end; p += TILE_COLUMNS) {
      const panel = others + <usize>p * <usize>job.headWidth * 4;
      tile(rows, panel, out + (<usize>p << 2), <usize>job.capacity << 2, job.headWidth, true);
    }
  }
}

/** Overwrites what each row does not see with `value`. */
export function mask(job: AttentionJob, block: Block, row: i32, rows: i32, scores: usize, value: f32): void {
  const base = roundUp(block.firstEnd - block.first);
  for (let r = 0; r < rows; r++) {
    const at = scores + <usize>r * (<usize>job.capacity << 2);
    const range = rangesOf(job, row + r);
    hide(at, firstFrom, firstTo, load<i32>(range) - block.first, load<i32>(range, 4) - block.first, value);
    if (job.rangesPerRow == 1) continue;
    hide(at, secondFrom, secondTo, base + load<i32>(range, 8) - block.second, base + load<i32>(range, 12) - block.second, value);
  }
}

/** `value` everywhere in [from, to) but in [seen, seenEnd), which lies within unless it is empty. */
function hide(at: usize, from: i32, to: i32, seen: i32, seenEnd: i32, value: f32): void {
  if (seen >= seenEnd) seen = seenEnd = to;
  for (let p = from; p < seen; p++) store<f32>(at + (<usize>p << 2), value);
  for (let p = seenEnd; p < to; p++) store<f32>(at + (<usize>p << 2), value);
}

/** Whether a row sees nothing. */
export function seesNothing(job: AttentionJob, row: i32): bool {
  const range = rangesOf(job, row);
  return load<i32>(range) >= load<i32>(range, 4) && (job.rangesPerRow == 1 || load<i32>(range, 8) >= load<i32>(range, 12));
}

/**
 * The sum of a row's values at the positions in use, given by lanes for either run. Positions depend on the row's neighbours, so lanes
 * are rotated to begin with what the row sees first: its sum is the same at any position.
 */
export function sumOfRuns(job: AttentionJob, block: Block, row: i32, first: v128, second: v128): f32 {
  const range = rangesOf(job, row);
  return sumLanes(f32x4.add(turned(first, load<i32>(range) - block.first), turned(second, load<i32>(range, 8) - block.second)));
}

/** The lanes of v rotated to begin with lane `by`. */
// @ts-ignore: decorator
@inline
function turned(v: v128, by: i32): v128 {
  if (by & 2) v = v128.shuffle<f32>(v, v, 2, 3, 0, 1);
  return by & 1 ? v128.shuffle<f32>(v, v, 1, 2, 3, 0) : v;
}

/**
 * `rows` rows of `out`, `stride` bytes apart = weights [rows of a tile, capacity] times the others packed straight. `packed` has space for the
 * weights as left operand, `edgeTile` for one tile.
 */
export function multiplyStraight(
  job: AttentionJob, weights: usize, others: usize, out: usize, stride: usize, rows: i32, packed: usize, edgeTile: usize,
): void {
  const capacity = <usize>job.capacity;
  const firstDepth = firstTo - firstFrom;
  const secondDepth = secondTo - secondFrom;
  packRows(weights + (<usize>firstFrom << 2), capacity << 2, 4, TILE_ROWS, firstDepth, packed);
  const packedSecond = packed + <usize>firstDepth * PANEL_COLUMN;
  packRows(weights + (<usize>secondFrom << 2), capacity << 2, 4, TILE_ROWS, secondDepth, packedSecond);
  for (let column = 0; column < job.headWidth; column += TILE_COLUMNS) {
    const columns = min(TILE_COLUMNS, job.headWidth - column);
    const whole = rows == TILE_ROWS && columns == TILE_COLUMNS;
    const c = out + (<usize>column << 2);
    const to = whole ? c : edgeTile;
    const toStride: usize = whole ? stride : PANEL_ROW;
    tile(packed, others + <usize>firstFrom * PANEL_ROW, to, toStride, firstDepth, true);
    tile(packedSecond, others + <usize>secondFrom * PANEL_ROW, to, toStride, secondDepth, false);
    if (!whole) copyTile(edgeTile, PANEL_ROW, c, stride, rows, columns);
    others += capacity * PANEL_ROW;
  }
}
