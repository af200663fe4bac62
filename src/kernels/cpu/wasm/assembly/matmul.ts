/**
 * The matrix product: cache blocking and the division of the work among threads.
 *
 * The scheme is Goto and van de Geijn's ("Anatomy of High-Performance Matrix Multiplication", 2008): k is cut into blocks so
 * that a panel of A and one of B stay in the first-level cache, and a block of A in the second.
 * Threads take tasks (blocks of the result) from a counter. A task is always computed by one thread and its
 * bounds do not depend on the number of threads, so neither does the result, to the last bit.
 */
import { finishRow } from './epilogue';
import { widenHalves } from './halves';
import { takeTask } from './job';
import { GROUP, MatmulJob, PANEL_COLUMN, PANEL_ROW, SPINS, TILE_COLUMNS, TILE_ROWS } from './layout.generated';
import { packPanels, packRows } from './pack';
import { copyTile, tile } from './tile';
import { multiplyRow } from './vector';
import { packWindows } from './windows';

/** Takes part in a product until no task is left; `scratch` is this thread's own memory. */
export function multiply(job: MatmulJob, scratch: usize, maySleep: bool): void {
  if (job.packedB) packAll(job, scratch, maySleep);
  const across = ceilDivide(job.n, job.taskColumns);
  const tasks = across * ceilDivide(job.m, job.taskRows);
  for (;;) {
    const task = takeTask(job);
    if (task >= tasks) return;
    const row = (task / across) * job.taskRows;
    const column = (task % across) * job.taskColumns;
    const rowEnd = min(row + job.taskRows, job.m);
    const columnEnd = min(column + job.taskColumns, job.n);
    if (job.m == 1 && !job.halfB && !job.windowRun) multiplyRow(job, column, columnEnd);
    else multiplyBlock(job, scratch, row, rowEnd, column, columnEnd);
  }
}

/** Packs all of B, together with the other threads, and waits until it is done. */
function packAll(job: MatmulJob, scratch: usize, maySleep: bool): void {
  const panels = ceilDivide(job.n, TILE_COLUMNS);
  const tasks = ceilDivide(panels, GROUP);
  const base = changetype<usize>(job);
  for (;;) {
    const task = atomic.add<i32>(base + offsetof<MatmulJob>('packTaken'), 1);
    if (task >= tasks) break;
    const panel = task * GROUP;
    const to = job.packedB + <usize>panel * <usize>job.k * PANEL_ROW;
    for (let from = 0; from < job.k; from += job.taskDepth) {
      const depth = min(job.taskDepth, job.k - from);
      packGroup(job, panel, panels, from, depth, to + <usize>from * PANEL_ROW, <usize>job.k * PANEL_ROW, scratch);
    }
    if (atomic.add<i32>(base + offsetof<MatmulJob>('packDone'), 1) == tasks - 1) {
      atomic.notify(base + offsetof<MatmulJob>('packDone'), -1);
    }
  }
  let spins = 0;
  for (;;) {
    const done = atomic.load<i32>(base + offsetof<MatmulJob>('packDone'));
    if (done == tasks) return;
    if (maySleep && ++spins > SPINS) atomic.wait<i32>(base + offsetof<MatmulJob>('packDone'), done, -1);
  }
}

/**
 * Rows [from, from + depth) of op(B) in a group of panels, or as many as there are before `end`. `staging` has space for a copy of them
 * in single precision.
 */
function packGroup(
  job: MatmulJob, panel: i32, end: i32, from: i32, depth: i32, to: usize, panelStride: usize, staging: usize,
): void {
  const panels = min(GROUP, end - panel);
  const column = panel * TILE_COLUMNS;
  const columns = min(panels * TILE_COLUMNS, job.n - column);
  if (job.halfB) {
    if (job.transposeB) {
      widenLines(job.b + ((<usize>column * <usize>job.k + <usize>from) << 1), job.k, columns, depth, staging);
      packPanels(staging, 4, <usize>depth << 2, panels, columns, depth, to, panelStride);
    } else {
      widenLines(job.b + ((<usize>from * <usize>job.n + <usize>column) << 1), job.n, depth, columns, staging);
      packPanels(staging, <usize>columns << 2, 4, panels, columns, depth, to, panelStride);
    }
    return;
  }
  const rowStride: usize = job.transposeB ? 4 : <usize>job.n << 2;
  const columnStride: usize = job.transposeB ? <usize>job.k << 2 : 4;
  const at = job.b + <usize>column * columnStride + <usize>from * rowStride;
  packPanels(at, rowStride, columnStride, panels, columns, depth, to, panelStride);
}

/** Widens `lines` runs of `length` fp16 values, which begin `pitch` values apart, to contiguous floats. */
function widenLines(at: usize, pitch: i32, lines: i32, length: i32, to: usize): void {
  for (let line = 0; line < lines; line++) {
    widenHalves(at, length, to);
    at += <usize>pitch << 1;
    to += <usize>length << 2;
  }
}

/** One task: rows [row, rowEnd) and columns [column, columnEnd) of the result, over all of k. */
function multiplyBlock(job: MatmulJob, scratch: usize, row: i32, rowEnd: i32, column: i32, columnEnd: i32): void {
  const k = <usize>job.k;
  const edgeTile = scratch;
  const ownPanels = scratch + job.panelsAt;
  const staging = scratch + job.stagingAt;
  const packedA = scratch + job.packedAt;
  const firstPanel = column / TILE_COLUMNS;
  const endPanel = ceilDivide(columnEnd, TILE_COLUMNS);
  let from = 0;
  do {
    const depth = min(job.taskDepth, job.k - from);
    const panelBytes = <usize>depth * PANEL_ROW;
    if (job.windowRun) packWindows(job, scratch, row, rowEnd, from, depth, packedA);
    else packBlock(job, row, rowEnd, from, depth, packedA);
    for (let panel = firstPanel; panel < endPanel; panel++) {
      let b: usize;
      if (job.packedB) {
        b = job.packedB + (<usize>panel * k + <usize>from) * PANEL_ROW;
      } else {
        const inGroup = (panel - firstPanel) % GROUP;
        if (inGroup == 0) packGroup(job, panel, endPanel, from, depth, ownPanels, panelBytes, staging);
        b = ownPanels + <usize>inGroup * panelBytes;
      }
      multiplyPanel(job, packedA, b, row, rowEnd, panel * TILE_COLUMNS, from, depth, edgeTile);
    }
    from += depth;
  } while (from < job.k);
  // Row by row, now that the whole block is complete: the epilogue reads long runs of its operands.
  if (job.hasEpilogue) for (let i = row; i < rowEnd; i++) finishRow(job, i, column, columnEnd - column);
}

/** Rows [row, rowEnd), columns [from, from + depth) of op(A), in panels one after another. */
function packBlock(job: MatmulJob, row: i32, rowEnd: i32, from: i32, depth: i32, to: usize): void {
  const rowStride: usize = job.transposeA ? 4 : <usize>job.k << 2;
  const columnStride: usize = job.transposeA ? <usize>job.m << 2 : 4;
  for (let i = row; i < rowEnd; i += TILE_ROWS) {
    const at = job.a + <usize>i * rowStride + <usize>from * columnStride;
    packRows(at, rowStride, columnStride, min(TILE_ROWS, rowEnd - i), depth, to);
    to += <usize>depth * PANEL_COLUMN;
  }
}

/** All tiles of a task that share one panel of B, for one block of k. */
function multiplyPanel(
  job: MatmulJob, packedA: usize, b: usize, row: i32, rowEnd: i32, column: i32, from: i32, depth: i32, edgeTile: usize,
): void {
  const stride = <usize>job.n << 2;
  const columns = min(TILE_COLUMNS, job.n - column);
  const first = from == 0;
  let a = packedA;
  for (let i = row; i < rowEnd; i += TILE_ROWS) {
    const rows = min(TILE_ROWS, rowEnd - i);
    const c = job.out + ((<usize>i * <usize>job.n + <usize>column) << 2);
    if (rows == TILE_ROWS && columns == TILE_COLUMNS) {
      tile(a, b, c, stride, depth, first);
    } else {
      if (!first) copyTile(c, stride, edgeTile, PANEL_ROW, rows, columns);
      tile(a, b, edgeTile, PANEL_ROW, depth, first);
      copyTile(edgeTile, PANEL_ROW, c, stride, rows, columns);
    }
    a += <usize>depth * PANEL_COLUMN;
  }
}

// @ts-ignore: decorator
@inline
function ceilDivide(a: i32, b: i32): i32 {
  return (a + b - 1) / b;
}
