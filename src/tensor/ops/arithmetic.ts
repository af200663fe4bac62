/**
 * Sums, differences, products and quotients, with their gradients. Shapes broadcast as NumPy's do: axes are matched from the last on, and one of length
 * 1, or that is missing, is repeated; a number goes with any shape. The gradient of an operand is summed over the axes along which it was repeated.
 */
import { stridesOf } from '../../kernels/families/shapes.js';
import { type BinaryName, generalKernels } from '../../kernels/index.js';
import { broadcastShape, broadcastStrides, mergedAxes } from '../strides.js';
import { Tensor } from '../tensor.js';
import { affine } from './elementwise.js';
import { sumTo } from './reduce.js';

/** Tensors, or a tensor and a number. */
export type BinaryOperands = [a: Tensor, b: Tensor | number] | [a: number, b: Tensor];

/** What the gradient of an operation may be made of. */
interface Saved {
  a?: Tensor | undefined;
  b?: Tensor | undefined;
  out?: Tensor | undefined;
}

/** An operation's gradients before they are summed, and what the tape keeps for them. */
interface Rule {
  saved(a: Tensor, b: Tensor, out: Tensor): Saved;
  gradA(grad: Tensor, saved: Saved): Tensor;
  gradB(grad: Tensor, saved: Saved): Tensor;
}

const RULES: Readonly<Record<BinaryName, Rule>> = {
  add: { saved: () => ({}), gradA: (grad) => grad, gradB: (grad) => grad },
  sub: { saved: () => ({}), gradA: (grad) => grad, gradB: (grad) => affine(grad, -1) },
  mul: {
    saved: (a, b) => ({ a: b.vertex && a, b: a.vertex && b }),
    gradA: (grad, { b }) => mul(grad, b!),
    gradB: (grad, { a }) => mul(grad, a!),
  },
  // (a / b)' = a' / b - (a / b) b' / b
  div: {
    saved: (_, b, out) => ({ b, out: b.vertex && out }),
    gradA: (grad, { b }) => div(grad, b!),
    gradB: (grad, { b, out }) => affine(div(mul(grad, out!), b!), -1),
  },
};

/** a + b. Throws Error if the shapes do not broadcast, as the other three do. */
export function add(...operands: BinaryOperands): Tensor {
  return binary('add', operands);
}

/** a - b. */
export function sub(...operands: BinaryOperands): Tensor {
  return binary('sub', operands);
}

/** a * b, element by element. */
export function mul(...operands: BinaryOperands): Tensor {
  return binary('mul', operands);
}

/** a / b, element by element. */
export function div(...operands: BinaryOperands): Tensor {
  return binary('div', operands);
}

function binary(name: BinaryName, [left, right]: BinaryOperands): Tensor {
  const { engine } = left instanceof Tensor ? left : (right as Tensor);
  return engine.scope(() => {
    const a = left instanceof Tensor ? left : engine.tensor([left], []);
    const b = right instanceof Tensor ? right : engine.tensor([right], []);
    const shape = broadcastShape(name, a.shape, b.shape);
    const { sizes, strides } = mergedAxes(name, shape, ...[a, b].map((x) => broadcastStrides(x.shape, shape)));
    const out = engine.empty(shape);
    const [, size1, size2, size3] = sizes;
    const walks = { ...stridesOf('aStride', strides[0]!), ...stridesOf('bStride', strides[1]!) };
    engine.run(generalKernels[name], { a, b, out, size1, size2, size3, ...walks });
    const { saved, gradA, gradB } = RULES[name];
    engine.record(out, [a, b], saved(a, b, out) as Record<string, Tensor | undefined>, (grad, kept, { give }) => {
      give(0, () => sumTo(gradA(grad, kept), a.shape));
      give(1, () => sumTo(gradB(grad, kept), b.shape));
    });
    return out;
  });
}
