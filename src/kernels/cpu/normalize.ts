/** Twins of the kernels that normalise rows: layer norm, L2 norm, softmax, and their gradients. */
import type {
  LayerNormArgs,
  LayerNormGradArgs,
  NormalizeRowsArgs,
  NormalizeRowsGradArgs,
  SoftmaxArgs,
  SoftmaxGradArgs,
} from '../contract.js';
import { type RealArray, real } from './arrays.js';

export function layerNorm(args: LayerNormArgs): void {
  const { rows, columns, epsilon } = args;
  const [x, weight, bias, out] = [real(args.x), real(args.weight), real(args.bias), real(args.out)];
  const statistics = args.statistics && real(args.statistics);
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    let mean = 0;
    for (let c = 0; c < columns; c++) mean += x[at + c]!;
    mean /= columns;
    let variance = 0;
    for (let c = 0; c < columns; c++) variance += (x[at + c]! - mean) ** 2;
    const rstd = 1 / Math.sqrt(variance / columns + epsilon);
    for (let c = 0; c < columns; c++) out[at + c] = (x[at + c]! - mean) * rstd * weight[c]! + bias[c]!;
    if (statistics) {
      statistics[2 * row] = mean;
      statistics[2 * row + 1] = rstd;
    }
  }
}

/**
 * With xHat = (x - mean) rstd and g = gradOut weight:
 * gradX = rstd (g - mean(g) - xHat mean(g xHat))  (Ba, Kiros and Hinton, 2016, differentiated).
 */
export function layerNormGrad(args: LayerNormGradArgs): void {
  const { rows, columns } = args;
  const [x, weight, statistics] = [real(args.x), real(args.weight), real(args.statistics)];
  const [gradOut, gradX] = [real(args.gradOut), real(args.gradX)];
  const addend = args.addend && real(args.addend);
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    const mean = statistics[2 * row]!;
    const rstd = statistics[2 * row + 1]!;
    let sum = 0;
    let sumHat = 0;
    for (let c = 0; c < columns; c++) {
      const g = gradOut[at + c]! * weight[c]!;
      sum += g;
      sumHat += g * (x[at + c]! - mean) * rstd;
    }
    for (let c = 0; c < columns; c++) {
      const hat = (x[at + c]! - mean) * rstd;
      const g = gradOut[at + c]! * weight[c]!;
      gradX[at + c] = rstd * (g - sum / columns - (hat * sumHat) / columns) + (addend ? addend[at + c]! : 0);
    }
  }
}

export function normalizeRows(args: NormalizeRowsArgs): void {
  const { rows, columns } = args;
  const [x, out, norm] = [real(args.x), real(args.out), real(args.norm)];
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    const length = Math.sqrt(dot(x, x, at, at, columns));
    norm[row] = length;
    for (let c = 0; c < columns; c++) out[at + c] = length === 0 ? 0 : x[at + c]! / length;
  }
}

export function normalizeRowsGrad(args: NormalizeRowsGradArgs): void {
  const { rows, columns } = args;
  const [out, norm, gradOut, gradX] = [real(args.out), real(args.norm), real(args.gradOut), real(args.gradX)];
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    const along = dot(out, gradOut, at, at, columns);
    const length = norm[row]!;
    for (let c = 0; c < columns; c++) {
      gradX[at + c] = length === 0 ? 0 : (gradOut[at + c]! - out[at + c]! * along) / length;
    }
  }
}

export function softmax(args: SoftmaxArgs): void {
  const [x, out] = [real(args.x), real(args.out)];
  for (let row = 0; row < args.rows; row++) softmaxRow(x, out, row * args.columns, args.columns);
}

export function softmaxGrad(args: SoftmaxGradArgs): void {
  const { rows, columns } = args;
  const [out, gradOut, gradX] = [real(args.out), real(args.gradOut), real(args.gradX)];
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    const along = dot(out, gradOut, at, at, columns);
    for (let c = 0; c < columns; c++) gradX[at + c] = out[at + c]! * (gradOut[at + c]! - along);
  }
}

/** Softmax of one row; returns the log of its denominator, log(sum(exp(x))). */
export function softmaxRow(x: RealArray, out: RealArray, at: number, columns: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < columns; c++) max = Math.max(max, x[at + c]!);
  let sum = 0;
  for (let c = 0; c < columns; c++) sum += Math.exp(x[at + c]! - max);
  for (let c = 0; c < columns; c++) out[at + c] = Math.exp(x[at + c]! - max) / sum;
  return max + Math.log(sum);
}

/** Four running sums, so that an addition need not wait for the one before it. */
export function dot(a: RealArray, b: RealArray, aAt: number, bAt: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let c = 0;
  for (; c + 3 < length; c += 4) {
    s0 += a[aAt + c]! * b[bAt + c]!;
    s1 += a[aAt + c + 1]! * b[bAt + c + 1]!;
    s2 += a[aAt + c + 2]! * b[bAt + c + 2]!;
    s3 += a[aAt + c + 3]! * b[bAt + c + 3]!;
  }
  for (; c < length; c++) s0 += a[aAt + c]! * b[bAt + c]!;
  return s0 + s1 + (s2 + s3);
}
