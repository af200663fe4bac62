/**
 * Convolution by windows of 3 x 3 that move by one pixel, with 2.25 times fewer multiplications: Winograd's F(2x2, 3x3), as Lavin and Gray (2016,
 * section 4.1) use it. Results are taken in squares of 2 x 2. The 4 x 4 pixels that a square sees and the window's weights are each transformed
 * to 16 numbers, of which the product over channels is taken one by one, and 2 x 2 results come from 16 sums:
 *
 *     Y = A' ((G g G') (B' d B)) A
 *
 * Every square is computed by one thread from pixels of its own image, in the same order at any place of a batch.
 */
import { takeTask } from './job';
import { PANEL_COLUMN, PANEL_ROW, SPINS, TILE_COLUMNS, TILE_ROWS, WinogradJob } from './layout.generated';
import { tile } from './tile';

/** Longest run of channels that a panel of each operand is multiplied by at once. */
const DEPTH: i32 = 256;

/** Takes part until no task is left. */
export function convolveSquares(job: WinogradJob, maySleep: bool): void {
  transformWeights(job, maySleep);
  const base = changetype<usize>(job);
  const slot = atomic.add<i32>(base + offsetof<WinogradJob>('slotsTaken'), 1);
  const space = job.workspace + <usize>slot * <usize>job.slotBytes;
  memory.fill(space + 64, 0, <usize>job.channels << 2);
  for (;;) {
    const first = takeTask(job) * job.taskSquares;
    if (first >= job.squares) return;
    const end = min(first + job.taskSquares, job.squares);
    transformPixels(job, space, first, end);
    multiplyAll(job, space, end - first);
    transformSums(job, space, first, end);
  }
}

/** The 16 transforms of all weights, in packed panels, by all threads together. */
function transformWeights(job: WinogradJob, maySleep: bool): void {
  const panels = ceilDivide(job.n, TILE_COLUMNS);
  const base = changetype<usize>(job);
  for (;;) {
    const panel = atomic.add<i32>(base + offsetof<WinogradJob>('packTaken'), 1);
    if (panel >= panels) break;
    const next = <usize>panels * <usize>job.channels * PANEL_ROW;
    for (let column = 0; column < TILE_COLUMNS; column++) {
      const j = panel * TILE_COLUMNS + column;
      const to = job.packedB + <usize>panel * <usize>job.channels * PANEL_ROW + (<usize>column << 2);
      // Columns past the end repeat the last one and are not stored.
      transformColumn(job, min(j, job.n - 1), to, next);
    }
    if (atomic.add<i32>(base + offsetof<WinogradJob>('packDone'), 1) == panels - 1) {
      atomic.notify(base + offsetof<WinogradJob>('packDone'), -1);
    }
  }
  let spins = 0;
  for (;;) {
    // Not a load: from a loop, the compiler takes it out where memory is not shared, and there is one binary for both.
    const done = atomic.or<i32>(base + offsetof<WinogradJob>('packDone'), 0);
    if (done == panels) return;
    if (maySleep && ++spins > SPINS) atomic.wait<i32>(base + offsetof<WinogradJob>('packDone'), done, -1);
  }
}

/** G g G' for the weights of one output; the 16 results are `next` bytes apart. */
function transformColumn(job: WinogradJob, j: i32, to: usize, next: usize): void {
  const row = <usize>job.channels << 2;
  let at = job.b + <usize>j * 9 * row;
  for (let c = 0; c < job.channels; c += 4) {
    const a0 = v128.load(at);
    const a1 = v128.load(at + row);
    const a2 = v128.load(at + row * 2);
    const b0 = v128.load(at + row * 3);
    const b1 = v128.load(at + row * 4);
    const b2 = v128.load(at + row * 5);
    const c0 = v128.load(at + row * 6);
    const c1 = v128.load(at + row * 7);
    const c2 = v128.load(at + row * 8);
    weightRow(a0, a1, a2, to, next);
    weightRow(halfSum(a0, b0, c0), halfSum(a1, b1, c1), halfSum(a2, b2, c2), to + next * 4, next);
    weightRow(halfDifference(a0, b0, c0), halfDifference(a1, b1, c1), halfDifference(a2, b2, c2), to + next * 8, next);
    weightRow(c0, c1, c2, to + next * 12, next);
    at += 16;
    to += PANEL_ROW * 4;
  }
}

// @ts-ignore: decorator
@inline
function weightRow(a: v128, b: v128, c: v128, to: usize, next: usize): void {
  storeDown(to, a, PANEL_ROW);
  storeDown(to + next, halfSum(a, b, c), PANEL_ROW);
  storeDown(to + next * 2, halfDifference(a, b, c), PANEL_ROW);
  storeDown(to + next * 3, c, PANEL_ROW);
}

// @ts-ignore: decorator
@inline
function halfSum(a: v128, b: v128, c: v128): v128 {
  return f32x4.mul(f32x4.add(f32x4.add(a, c), b), f32x4.splat(0.5));
}

// @ts-ignore: decorator
@inline
function halfDifference(a: v128, b: v128, c: v128): v128 {
  return f32x4.mul(f32x4.sub(f32x4.add(a, c), b), f32x4.splat(0.5));
}

/** Four lanes, one below the other. */
// @ts-ignore: decorator
@inline
function storeDown(to: usize, v: v128, stride: usize): void {
  v128.store_lane<f32>(to, v, 0);
  v128.store_lane<f32>(to + stride, v, 1);
  v128.store_lane<f32>(to + stride * 2, v, 2);
  v128.store_lane<f32>(to + stride * 3, v, 3);
}

/** B' d B for the pixels of squares [first, end), in 16 sets of packed panels. */
function transformPixels(job: WinogradJob, space: usize, first: i32, end: i32): void {
  const zeros = space + 64;
  const panelBytes = <usize>job.channels * PANEL_COLUMN;
  const next = <usize>(job.taskSquares / TILE_ROWS) * panelBytes;
  const perImage = job.squaresDown * job.squaresAcross;
  for (let square = first; square < end; square++) {
    const image = square / perImage;
    const within = square - image * perImage;
    const y = (within / job.squaresAcross) * 2 - job.padding;
    const x = (within % job.squaresAcross) * 2 - job.padding;
    // Where the 16 pixels stand; the zeros in place of those outside of the image.
    for (let i = 0; i < 16; i++) {
      const own = y + (i >> 2);
      const across = x + (i & 3);
      const inside = <u32>own < <u32>job.height && <u32>across < <u32>job.width;
      const pixel = (<usize>image * <usize>job.height + <usize>own) * <usize>job.width + <usize>across;
      store<usize>(space + (<usize>i << 2), inside ? job.a + ((pixel * <usize>job.channels) << 2) : zeros);
    }
    const number = square - first;
    const to = space + job.pixelsAt + <usize>(number / TILE_ROWS) * panelBytes + (<usize>(number % TILE_ROWS) << 2);
    transformSquare(job.channels, space, to, next);
  }
}

function transformSquare(channels: i32, pixels: usize, to: usize, next: usize): void {
  for (let c = 0; c < channels; c += 4) {
    const offset = <usize>c << 2;
    const a0 = v128.load(load<usize>(pixels) + offset);
    const a1 = v128.load(load<usize>(pixels, 4) + offset);
    const a2 = v128.load(load<usize>(pixels, 8) + offset);
    const a3 = v128.load(load<usize>(pixels, 12) + offset);
    const b0 = v128.load(load<usize>(pixels, 16) + offset);
    const b1 = v128.load(load<usize>(pixels, 20) + offset);
    const b2 = v128.load(load<usize>(pixels, 24) + offset);
    const b3 = v128.load(load<usize>(pixels, 28) + offset);
    const c0 = v128.load(load<usize>(pixels, 32) + offset);
    const c1 = v128.load(load<usize>(pixels, 36) + offset);
    const c2 = v128.load(load<usize>(pixels, 40) + offset);
    const c3 = v128.load(load<usize>(pixels, 44) + offset);
    pixelRow(f32x4.sub(a0, c0), f32x4.sub(a1, c1), f32x4.sub(a2, c2), f32x4.sub(a3, c3), to, next);
    pixelRow(f32x4.add(b0, c0), f32x4.add(b1, c1), f32x4.add(b2, c2), f32x4.add(b3, c3), to + next * 4, next);
    pixelRow(f32x4.sub(c0, b0), f32x4.sub(c1, b1), f32x4.sub(c2, b2), f32x4.sub(c3, b3), to + next * 8, next);
    const d0 = v128.load(load<usize>(pixels, 48) + offset);
    const d1 = v128.load(load<usize>(pixels, 52) + offset);
    const d2 = v128.load(load<usize>(pixels, 56) + offset);
    const d3 = v128.load(load<usize>(pixels, 60) + offset);
    pixelRow(f32x4.sub(b0, d0), f32x4.sub(b1, d1), f32x4.sub(b2, d2), f32x4.sub(b3, d3), to + next * 12, next);
    to += PANEL_COLUMN * 4;
  }
}

// @ts-ignore: decorator
@inline
function pixelRow(a: v128, b: v128, c: v128, d: v128, to: usize, next: usize): void {
  storeDown(to, f32x4.sub(a, c), PANEL_COLUMN);
  storeDown(to + next, f32x4.add(b, c), PANEL_COLUMN);
  storeDown(to + next * 2, f32x4.sub(c, b), PANEL_COLUMN);
  storeDown(to + next * 3, f32x4.sub(b, d), PANEL_COLUMN);
}

/** The 16 products over the channels. */
function multiplyAll(job: WinogradJob, space: usize, squares: i32): void {
  const panels = ceilDivide(job.n, TILE_COLUMNS);
  const rowPanels = ceilDivide(squares, TILE_ROWS);
  const allRowPanels = job.taskSquares / TILE_ROWS;
  const channels = <usize>job.channels;
  const stride = <usize>panels * PANEL_ROW;
  for (let f = 0; f < 16; f++) {
    const pixels = space + job.pixelsAt + <usize>(f * allRowPanels) * channels * PANEL_COLUMN;
    const sums = space + job.sumsAt + <usize>(f * job.taskSquares) * stride;
    for (let from = 0; from < job.channels; from += DEPTH) {
      const depth = min(DEPTH, job.channels - from);
      for (let panel = 0; panel < panels; panel++) {
        const b = job.packedB + (<usize>(f * panels + panel) * channels + <usize>from) * PANEL_ROW;
        for (let i = 0; i < rowPanels; i++) {
          const a = pixels + (<usize>i * channels + <usize>from) * PANEL_COLUMN;
          tile(a, b, sums + <usize>(i * TILE_ROWS) * stride + <usize>panel * PANEL_ROW, stride, depth, from == 0);
        }
      }
    }
  }
}

/** A' m A for squares [first, end), then the epilogue. */
function transformSums(job: WinogradJob, space: usize, first: i32, end: i32): void {
  const stride = <usize>ceilDivide(job.n, TILE_COLUMNS) * PANEL_ROW;
  const next = <usize>job.taskSquares * stride;
  const perImage = job.squaresDown * job.squaresAcross;
  const row = <usize>job.n << 2;
  for (let square = first; square < end; square++) {
    const image = square / perImage;
    const within = square - image * perImage;
    const y = (within / job.squaresAcross) * 2;
    const x = (within % job.squaresAcross) * 2;
    const pixel = (image * job.outHeight + y) * job.outWidth + x;
    const right = x + 1 < job.outWidth;
    const below = y + 1 < job.outHeight;
    let m = space + job.sumsAt + <usize>(square - first) * stride;
    for (let j = 0; j < job.n; j += 4) {
      let a0 = v128.load(m);
      let a1 = v128.load(m + next);
      let a2 = v128.load(m + next * 2);
      let a3 = v128.load(m + next * 3);
      const b0 = v128.load(m + next * 4);
      const b1 = v128.load(m + next * 5);
      const b2 = v128.load(m + next * 6);
      const b3 = v128.load(m + next * 7);
      const c0 = v128.load(m + next * 8);
      const c1 = v128.load(m + next * 9);
      const c2 = v128.load(m + next * 10);
      const c3 = v128.load(m + next * 11);
      a0 = f32x4.add(f32x4.add(a0, b0), c0);
      a1 = f32x4.add(f32x4.add(a1, b1), c1);
      a2 = f32x4.add(f32x4.add(a2, b2), c2);
      a3 = f32x4.add(f32x4.add(a3, b3), c3);
      finish(job, <usize>pixel * row, j, f32x4.add(f32x4.add(a0, a1), a2));
      if (right) finish(job, <usize>(pixel + 1) * row, j, f32x4.sub(f32x4.sub(a1, a2), a3));
      if (below) {
        const low = <usize>(pixel + job.outWidth) * row;
        const d0 = f32x4.sub(f32x4.sub(b0, c0), v128.load(m + next * 12));
        const d1 = f32x4.sub(f32x4.sub(b1, c1), v128.load(m + next * 13));
        const d2 = f32x4.sub(f32x4.sub(b2, c2), v128.load(m + next * 14));
        finish(job, low, j, f32x4.add(f32x4.add(d0, d1), d2));
        if (right) {
          const d3 = f32x4.sub(f32x4.sub(b3, c3), v128.load(m + next * 15));
          finish(job, low + row, j, f32x4.sub(f32x4.sub(d1, d2), d3));
        }
      }
      m += 16;
    }
  }
}

/** Stores four results of a pixel, whose first lies `offset` bytes into the result. */
// @ts-ignore: decorator
@inline
function finish(job: WinogradJob, offset: usize, j: i32, v: v128): void {
  const column = <usize>j << 2;
  if (job.bias) v = f32x4.add(v, v128.load(job.bias + column));
  if (job.residual) v = f32x4.add(v, v128.load(job.residual + offset + column));
  if (job.relu) v = f32x4.max(v, f32x4.splat(0));
  v128.store(job.out + offset + column, v);
}

// @ts-ignore: decorator
@inline
function ceilDivide(a: i32, b: i32): i32 {
  return (a + b - 1) / b;
}
