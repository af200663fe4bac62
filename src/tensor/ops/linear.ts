/** Matrix products and the layers made of them, with their gradients. */
import type { Activation } from '../../kernels/index.js';
import { checkedAxes } from '../shapes.js';
import type { Tensor } from '../tensor.js';
import { sumRows } from './elementwise.js';

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
  const [m, k] = transposeA ? [a.columns, a.rows] : [a.rows, a.columns];
  const [inner, n] = transposeB ? [b.columns, b.rows] : [b.rows, b.columns];
  if (k !== inner) {
    const expected = transposeB ? `[n, ${k}]` : `[${k}, n]`;
    throw new Error(`matmul: expected b ${expected}, found [${b.shape.join(', ')}]`);
  }
  const out = engine.empty([m, n]);
  engine.run('matmul', { a: a.buffer, b: b.buffer, out: out.buffer, m, n, k, transposeA, transposeB, alpha });
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
 * x W' + bias + residual, all in one product. x [..., k], weight [n, k], bias [n], residual [..., n].
 * A frozen weight costs no memory for the backward pass: only dX is computed then.
 */
export function linear(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  { residual }: { residual?: Tensor | undefined } = {},
): Tensor {
  const { engine } = x;
  const { n, k } = checkedAxes('linear', {
    x: [x, '... k'],
    weight: [weight, 'n k'],
    bias: [bias, 'n'],
    residual: [residual, '... n'],
  });
  const out = engine.empty([...x.shape.slice(0, -1), n]);
  engine.run('matmul', {
    a: x.buffer,
    b: weight.buffer,
    out: out.buffer,
    m: x.rows,
    n,
    k,
    transposeB: true,
    bias: bias?.buffer,
    residual: residual?.buffer,
  });
  const saved = { weight: x.vertex && weight, x: weight.vertex && x };
  engine.record(out, [x, weight, bias, residual], saved, (gradOut, saved, { give, giveInto }) => {
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
  const { k, inner, n } = checkedAxes('feedForward', {
    x: [x, '... k'],
    weight1: [weight1, 'inner k'],
    bias1: [bias1, 'inner'],
    weight2: [weight2, 'n inner'],
    bias2: [bias2, 'n'],
    residual: [residual, '... n'],
  });
  const { rows } = x;
  const preActivation = engine.differentiates(x) ? engine.empty([rows, inner]) : undefined;
  const out = engine.empty([...x.shape.slice(0, -1), n]);
  engine.scope(() => {
    const hidden = engine.empty([rows, inner]);
    const first = { a: x.buffer, b: weight1.buffer, out: hidden.buffer, m: rows, n: inner, k };
    engine.run('matmul', {
      ...first,
      transposeB: true,
      bias: bias1.buffer,
      activation,
      preActivation: preActivation?.buffer,
    });
    const second = { a: hidden.buffer, b: weight2.buffer, out: out.buffer, m: rows, n, k: inner };
    engine.run('matmul', { ...second, transposeB: true, bias: bias2.buffer, residual: residual.buffer });
  });
  engine.record(out, [x, residual], { weight1, weight2, preActivation }, (gradOut, saved, { give, giveInto }) => {
    give(1, () => gradOut);
    giveInto(0, (sum) => {
      const gradHidden = engine.empty([rows, inner]);
      engine.run('matmul', {
        a: gradOut.buffer,
        b: saved.weight2.buffer,
        out: gradHidden.buffer,
        m: rows,
        n: inner,
        k: n,
        activationGrad: { activation, preActivation: saved.preActivation!.buffer },
      });
      return gradInput(gradHidden, saved.weight1, x.shape, sum);
    });
  });
  return out;
}

/** gradOut W (+ sum): what a linear layer sends to its input. */
function gradInput(gradOut: Tensor, weight: Tensor, shape: readonly number[], sum: Tensor | undefined): Tensor {
  const { engine } = gradOut;
  const gradX = engine.empty(shape);
  engine.run('matmul', {
    a: gradOut.buffer,
    b: weight.buffer,
    out: gradX.buffer,
    m: gradOut.rows,
    n: weight.columns,
    k: weight.rows,
    residual: sum?.buffer,
  });
  return gradX;
}
