/**
 * Twin of the matrix product: the definition in plain TypeScript.
 *
 * It is written to be read, with one concession to speed: rows of the left operand are processed four at a time, so that
 * each element of the right operand is loaded once for four products. Sums are kept in float64.
 */
import type { MatmulArgs } from '../contract.js';
import { activate, activationDerivative } from './activation.js';
import { type RealArray, real, realOrHalf } from './arrays.js';

const ROWS = 4;

export function matmul(args: MatmulArgs): void {
  const { m, n, k, alpha = 1 } = args;
  const a = real(args.a);
  const b = realOrHalf(args.b);
  const out = real(args.out);
  const store = epilogue(args, out);

  // Both operands are read along k: element (i, p) of op(a) is a[i * aRow + p * aStep], (p, j) of op(b) is b[j * bColumn + p * bStep].
  const [aRow, aStep] = args.transposeA ? [1, m] : [k, 1];
  const [bColumn, bStep] = args.transposeB ? [k, 1] : [1, n];

  for (let i = 0; i < m; i += ROWS) {
    const rows = Math.min(ROWS, m - i);
    // Rows past the end repeat the last one and are not stored.
    const a0 = i * aRow;
    const a1 = (i + Math.min(1, rows - 1)) * aRow;
    const a2 = (i + Math.min(2, rows - 1)) * aRow;
    const a3 = (i + Math.min(3, rows - 1)) * aRow;
    for (let j = 0; j < n; j++) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let ai = 0;
      let bi = j * bColumn;
      for (let p = 0; p < k; p++) {
        const right = b[bi]!;
        s0 += a[a0 + ai]! * right;
        s1 += a[a1 + ai]! * right;
        s2 += a[a2 + ai]! * right;
        s3 += a[a3 + ai]! * right;
        ai += aStep;
        bi += bStep;
      }
      store(i, j, alpha * s0);
      if (rows > 1) store(i + 1, j, alpha * s1);
      if (rows > 2) store(i + 2, j, alpha * s2);
      if (rows > 3) store(i + 3, j, alpha * s3);
    }
  }
}

/** The epilogue of each element, in the order given by the contract. */
function epilogue(args: MatmulArgs, out: RealArray): (row: number, column: number, value: number) => void {
  const { n, activation } = args;
  const bias = args.bias && real(args.bias);
  const preActivation = args.preActivation && real(args.preActivation);
  const gradAt = args.activationGrad && real(args.activationGrad.preActivation);
  const residual = args.residual && real(args.residual);
  return (row, column, value) => {
    const at = row * n + column;
    let v = value;
    if (bias) v += bias[column]!;
    if (preActivation) preActivation[at] = v;
    if (activation) v = activate(activation, v);
    if (gradAt && args.activationGrad) v *= activationDerivative(args.activationGrad.activation, gradAt[at]!);
    if (residual) v += residual[at]!;
    out[at] = v;
  };
}
