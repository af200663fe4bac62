/** The epilogue of finished elements, in the order given by `MatmulArgs`, four elements at a time. */
import { Activation, MatmulJob } from './layout.generated';
import { exp, loadLanes, madd, storeLanes } from './simd';

/** Finishes `columns` elements of `out` that hold plain sums, from (row, column) on. */
export function finishRow(job: MatmulJob, row: i32, column: i32, columns: i32): void {
  const offset = (<usize>row * <usize>job.n + <usize>column) << 2;
  const wholeVectors = columns & -4;
  finish(job, offset, column, wholeVectors, 4);
  if (wholeVectors < columns) finish(job, offset + (<usize>wholeVectors << 2), column + wholeVectors, 1, columns - wholeVectors);
}

/** Finishes `columns` elements, `lanes` (1 to 4) at a time; `offset` is that of the first in each [m, n] matrix, in bytes. */
// @ts-ignore: decorator
@inline
function finish(job: MatmulJob, offset: usize, column: i32, columns: i32, lanes: i32): void {
  const alpha = f32x4.splat(job.alpha);
  const activation = job.activation;
  const gradActivation = job.gradActivation;
  const out = job.out + offset;
  const bias = job.bias ? job.bias + (<usize>column << 2) : 0;
  const preActivation = job.preActivation ? job.preActivation + offset : 0;
  const gradAt = job.gradAt ? job.gradAt + offset : 0;
  const residual = job.residual ? job.residual + offset : 0;
  const end = <usize>columns << 2;
  for (let at: usize = 0; at < end; at += 16) {
    let v = f32x4.mul(loadLanes(out + at, lanes), alpha);
    if (bias) v = f32x4.add(v, loadLanes(bias + at, lanes));
    if (preActivation) storeLanes(preActivation + at, v, lanes);
    if (activation) v = activate(activation, v);
    if (gradAt) v = f32x4.mul(v, derivative(gradActivation, loadLanes(gradAt + at, lanes)));
    if (residual) v = f32x4.add(v, loadLanes(residual + at, lanes));
    storeLanes(out + at, v, lanes);
  }
}

/** QuickGELU `x * sigmoid(1.702 x)`, or exact GELU `x * Phi(x)`. */
// @ts-ignore: decorator
@inline
function activate(activation: i32, x: v128): v128 {
  if (activation == Activation.quick_gelu) {
    const e = exp(f32x4.mul(x, f32x4.splat(-1.702)));
    return f32x4.div(x, f32x4.add(e, f32x4.splat(1)));
  }
  return f32x4.mul(x, normalCdf(x, gaussian(x)));
}

// @ts-ignore: decorator
@inline
function derivative(activation: i32, x: v128): v128 {
  const one = f32x4.splat(1);
  if (activation == Activation.quick_gelu) {
    const z = f32x4.mul(x, f32x4.splat(1.702));
    const s = f32x4.div(one, f32x4.add(exp(f32x4.neg(z)), one));
    return f32x4.mul(s, madd(z, f32x4.sub(one, s), one));
  }
  const e = gaussian(x);
  return madd(f32x4.mul(x, f32x4.splat(0.398942280)), e, normalCdf(x, e)); // 1 / sqrt(2 pi)
}

// @ts-ignore: decorator
@inline
function gaussian(x: v128): v128 {
  return exp(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
}

/**
 * Phi(x), given e = exp(-x^2 / 2), by Abramowitz and Stegun's formula 7.1.26 for erf, whose error is at most 1.5e-7. The formula
 * yields the upper tail, so nothing cancels for negative x.
 */
// @ts-ignore: decorator
@inline
function normalCdf(x: v128, e: v128): v128 {
  const one = f32x4.splat(1);
  const t = f32x4.div(one, madd(f32x4.abs(x), f32x4.splat(0.3275911 * 0.70710678118654752), one));
  let series = f32x4.splat(1.061405429 * 0.5);
  series = madd(series, t, f32x4.splat(-1.453152027 * 0.5));
  series = madd(series, t, f32x4.splat(1.421413741 * 0.5));
  series = madd(series, t, f32x4.splat(-0.284496736 * 0.5));
  series = madd(series, t, f32x4.splat(0.254829592 * 0.5));
  const tail = f32x4.mul(f32x4.mul(series, t), e);
  return v128.bitselect(tail, f32x4.sub(one, tail), f32x4.lt(x, f32x4.splat(0)));
}
