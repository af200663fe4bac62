/**
 * Attention's gradients; see attention-tiles.ts for the plan. Probabilities are recomputed from the saved log-sum-exp
 * (Dao et al., 2022, algorithm 4): p = exp(scale q.k - lse), dp = gradOut.v, ds = scale p (dp - delta).
 */
import {
  addNonFinite, chooseRuns, firstRun, firstRunEnd, mask, multiplyStraight, multiplyTransposed, packStraight, packTileRows,
  packTransposed, roundUp, secondRun, secondRunEnd,
} from './attention-tiles';
import { takeTask } from './job';
import { AttentionJob, Block, TILE_ROWS } from './layout.generated';
import { exponential } from './simd';

/** Gradient with respect to the queries: rows are queries, others keys. gradQ = ds . k. */
export function attentionGradQuery(job: AttentionJob, scratch: usize): void {
  const heads = job.heads;
  const width = job.headWidth;
  const edgeTile = scratch;
  const queryTile = scratch + job.tileAt;
  const gradTile = scratch + job.gradTileAt;
  const scores = scratch + job.scoresAt;
  const gradProbabilities = scratch + job.gradScoresAt;
  const packed = scratch + job.weightsAt;
  const keys = scratch + job.transposedAt;
  const values = scratch + job.gradTransposedAt;
  const straightKeys = scratch + job.straightAt;
  const gradStride = <usize>heads * <usize>width * 4;
  for (;;) {
    const task = takeTask(job);
    if (task >= job.blockCount * heads) return;
    const block = changetype<Block>(job.blocks + <usize>(task / heads) * offsetof<Block>());
    const head = task % heads;
    const column = <usize>head * <usize>width * 4;
    packTransposed(job, block, job.k + column, job.kStride, keys);
    packTransposed(job, block, job.v + column, job.vStride, values);
    const notFinite = packStraight(job, block, job.k + column, job.kStride, straightKeys);
    for (let row = block.row; row < block.rowEnd; row += TILE_ROWS) {
      const rows = min(TILE_ROWS, block.rowEnd - row);
      chooseRuns(job, block, row, rows);
      packTileRows(job.q + column + <usize>row * job.qStride, job.qStride, rows, width, queryTile);
      packTileRows(job.gradOut + column + <usize>row * gradStride, gradStride, rows, width, gradTile);
      multiplyTransposed(job, queryTile, keys, scores);
      multiplyTransposed(job, gradTile, values, gradProbabilities);
      for (let r = 0; r < rows; r++) {
        const at = <usize>r * (<usize>job.capacity << 2);
        const statistic = (<usize>(row + r) * <usize>heads + <usize>head) << 2;
        const lse = f32x4.splat(load<f32>(job.logSumExp + statistic));
        const delta = f32x4.splat(load<f32>(job.delta + statistic));
        for (let run = 0; run < 2; run++) {
          const end = <usize>(run == 0 ? firstRunEnd() : secondRunEnd()) << 2;
          for (let p = <usize>(run == 0 ? firstRun() : secondRun()) << 2; p < end; p += 32) {
            const score = scores + at + p;
            const gradProbability = gradProbabilities + at + p;
            const x = probabilities(v128.load(score), job.scale, lse);
            const y = probabilities(v128.load(score, 16), job.scale, lse);
            const gradX = gradScores(x, v128.load(gradProbability), delta, job.scale);
            const gradY = gradScores(y, v128.load(gradProbability, 16), delta, job.scale);
            v128.store(score, gradX);
            v128.store(score, gradY, 16);
          }
        }
      }
      mask(job, block, row, rows, scores, 0);
      const out = job.out + column + <usize>row * job.outStride;
      multiplyStraight(job, scores, straightKeys, out, job.outStride, rows, packed, edgeTile);
      if (notFinite) addNonFinite(job, block, row, rows, scores, job.k + column, job.kStride, out, job.outStride);
    }
  }
}

/** Gradients with respect to keys and values: rows are keys, others queries. gradV = p' . gradOut, gradK = ds' . q. */
export function attentionGradKeyValue(job: AttentionJob, scratch: usize): void {
  const heads = job.heads;
  const width = job.headWidth;
  const edgeTile = scratch;
  const keyTile = scratch + job.tileAt;
  const valueTile = scratch + job.gradTileAt;
  const scores = scratch + job.scoresAt;
  const gradProbabilities = scratch + job.gradScoresAt;
  const packed = scratch + job.weightsAt;
  const lse = scratch + job.lseAt;
  const delta = scratch + job.deltaAt;
  const queries = scratch + job.transposedAt;
  const grads = scratch + job.gradTransposedAt;
  const straightQueries = scratch + job.straightAt;
  const straightGrads = scratch + job.gradStraightAt;
  const gradStride = <usize>heads * <usize>width * 4;
  for (;;) {
    const task = takeTask(job);
    if (task >= job.blockCount * heads) return;
    const block = changetype<Block>(job.blocks + <usize>(task / heads) * offsetof<Block>());
    const head = task % heads;
    const column = <usize>head * <usize>width * 4;
    packTransposed(job, block, job.q + column, job.qStride, queries);
    packTransposed(job, block, job.gradOut + column, gradStride, grads);
    const oddQueries = packStraight(job, block, job.q + column, job.qStride, straightQueries);
    const oddGrads = packStraight(job, block, job.gradOut + column, gradStride, straightGrads);
    gather(job.logSumExp, heads, head, block, lse);
    gather(job.delta, heads, head, block, delta);
    for (let row = block.row; row < block.rowEnd; row += TILE_ROWS) {
      const rows = min(TILE_ROWS, block.rowEnd - row);
      chooseRuns(job, block, row, rows);
      packTileRows(job.k + column + <usize>row * job.kStride, job.kStride, rows, width, keyTile);
      packTileRows(job.v + column + <usize>row * job.vStride, job.vStride, rows, width, valueTile);
      multiplyTransposed(job, keyTile, queries, scores);
      multiplyTransposed(job, valueTile, grads, gradProbabilities);
      const end = <usize>firstRunEnd() << 2;
      for (let r = 0; r < rows; r++) {
        const at = <usize>r * (<usize>job.capacity << 2);
        for (let p = <usize>firstRun() << 2; p < end; p += 32) {
          const score = scores + at + p;
          const gradProbability = gradProbabilities + at + p;
          const x = probabilities(v128.load(score), job.scale, v128.load(lse + p));
          const y = probabilities(v128.load(score, 16), job.scale, v128.load(lse + p, 16));
          const gradX = gradScores(x, v128.load(gradProbability), v128.load(delta + p), job.scale);
          const gradY = gradScores(y, v128.load(gradProbability, 16), v128.load(delta + p, 16), job.scale);
          v128.store(score, x);
          v128.store(score, y, 16);
          v128.store(gradProbability, gradX);
          v128.store(gradProbability, gradY, 16);
        }
      }
      mask(job, block, row, rows, scores, 0);
      mask(job, block, row, rows, gradProbabilities, 0);
      const stride = job.outStride;
      const gradV = job.gradV + column + <usize>row * stride;
      const gradK = job.out + column + <usize>row * stride;
      multiplyStraight(job, scores, straightGrads, gradV, stride, rows, packed, edgeTile);
      if (oddGrads) addNonFinite(job, block, row, rows, scores, job.gradOut + column, gradStride, gradV, stride);
      multiplyStraight(job, gradProbabilities, straightQueries, gradK, stride, rows, packed, edgeTile);
      if (oddQueries) addNonFinite(job, block, row, rows, gradProbabilities, job.q + column, job.qStride, gradK, stride);
    }
  }
}

// @ts-ignore: decorator
@inline
function probabilities(scores: v128, scale: f32, lse: v128): v128 {
  return exponential(f32x4.sub(f32x4.mul(scores, f32x4.splat(scale)), lse));
}

// @ts-ignore: decorator
@inline
function gradScores(probability: v128, gradProbability: v128, delta: v128, scale: f32): v128 {
  return f32x4.mul(f32x4.mul(probability, f32x4.splat(scale)), f32x4.sub(gradProbability, delta));
}

/** One head's column of a matrix [queries, heads], for the queries of a block's first run; 0 in the gap after it. */
function gather(from: usize, heads: i32, head: i32, block: Block, to: usize): void {
  const count = block.firstEnd - block.first;
  let at = from + ((<usize>block.first * <usize>heads + <usize>head) << 2);
  for (let p = 0; p < count; p++) {
    store<f32>(to + (<usize>p << 2), load<f32>(at));
    at += <usize>heads << 2;
  }
  for (let p = count; p < roundUp(count); p++) store<f32>(to + (<usize>p << 2), 0);
}
