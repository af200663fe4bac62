/** What happens to a finished element on its way out, in the order that `MatmulArgs` gives, four elements at a time. */
import { Job } from './job';
import { exp, loadLanes, madd, storeLanes } from './simd';

const QUICK_GELU: i32 = 1;

/** Finishes `columns` elements of `out` that hold plain sums, from (row, column) on. */
export function finishRow(job: Job, row: i32, column: i32, columns: i32): void {
  const alpha = f32x4.splat(job.alpha);
  let at = (<usize>row * <usize>job.n + <usize>column) << 2;
  let biasAt = job.bias + (<usize>column << 2);
  for (let left = columns; left > 0; left -= 4) {
    let v = f32x4.mul(loadLanes(job.out + at, left), alpha);
    if (job.bias) v = f32x4.add(v, loadLanes(biasAt, left));
    if (job.preActivation) storeLanes(job.preActivation + at, v, left);
    if (job.activation) v = activate(job.activation, v);
    if (job.gradAt) v = f32x4.mul(v, derivative(job.gradActivation, loadLanes(job.gradAt + at, left)));
    if (job.residual) v = f32x4.add(v, loadLanes(job.residual + at, left));
    storeLanes(job.out + at, v, left);
    at += 16;
    biasAt += 16;
  }
}

/** QuickGELU `x * sigmoid(1.702 x)`, or exact GELU `x * Phi(x)`. */
function activate(activation: i32, x: v128): v128 {
  if (activation == QUICK_GELU) {
    const e = exp(f32x4.mul(x, f32x4.splat(-1.702)));
    return f32x4.div(x, f32x4.add(e, f32x4.splat(1)));
  }
  return f32x4.mul(x, normalCdf(x, gaussian(x)));
}

function derivative(activation: i32, x: v128): v128 {
  const one = f32x4.splat(1);
  if (activation == QUICK_GELU) {
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
 * Phi(x), given e = exp(-x^2 / 2), by Abramowitz and Stegun's formula 7.1.26 for erf, whose error is at most 1.5e-7. The upper
 * tail is what the formula yields, so nothing cancels for negative x.
 */
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
