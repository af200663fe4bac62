/** The product of one row and a matrix (m = 1): each element of B is used once, so nothing is packed. */
import { finishRow } from './epilogue';
import { MatmulJob } from './job';
import { loadLanes, madd, storeLanes, sumLanes } from './simd';

/** Columns [from, to) of the only row. */
export function multiplyRow(job: MatmulJob, from: i32, to: i32): void {
  if (job.transposeB) dotRows(job, from, to);
  else addRows(job, from, to);
  if (job.hasEpilogue) finishRow(job, 0, from, to - from);
}

/** B is stored [n, k]: each element of the result is the scalar product of two contiguous rows. */
function dotRows(job: MatmulJob, from: i32, to: i32): void {
  const k = job.k;
  const a = job.a;
  const stride = <usize>k << 2;
  for (let column = from; column < to; column += 4) {
    // Columns past the end repeat the last one and are not stored.
    const last = to - 1 - column;
    const b0 = job.b + <usize>column * stride;
    const b1 = b0 + (last >= 1 ? stride : 0);
    const b2 = b1 + (last >= 2 ? stride : 0);
    const b3 = b2 + (last >= 3 ? stride : 0);
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    let at: usize = 0;
    let p = k;
    for (; p >= 4; p -= 4) {
      const x = v128.load(a + at);
      s0 = madd(x, v128.load(b0 + at), s0);
      s1 = madd(x, v128.load(b1 + at), s1);
      s2 = madd(x, v128.load(b2 + at), s2);
      s3 = madd(x, v128.load(b3 + at), s3);
      at += 16;
    }
    let r0 = sumLanes(s0);
    let r1 = sumLanes(s1);
    let r2 = sumLanes(s2);
    let r3 = sumLanes(s3);
    for (; p > 0; p--) {
      const x = load<f32>(a + at);
      r0 += x * load<f32>(b0 + at);
      r1 += x * load<f32>(b1 + at);
      r2 += x * load<f32>(b2 + at);
      r3 += x * load<f32>(b3 + at);
      at += 4;
    }
    const out = job.out + (<usize>column << 2);
    store<f32>(out, r0);
    if (last >= 1) store<f32>(out, r1, 4);
    if (last >= 2) store<f32>(out, r2, 8);
    if (last >= 3) store<f32>(out, r3, 12);
  }
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
