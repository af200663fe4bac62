/**
 * Attention's forward pass, with or without a bias; see attention-tiles.ts for the plan. Runs are whole panels, so loops take two vectors, which an
 * engine may fuse.
 */
import {
  addNonFinite, chooseRuns, firstRun, firstRunEnd, mask, multiplyStraight, multiplyTransposed, packStraight, packTileRows,
  packTransposed, secondRun, secondRunEnd, seesNothing, sumOfRuns,
} from './attention-tiles';
import { takeTask } from './job';
import { AttentionJob, Block, TILE_ROWS } from './layout.generated';
import { exponential, largestLane, log } from './simd';

/** Takes part in attention until no task is left; `scratch` is this thread's own memory. */
export function attend(job: AttentionJob, scratch: usize): void {
  const heads = job.heads;
  const width = job.headWidth;
  const edgeTile = scratch;
  const queryTile = scratch + job.tileAt;
  const scores = scratch + job.scoresAt;
  const packed = scratch + job.weightsAt;
  const keys = scratch + job.transposedAt;
  const values = scratch + job.straightAt;
  for (;;) {
    const task = takeTask(job);
    if (task >= job.blockCount * heads) return;
    const block = changetype<Block>(job.blocks + <usize>(task / heads) * offsetof<Block>());
    const head = task % heads;
    const column = <usize>head * <usize>width * 4;
    packTransposed(job, block, job.k + column, job.kStride, keys);
    const notFinite = packStraight(job, block, job.v + column, job.vStride, values);
    for (let row = block.row; row < block.rowEnd; row += TILE_ROWS) {
      const rows = min(TILE_ROWS, block.rowEnd - row);
      chooseRuns(job, block, row, rows);
      packTileRows(job.q + column + <usize>row * job.qStride, job.qStride, rows, width, queryTile);
      multiplyTransposed(job, queryTile, keys, scores);
      if (job.bias) scaleAndAddBias(job, block, row, rows, head, scores);
      mask(job, block, row, rows, scores, -Infinity);
      for (let r = 0; r < rows; r++) {
        const lse = softmax(job, block, row + r, scores + <usize>r * (<usize>job.capacity << 2));
        if (job.logSumExp) store<f32>(job.logSumExp + ((<usize>(row + r) * <usize>heads + <usize>head) << 2), lse);
      }
      const out = job.out + column + <usize>row * job.outStride;
      multiplyStraight(job, scores, values, out, job.outStride, rows, packed, edgeTile);
      if (notFinite) addNonFinite(job, block, row, rows, scores, job.v + column, job.vStride, out, job.outStride);
    }
  }
}

/** Scores times the scale plus the bias, where a row sees: all rows of its image, which its block's first run contains. */
function scaleAndAddBias(job: AttentionJob, block: Block, row: i32, rows: i32, head: i32, scores: usize): void {
  const scale = job.scale;
  const each = job.biasRows;
  for (let r = row; r < row + rows; r++) {
    const query = r % each;
    let bias = job.bias + <usize>(head * each + query) * <usize>each * 4;
    let p = scores + (<usize>(r - query - block.first) << 2);
    const end = p + (<usize>each << 2);
    for (; p + 16 <= end; p += 16) {
      v128.store(p, f32x4.add(f32x4.mul(v128.load(p), f32x4.splat(scale)), v128.load(bias)));
      bias += 16;
    }
    for (; p < end; p += 4) {
      store<f32>(p, load<f32>(p) * scale + load<f32>(bias));
      bias += 4;
    }
    scores += <usize>job.capacity << 2;
  }
}

/**
 * Softmax of one row's masked scores times the scale (which those with a bias have already), in place over the positions in use. Returns the log of its denominator. A row
 * that sees nothing becomes zero, and so is what is returned.
 */
function softmax(job: AttentionJob, block: Block, row: i32, at: usize): f32 {
  const scale: f32 = job.bias ? 1 : job.scale;
  let largest = f32x4.splat(-Infinity);
  largest = largestOf(at, firstRun(), firstRunEnd(), largest);
  largest = largestOf(at, secondRun(), secondRunEnd(), largest);
  const nothing = seesNothing(job, row);
  const shift: f32 = nothing ? 0 : largestLane(largest) * scale;
  const first = exponentials(at, firstRun(), firstRunEnd(), scale, shift);
  const second = exponentials(at, secondRun(), secondRunEnd(), scale, shift);
  if (nothing) return 0;
  const denominator = sumOfRuns(job, block, row, first, second);
  const factor = f32x4.splat(1 / denominator);
  multiplyBy(at, firstRun(), firstRunEnd(), factor);
  multiplyBy(at, secondRun(), secondRunEnd(), factor);
  return shift + log(denominator);
}

function largestOf(at: usize, from: i32, to: i32, largest: v128): v128 {
  const end = at + (<usize>to << 2);
  for (let p = at + (<usize>from << 2); p < end; p += 16) largest = f32x4.max(largest, v128.load(p));
  return largest;
}

/** Replaces x by exp(scale x - shift); returns the sum by lanes. */
function exponentials(at: usize, from: i32, to: i32, scale: f32, shift: f32): v128 {
  let sums = f32x4.splat(0);
  const end = at + (<usize>to << 2);
  for (let p = at + (<usize>from << 2); p < end; p += 32) {
    const x = v128.load(p);
    const y = v128.load(p, 16);
    const e = exponential(f32x4.sub(f32x4.mul(x, f32x4.splat(scale)), f32x4.splat(shift)));
    const f = exponential(f32x4.sub(f32x4.mul(y, f32x4.splat(scale)), f32x4.splat(shift)));
    v128.store(p, e);
    v128.store(p, f, 16);
    sums = f32x4.add(f32x4.add(sums, e), f);
  }
  return sums;
}

function multiplyBy(at: usize, from: i32, to: i32, factor: v128): void {
  const end = at + (<usize>to << 2);
  for (let p = at + (<usize>from << 2); p < end; p += 32) {
    const x = f32x4.mul(v128.load(p), factor);
    const y = f32x4.mul(v128.load(p, 16), factor);
    v128.store(p, x);
    v128.store(p, y, 16);
  }
}
