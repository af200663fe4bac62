/** Matrix products and the layers made of them, with their gradients. */
import { type Activation, activationCode, generalKernels, kernels, pointwiseGrad } from '../../kernels/index.js';
import { checkedAxes } from '../shapes.js';
import type { Tensor } from '../tensor.js';
import { transpose } from './layout.js';
import { sumRows } from './reduce.js';

/** Variants of a product. */
export interface MatmulOptions {
  transposeA?: boolean;
  transposeB?: boolean;
  alpha?: number;
}

/** alpha * op(a) . op(b) for matrices; all axes but the last count as rows. */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeA = false, transposeB = false, alpha = 1 } = options;
  const { engine } = a;
  const k = transposeA ? a.rows : a.columns;
  const inner = transposeB ? b.columns : b.rows;
  if (k !== inner) {
    const expected = transposeB ? `[n, ${k}]` : `[${k}, n]`;
    throw new Error(`matmul: expected b ${expected}, found [${b.shape.join(', ')}]`);
  }
  const { out } = engine.run(kernels.matmul, { a, b, transposeA, transposeB, alpha });
  // With C = A B: dA = dC B' and dB = A' dC; transposed operands swap the order.
  engine.record(out, [a, b], { a: b.vertex && a, b: a.vertex && b }, (gradOut, saved, { give }) => {
    give(0, () =>
      transposeA
        ? matmul(saved.b!, gradOut, { transposeA: transposeB, transposeB: true, alpha })
        : matmul(gradOut, saved.b!, { transposeB: !transposeB, alpha }),
    );
    give(1, () =>
      transposeB
        ? matmul(gradOut, saved.a!, { transposeA: true, transposeB: transposeA, alpha })
        : matmul(saved.a!, gradOut, { transposeA: !transposeA, alpha }),
    );
  });
  return out;
}

/**
 * a . b for each pair of matrices: a [..., m, k], b [..., k, n], with the same leading axes. It is the definition, for small matrices: `matmul` of one
 * large pair is many times as fast. Throws Error if the shapes do not fit.
 */
export function batchedMatmul(a: Tensor, b: Tensor): Tensor {
  const { engine } = a;
  if (a.shape.length < 3) throw new Error(`batchedMatmul: expected a [..., m, k], found [${a.shape.join(', ')}]`);
  const leading = a.shape.slice(0, -2);
  const expected = [...leading, a.columns];
  if (b.shape.length !== a.shape.length || expected.some((length, i) => length !== b.shape[i]))
    throw new Error(`batchedMatmul: expected b [${expected.join(', ')}, n], found [${b.shape.join(', ')}]`);
  const { out } = engine.run(generalKernels.batchedMatmul, { a, b });
  engine.record(out, [a, b], { a: b.vertex && a, b: a.vertex && b }, (gradOut, saved, { give }) => {
    give(0, () => batchedMatmul(gradOut, transpose(saved.b!)));
    give(1, () => batchedMatmul(transpose(saved.a!), gradOut));
  });
  return out;
}

/**
 * x W' + bias + residual, all in one product. x [..., k], weight [n, k], bias [n], residual [..., n]. With `relu`, what is negative in the end becomes 0.
 * A frozen weight costs no memory for the backward pass: only dX is computed then.
 */
export function linear(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  { residual, relu = false }: { residual?: Tensor | undefined; relu?: boolean } = {},
): Tensor {
  const { engine } = x;
  checkedAxes('linear', {
    x: [x, '... k'],
    weight: [weight, 'n k'],
    bias: [bias, 'n'],
    residual: [residual, '... n'],
  });
  const product = { a: x, b: weight, transposeB: true, alpha: 1, bias, residual, relu };
  const { out } = engine.run(kernels.matmul, product, 'linear');
  const saved = { weight: x.vertex && weight, x: weight.vertex && x, out: relu ? out : undefined };
  engine.record(out, [x, weight, bias, residual], saved, (gradResult, saved, { give, giveInto }) => {
    const gradOut = saved.out
      ? engine.run(pointwiseGrad.relu, { saved: saved.out, gradOut: gradResult }).gradX
      : gradResult;
    // The residual first: where it is x itself, the product adds to its gradient.
    give(3, () => gradOut);
    giveInto(0, (sum) => gradInput(gradOut, saved.weight!, x.shape, sum));
    give(1, () => matmul(gradOut, saved.x!, { transposeA: true }));
    give(2, () => sumRows(gradOut));
  });
  return out;
}

/**
 * CLIP's MLP with its residual: activation(x W1' + b1) W2' + b2 + residual. One operation, so that the activation is fused
 * forward into the first product and its derivative backward into the second. All weights are frozen. x [..., k], weight1 [inner, k],
 * bias1 [inner], weight2 [n, inner], bias2 [n], residual [..., n].
 */
export function feedForward(
  x: Tensor,
  layers: { weight1: Tensor; bias1: Tensor; weight2: Tensor; bias2: Tensor; activation: Activation },
  residual: Tensor,
): Tensor {
  const { engine } = x;
  const { weight1, bias1, weight2, bias2, activation } = layers;
  for (const tensor of [weight1, bias1, weight2, bias2]) {
    if (tensor.vertex) throw new Error('feedForward has no gradient for its weights; use linear');
  }
  checkedAxes('feedForward', {
    x: [x, '... k'],
    weight1: [weight1, 'inner k'],
    bias1: [bias1, 'inner'],
    weight2: [weight2, 'n inner'],
    bias2: [bias2, 'n'],
    residual: [residual, '... n'],
  });
  const preActivation = engine.differentiates(x) ? engine.empty([x.rows, weight1.rows]) : undefined;
  // What stays is allocated before what goes, so that no gap is left between.
  const out = engine.empty([...x.shape.slice(0, -1), weight2.rows]);
  engine.scope(() => {
    const layer = { transposeB: true, alpha: 1 };
    const first = { ...layer, a: x, b: weight1, bias: bias1, activation: activationCode(activation), preActivation };
    const { out: hidden } = engine.run(kernels.matmul, first, 'feedForward');
    engine.run(kernels.matmul, { ...layer, a: hidden, b: weight2, bias: bias2, residual, out }, 'feedForward');
  });
  engine.record(out, [x, residual], { weight1, weight2, preActivation }, (gradOut, saved, { give, giveInto }) => {
    give(1, () => gradOut);
    giveInto(0, (sum) => {
      const { out: gradHidden } = engine.run(kernels.matmul, {
        a: gradOut,
        b: saved.weight2,
        alpha: 1,
        activationGrad: activationCode(activation),
        gradPreActivation: saved.preActivation,
      });
      return gradInput(gradHidden, saved.weight1, x.shape, sum);
    });
  });
  return out;
}

/** gradOut W (+ sum): what a linear layer sends to its input. */
function gradInput(gradOut: Tensor, weight: Tensor, shape: readonly number[], sum: Tensor | undefined): Tensor {
  const { out } = gradOut.engine.run(kernels.matmul, { a: gradOut, b: weight, alpha: 1, residual: sum });
  return out.reshape(shape);
}
