/**
 * The matrix product of the CPU backend: cache blocking and the division of the work among threads.
 *
 * The scheme is Goto and van de Geijn's ("Anatomy of High-Performance Matrix Multiplication", 2008): k is cut into blocks so
 * that a panel of A and one of B stay in the first-level cache, and a block of A in the second.
 * Threads take tasks (blocks of the result) from a counter. A task is always computed whole by whoever takes it and its
 * bounds do not depend on the number of threads, so neither does the result, to the last bit.
 */
import { finishRow } from './epilogue';
import { Control, Job } from './job';
import { packPanels, packRows } from './pack';
import { TILE_COLUMNS, TILE_ROWS, tile } from './tile';
import { multiplyRow } from './vector';

export { tile };

/** Panels of B that are packed together: as many as `packPanels` is fastest with. */
const GROUP: i32 = 4;

/** How often a thread looks at a counter before it goes to sleep. */
const SPINS: i32 = 2000;

/**
 * Takes part in a job until no task is left; the result is complete when every participant has returned. `scratch` is this
 * thread's own memory; `maySleep` is false on a thread that must not block (a page's main thread).
 */
export function multiply(job: Job, scratch: usize, maySleep: bool): void {
  if (job.packedB) packAll(job, maySleep);
  const across = ceilDivide(job.n, job.taskColumns);
  const tasks = across * ceilDivide(job.m, job.taskRows);
  for (;;) {
    const task = atomic.add<i32>(changetype<usize>(job) + offsetof<Job>('tasksTaken'), 1);
    if (task >= tasks) return;
    const row = (task / across) * job.taskRows;
    const column = (task % across) * job.taskColumns;
    const rowEnd = min(row + job.taskRows, job.m);
    const columnEnd = min(column + job.taskColumns, job.n);
    if (job.m == 1) multiplyRow(job, column, columnEnd);
    else multiplyBlock(job, scratch, row, rowEnd, column, columnEnd);
  }
}

/** A worker's life: sleeps until there is a job, takes part in it, until told to stop. */
export function work(control: Control, job: Job, scratch: usize): void {
  const base = changetype<usize>(control);
  let seen = 0;
  for (;;) {
    atomic.wait<i32>(base + offsetof<Control>('generation'), seen, -1);
    seen = atomic.load<i32>(base + offsetof<Control>('generation'));
    if (atomic.load<i32>(base + offsetof<Control>('stop'))) return;
    // Entered before `open` is read: whoever closes the job and then finds no one active knows that no one will be.
    atomic.add<i32>(base + offsetof<Control>('active'), 1);
    if (atomic.load<i32>(base + offsetof<Control>('open'))) multiply(job, scratch, true);
    atomic.sub<i32>(base + offsetof<Control>('active'), 1);
    atomic.notify(base + offsetof<Control>('active'), 1);
  }
}

/** Packs all of B, together with the other threads, and waits until it is done. */
function packAll(job: Job, maySleep: bool): void {
  const panels = ceilDivide(job.n, TILE_COLUMNS);
  const tasks = ceilDivide(panels, GROUP);
  const base = changetype<usize>(job);
  for (;;) {
    const task = atomic.add<i32>(base + offsetof<Job>('packTaken'), 1);
    if (task >= tasks) break;
    const panel = task * GROUP;
    packGroup(job, panel, panels, 0, job.k, job.packedB + <usize>panel * <usize>job.k * 32, <usize>job.k * 32);
    if (atomic.add<i32>(base + offsetof<Job>('packDone'), 1) == tasks - 1) {
      atomic.notify(base + offsetof<Job>('packDone'), -1);
    }
  }
  let spins = 0;
  for (;;) {
    const done = atomic.load<i32>(base + offsetof<Job>('packDone'));
    if (done == tasks) return;
    if (maySleep && ++spins > SPINS) atomic.wait<i32>(base + offsetof<Job>('packDone'), done, -1);
  }
}

/** Rows [from, from + depth) of op(B) in a group of panels, or as many as there are before `end`. */
function packGroup(job: Job, panel: i32, end: i32, from: i32, depth: i32, to: usize, panelStride: usize): void {
  const rowStride: usize = job.transposeB ? 4 : <usize>job.n << 2;
  const columnStride: usize = job.transposeB ? <usize>job.k << 2 : 4;
  const panels = min(GROUP, end - panel);
  const column = panel * TILE_COLUMNS;
  const columns = min(panels * TILE_COLUMNS, job.n - column);
  const at = job.b + <usize>column * columnStride + <usize>from * rowStride;
  packPanels(at, rowStride, columnStride, panels, columns, depth, to, panelStride);
}

/** One task: rows [row, rowEnd) and columns [column, columnEnd) of the result, over all of k. */
function multiplyBlock(job: Job, scratch: usize, row: i32, rowEnd: i32, column: i32, columnEnd: i32): void {
  const k = <usize>job.k;
  const edgeTile = scratch;
  const ownPanels = scratch + 192;
  const packedA = ownPanels + <usize>job.taskDepth * (GROUP * 32);
  const firstPanel = column / TILE_COLUMNS;
  const endPanel = ceilDivide(columnEnd, TILE_COLUMNS);
  let from = 0;
  do {
    const depth = min(job.taskDepth, job.k - from);
    const panelBytes = <usize>depth * 32;
    packBlock(job, row, rowEnd, from, depth, packedA);
    for (let panel = firstPanel; panel < endPanel; panel++) {
      let b: usize;
      if (job.packedB) {
        b = job.packedB + (<usize>panel * k + <usize>from) * 32;
      } else {
        const inGroup = (panel - firstPanel) % GROUP;
        if (inGroup == 0) packGroup(job, panel, endPanel, from, depth, ownPanels, panelBytes);
        b = ownPanels + <usize>inGroup * panelBytes;
      }
      multiplyPanel(job, packedA, b, row, rowEnd, panel * TILE_COLUMNS, from, depth, edgeTile);
    }
    from += depth;
  } while (from < job.k);
  // Row by row, now that the whole block is there: long runs of the operands that the epilogue reads.
  if (job.hasEpilogue) for (let i = row; i < rowEnd; i++) finishRow(job, i, column, columnEnd - column);
}

/** Rows [row, rowEnd), columns [from, from + depth) of op(A), in panels one after another. */
function packBlock(job: Job, row: i32, rowEnd: i32, from: i32, depth: i32, to: usize): void {
  const rowStride: usize = job.transposeA ? 4 : <usize>job.k << 2;
  const columnStride: usize = job.transposeA ? <usize>job.m << 2 : 4;
  for (let i = row; i < rowEnd; i += TILE_ROWS) {
    const at = job.a + <usize>i * rowStride + <usize>from * columnStride;
    packRows(at, rowStride, columnStride, min(TILE_ROWS, rowEnd - i), depth, to);
    to += <usize>depth * (TILE_ROWS * 4);
  }
}

/** All tiles of a task that share one panel of B, for one block of k. */
function multiplyPanel(
  job: Job, packedA: usize, b: usize, row: i32, rowEnd: i32, column: i32, from: i32, depth: i32, edgeTile: usize,
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
      if (!first) copyTile(c, stride, edgeTile, 32, rows, columns);
      tile(a, b, edgeTile, 32, depth, first);
      copyTile(edgeTile, 32, c, stride, rows, columns);
    }
    a += <usize>depth * (TILE_ROWS * 4);
  }
}

/** Copies the part of a tile that exists; edges of the result are computed in a whole tile aside. */
function copyTile(from: usize, fromStride: usize, to: usize, toStride: usize, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r++) {
    for (let c: usize = 0; c < <usize>columns; c++) store<f32>(to + (c << 2), load<f32>(from + (c << 2)));
    from += fromStride;
    to += toStride;
  }
}

// @ts-ignore: decorator
@inline
function ceilDivide(a: i32, b: i32): i32 {
  return (a + b - 1) / b;
}
