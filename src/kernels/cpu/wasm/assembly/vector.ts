/**
 * The product of one row and a matrix (m = 1): each element of B is used once, so nothing is packed. Sums add their terms in order of
 * k, as those of a tile do: a row's result is the same alone and among others.
 */
import { finishRow } from './epilogue';
import { MatmulJob } from './layout.generated';
import { loadLanes, madd, storeLanes } from './simd';

/** Columns [from, to) of the only row. */
export function multiplyRow(job: MatmulJob, from: i32, to: i32): void {
  if (job.transposeB) dotRows(job, from, to);
  else addRows(job, from, to);
  if (job.hasEpilogue) finishRow(job, 0, from, to - from);
}

/** B is stored [n, k]: eight of its rows at a time, in blocks of 4 x 4 that are transposed so that lanes are columns. */
function dotRows(job: MatmulJob, from: i32, to: i32): void {
  const stride = <usize>job.k << 2;
  for (let column = from; column < to; column += 8) {
    // Columns past the end repeat the last one and are not stored.
    const b0 = job.b + <usize>column * stride;
    const last = job.b + <usize>(to - 1) * stride;
    const b1 = min(b0 + stride, last);
    const b2 = min(b1 + stride, last);
    const b3 = min(b2 + stride, last);
    const b4 = min(b3 + stride, last);
    const b5 = min(b4 + stride, last);
    const b6 = min(b5 + stride, last);
    const b7 = min(b6 + stride, last);
    let left = f32x4.splat(0);
    let right = left;
    let a = job.a;
    let at: usize = 0;
    const whole = stride & -16;
    for (; at < whole; at += 16) {
      left = addBlock(a, v128.load(b0 + at), v128.load(b1 + at), v128.load(b2 + at), v128.load(b3 + at), left);
      right = addBlock(a, v128.load(b4 + at), v128.load(b5 + at), v128.load(b6 + at), v128.load(b7 + at), right);
      a += 16;
    }
    for (; at < stride; at += 4) {
      const x = v128.load_splat<f32>(a);
      left = madd(x, lanes(b0 + at, b1 + at, b2 + at, b3 + at), left);
      right = madd(x, lanes(b4 + at, b5 + at, b6 + at, b7 + at), right);
      a += 4;
    }
    const out = job.out + (<usize>column << 2);
    storeLanes(out, left, min(4, to - column));
    if (to - column > 4) storeLanes(out + 16, right, to - column - 4);
  }
}

/** Adds four values of the row at `a` times the columns of the 4 x 4 block whose rows are b0 to b3. */
// @ts-ignore: decorator
@inline
function addBlock(a: usize, b0: v128, b1: v128, b2: v128, b3: v128, sum: v128): v128 {
  const low = v128.shuffle<f32>(b0, b1, 0, 4, 1, 5);
  const high = v128.shuffle<f32>(b0, b1, 2, 6, 3, 7);
  const low2 = v128.shuffle<f32>(b2, b3, 0, 4, 1, 5);
  const high2 = v128.shuffle<f32>(b2, b3, 2, 6, 3, 7);
  sum = madd(v128.load_splat<f32>(a), v128.shuffle<f64>(low, low2, 0, 2), sum);
  sum = madd(v128.load_splat<f32>(a, 4), v128.shuffle<f64>(low, low2, 1, 3), sum);
  sum = madd(v128.load_splat<f32>(a, 8), v128.shuffle<f64>(high, high2, 0, 2), sum);
  return madd(v128.load_splat<f32>(a, 12), v128.shuffle<f64>(high, high2, 1, 3), sum);
}

// @ts-ignore: decorator
@inline
function lanes(first: usize, second: usize, third: usize, fourth: usize): v128 {
  let v = v128.load32_zero(first);
  v = v128.load_lane<f32>(second, v, 1);
  v = v128.load_lane<f32>(third, v, 2);
  return v128.load_lane<f32>(fourth, v, 3);
}

/**
 * B is stored [k, n]: the result is a sum of its rows, four at a time, so that B is read along its rows while the sums stay in
 * the first-level cache.
 */
function addRows(job: MatmulJob, from: i32, to: i32): void {
  const stride = <usize>job.n << 2;
  const out = job.out + (<usize>from << 2);
  const columns = to - from;
  for (let column = 0; column < columns; column += 4) {
    storeLanes(out + (<usize>column << 2), f32x4.splat(0), columns - column);
  }
  let a = job.a;
  let row = job.b + (<usize>from << 2);
  let p = job.k;
  for (; p >= 4; p -= 4) {
    const x0 = v128.load_splat<f32>(a);
    const x1 = v128.load_splat<f32>(a, 4);
    const x2 = v128.load_splat<f32>(a, 8);
    const x3 = v128.load_splat<f32>(a, 12);
    let b = row;
    let sum = out;
    for (let left = columns; left > 0; left -= 4) {
      let s = loadLanes(sum, left);
      s = madd(x0, loadLanes(b, left), s);
      s = madd(x1, loadLanes(b + stride, left), s);
      s = madd(x2, loadLanes(b + stride * 2, left), s);
      s = madd(x3, loadLanes(b + stride * 3, left), s);
      storeLanes(sum, s, left);
      b += 16;
      sum += 16;
    }
    a += 16;
    row += stride * 4;
  }
  for (; p > 0; p--) {
    const x = v128.load_splat<f32>(a);
    for (let column = 0; column < columns; column += 4) {
      const at = <usize>column << 2;
      storeLanes(out + at, madd(x, loadLanes(row + at, columns - column), loadLanes(out + at, columns - column)), columns - column);
    }
    a += 4;
    row += stride;
  }
}
