/** The matrix product: all orders of operands, all epilogues, both types of the right operand. */
import type { Activation } from '../../kernels/index.js';
import { labKernel } from './lab-kernel.js';

const SHAPES = [
  [1, 1, 1],
  [1, 67, 5],
  [37, 1, 64],
  [7, 13, 1],
  [31, 33, 17],
  [64, 64, 64],
  [65, 129, 67],
  [130, 71, 19],
  // Multiples of 8, which some variants ask for: within a tile, just past one, and a single row.
  [9, 264, 24],
  [3, 8, 8],
  [33, 520, 40],
  [1, 520, 16],
  // Multiples of 4 only, past a tile of 128 rows and of 64 columns, and past a slice of 16 along k.
  [130, 68, 36],
] as const;

const shapes = SHAPES.map(([m, n, k]) => ({ m, n, k }));

const orders = [0, 1].flatMap((transposeA) => [0, 1].map((transposeB) => ({ transposeA, transposeB })));

const epilogues = [
  { bias: 1 },
  { residual: 1 },
  { bias: 1, residual: 1 },
  ...[1, 2].flatMap((activation) => [
    { bias: 1, activation, preActivation: 1 },
    { activation, residual: 1 },
    { activationGrad: activation },
    { activationGrad: activation, residual: 1 },
  ]),
];

const ACTIVATIONS: readonly (Activation | undefined)[] = [undefined, 'quick_gelu', 'gelu'];

export const matmul = labKernel('matmul', {
  equation: 'out = epilogue(alpha * op(a) . op(b)), op(a) [m, k], op(b) [k, n], out [m, n]',
  extents: { m: 1728, n: 2048, k: 512 },
  options: {
    transposeA: 0,
    transposeB: 1,
    alpha: 1,
    half: 0,
    bias: 0,
    activation: 0,
    preActivation: 0,
    activationGrad: 0,
    residual: 0,
  },
  unit: 'element',
  units: ({ m, n }) => [m, n],
  args: (d, { m, n, k, ...on }) => {
    const derivative = ACTIVATIONS[on.activationGrad];
    return {
      m,
      n,
      k,
      transposeA: on.transposeA === 1,
      transposeB: on.transposeB === 1,
      alpha: on.alpha,
      a: d.real(m * k),
      b: on.half ? d.half(k * n) : d.real(k * n),
      out: d.output(m, n),
      bias: on.bias ? d.real(n) : undefined,
      activation: ACTIVATIONS[on.activation],
      preActivation: on.preActivation ? d.output(m, n) : undefined,
      activationGrad: derivative && { activation: derivative, preActivation: d.real(m * n) },
      residual: on.residual ? d.real(m * n) : undefined,
    };
  },
  suite: [
    ...shapes.flatMap((shape) => orders.map((order) => ({ ...shape, ...order, alpha: 0.7 }))),
    ...[
      { m: 5, n: 7, k: 3 },
      { m: 33, n: 65, k: 18 },
      // What comes before alpha and what after shows only if it is not 1.
      { m: 35, n: 264, k: 24, alpha: 0.7 },
    ].flatMap((shape) => epilogues.map((epilogue) => ({ ...shape, ...epilogue }))),
    // Half precision: every shape in both orders, and one with all of an epilogue.
    ...shapes.flatMap((shape) => [0, 1].map((transposeB) => ({ ...shape, transposeB, half: 1, alpha: 0.7 }))),
    { m: 37, n: 24, k: 19, transposeA: 1, transposeB: 0, half: 1 },
    { m: 37, n: 72, k: 16, half: 1, bias: 1, activation: 1, preActivation: 1, residual: 1 },
  ],
});
