/**
 * The epilogue of finished elements, in the order given by `MatmulArgs`: eight elements at a time as two vectors side by side, then four,
 * then what is left. An engine fuses the two vectors only where they are in the same branch, so branches enclose both.
 */
import { Activation, MatmulJob, Numbers } from './layout.generated';
import { exp, loadLanes, madd, number, storeLanes } from './simd';

/** Finishes `columns` elements of `out` that hold plain sums, from (row, column) on. */
export function finishRow(job: MatmulJob, row: i32, column: i32, columns: i32): void {
  const offset = (<usize>row * <usize>job.n + <usize>column) << 2;
  const pairs = columns & -8;
  finishPairs(job, offset, column, pairs);
  for (let done = pairs; done < columns; done += 4) finish(job, offset + (<usize>done << 2), column + done, min(4, columns - done));
}

/** Finishes `columns` elements, a multiple of 8; `offset` is that of the first in each [m, n] matrix, in bytes. */
// @ts-ignore: decorator
@inline
function finishPairs(job: MatmulJob, offset: usize, column: i32, columns: i32): void {
  const alpha = f32x4.splat(job.alpha);
  const activation = job.activation;
  const gradActivation = job.gradActivation;
  const out = job.out + offset;
  const bias = job.bias ? job.bias + (<usize>column << 2) : 0;
  const preActivation = job.preActivation ? job.preActivation + offset : 0;
  const gradAt = job.gradAt ? job.gradAt + offset : 0;
  const residual = job.residual ? job.residual + offset : 0;
  const relu = job.relu;
  const end = <usize>columns << 2;
  for (let at: usize = 0; at < end; at += 32) {
    let v = f32x4.mul(v128.load(out + at), alpha);
    let w = f32x4.mul(v128.load(out + at, 16), alpha);
    if (bias) {
      v = f32x4.add(v, v128.load(bias + at));
      w = f32x4.add(w, v128.load(bias + at, 16));
    }
    if (preActivation) {
      v128.store(preActivation + at, v);
      v128.store(preActivation + at, w, 16);
    }
    if (activation == Activation.quick_gelu) {
      v = quickGelu(v);
      w = quickGelu(w);
    } else if (activation == Activation.gelu) {
      v = gelu(v);
      w = gelu(w);
    }
    if (gradAt) {
      const x = v128.load(gradAt + at);
      const y = v128.load(gradAt + at, 16);
      if (gradActivation == Activation.quick_gelu) {
        v = f32x4.mul(v, quickGeluDerivative(x));
        w = f32x4.mul(w, quickGeluDerivative(y));
      } else {
        v = f32x4.mul(v, geluDerivative(x));
        w = f32x4.mul(w, geluDerivative(y));
      }
    }
    if (residual) {
      v = f32x4.add(v, v128.load(residual + at));
      w = f32x4.add(w, v128.load(residual + at, 16));
    }
    if (relu) {
      v = f32x4.max(v, f32x4.splat(0));
      w = f32x4.max(w, f32x4.splat(0));
    }
    v128.store(out + at, v);
    v128.store(out + at, w, 16);
  }
}

/** Finishes `lanes` (1 to 4) elements. */
function finish(job: MatmulJob, offset: usize, column: i32, lanes: i32): void {
  const out = job.out + offset;
  let v = f32x4.mul(loadLanes(out, lanes), f32x4.splat(job.alpha));
  if (job.bias) v = f32x4.add(v, loadLanes(job.bias + (<usize>column << 2), lanes));
  if (job.preActivation) storeLanes(job.preActivation + offset, v, lanes);
  if (job.activation) v = job.activation == Activation.quick_gelu ? quickGelu(v) : gelu(v);
  if (job.gradAt) {
    const x = loadLanes(job.gradAt + offset, lanes);
    v = f32x4.mul(v, job.gradActivation == Activation.quick_gelu ? quickGeluDerivative(x) : geluDerivative(x));
  }
  if (job.residual) v = f32x4.add(v, loadLanes(job.residual + offset, lanes));
  if (job.relu) v = f32x4.max(v, f32x4.splat(0));
  storeLanes(out, v, lanes);
}

/** `x * sigmoid(1.702 x)` */
// @ts-ignore: decorator
@inline
function quickGelu(x: v128): v128 {
  const e = exp(f32x4.mul(x, number(Numbers.MINUS_QUICK)));
  return f32x4.div(x, f32x4.add(e, number(Numbers.ONE)));
}

/** `x * Phi(x)` */
// @ts-ignore: decorator
@inline
function gelu(x: v128): v128 {
  return f32x4.mul(x, normalCdf(x, gaussian(x)));
}

// @ts-ignore: decorator
@inline
function quickGeluDerivative(x: v128): v128 {
  const one = number(Numbers.ONE);
  const z = f32x4.mul(x, number(Numbers.QUICK));
  const s = f32x4.div(one, f32x4.add(exp(f32x4.neg(z)), one));
  return f32x4.mul(s, madd(z, f32x4.sub(one, s), one));
}

// @ts-ignore: decorator
@inline
function geluDerivative(x: v128): v128 {
  const e = gaussian(x);
  return madd(f32x4.mul(x, number(Numbers.NORMAL)), e, normalCdf(x, e));
}

// @ts-ignore: decorator
@inline
function gaussian(x: v128): v128 {
  return exp(f32x4.mul(f32x4.mul(x, x), number(Numbers.MINUS_HALF)));
}

/**
 * Phi(x), given e = exp(-x^2 / 2), by Abramowitz and Stegun's formula 7.1.26 for erf, whose error is at most 1.5e-7. The formula
 * yields the upper tail, so nothing cancels for negative x.
 */
// @ts-ignore: decorator
@inline
function normalCdf(x: v128, e: v128): v128 {
  const one = number(Numbers.ONE);
  const t = f32x4.div(one, madd(f32x4.abs(x), number(Numbers.TAIL_T), one));
  let series = number(Numbers.TAIL_5);
  series = madd(series, t, number(Numbers.TAIL_4));
  series = madd(series, t, number(Numbers.TAIL_3));
  series = madd(series, t, number(Numbers.TAIL_2));
  series = madd(series, t, number(Numbers.TAIL_1));
  const tail = f32x4.mul(f32x4.mul(series, t), e);
  return v128.bitselect(tail, f32x4.sub(one, tail), f32x4.lt(x, f32x4.splat(0)));
}
