/**
 * The matrix product: all orders of operands, all epilogues, both types of the right operand. The twin is written to be read, with one concession
 * to speed: rows of the left operand are processed four at a time, so that each element of the right operand is loaded once for four products.
 * Sums are kept in float64.
 */
import {
  type ArgsOf,
  type DType,
  kernel,
  optional,
  reads,
  readsWeights,
  type Sizes,
  type TuningWork,
  type TwinArgs,
  type Variant,
  writes,
} from '../definition.js';
import { ACTIVATIONS, activate, activationDerivative } from './activation.js';
import { ramp } from './shapes.js';

const operands = {
  a: reads('...m k', { swappedBy: 'transposeA' }),
  /** f32 or f16; everything else is f32. */
  b: readsWeights('...k n', { swappedBy: 'transposeB' }),
  /** Added to every row. */
  bias: optional(reads('n')),
  /** Added last. */
  residual: optional(reads('...m n')),
  /** The result is multiplied by the derivative of `activationGrad` at this (the activation's backward pass). */
  gradPreActivation: optional(reads('...m n'), 'activationGrad'),
  out: writes('...m n'),
  /** The value before the activation, which the gradient needs. */
  preActivation: optional(writes('...m n')),
} as const;
const scalars = { alpha: 1 };
/** `activation`, `activationGrad`: see activation.ts; `relu`: what is negative in the end becomes 0. */
const options = { transposeA: 0, transposeB: 1, activation: 0, activationGrad: 0, relu: 0 };

type MatmulDeclaration = { operands: typeof operands; scalars: typeof scalars; options: typeof options };
/** Arguments of the matrix product. */
export type MatmulArgs = ArgsOf<MatmulDeclaration>;

const QUADS = 'n % 4 == 0, k % 4 == 0, transposeA == 0';
/** Sums that run along k in order. */
const IN_ORDER = 'in order';

/** One shader in tiles of several sizes: small tiles fill a GPU with a small product, large ones read less. */
function blocks(name: string, rows: number, columns: number, more: { slice?: number; parts?: number } = {}): Variant {
  const { slice = 16, parts = 1 } = more;
  return {
    name,
    wgsl: 'matmul_singles',
    covers: [rows, columns],
    constants: { tileRows: rows, tileColumns: columns, slice, parts },
    needs: QUADS,
    instead: 'tiled',
    ...(parts === 1 && { sums: IN_ORDER }),
  };
}

/** By matrices that subgroups hold; how a device rounds within one is its own affair. */
function matrices(name: string, wgsl: string, needs: string): Variant {
  return { name, wgsl, covers: [64, 64], needs: `${needs}, ${QUADS}`, instead: 'blocks64x64', sums: name };
}

/** The ladder, from the plainest to the most elaborate. */
const variants: readonly Variant[] = [
  { name: 'naive', wgsl: 'matmul_naive', covers: [16, 16], sums: IN_ORDER },
  { name: 'registers', wgsl: 'matmul_registers', covers: [32, 64], sums: IN_ORDER },
  { name: 'tiled', wgsl: 'matmul_tiled', covers: [64, 64], sums: IN_ORDER },
  {
    name: 'fewRows',
    wgsl: 'matmul_rows',
    covers: [8, 16],
    needs: QUADS,
    instead: 'tiled',
    sums: IN_ORDER,
    hardware: true,
  },
  blocks('blocks32x32', 32, 32),
  blocks('blocks64x64', 64, 64),
  blocks('blocks128x64', 128, 64),
  {
    ...blocks('halves', 128, 64),
    wgsl: 'matmul_halves',
    needs: `shaderF16 == 1, halfB == 1, ${QUADS}`,
    sums: 'of halves',
    tolerance: 1e-3,
  },
  // Slices half as deep, so that four of them fit in the workgroup memory that every adapter has.
  { ...blocks('splitK', 32, 32, { slice: 8, parts: 4 }), hardware: true },
  matrices('matrices', 'matmul_matrix_singles', 'matrixF32x8 == 1'),
  {
    ...matrices('matrixHalves', 'matmul_matrix_halves', 'matrixF16x16 == 1, shaderF16 == 1, halfB == 1'),
    tolerance: 1e-3,
  },
  {
    name: 'subgroup',
    wgsl: 'matmul_subgroup',
    covers: [32, 256],
    needs: 'subgroupSize >= 8, n % 8 == 0, k % 8 == 0, transposeA == 0',
    instead: 'registers',
  },
];

/** Workgroups that keep a large GPU busy: an H200 has 132 multiprocessors. */
const BUSY = 128;

/**
 * The largest tile of which a product has enough to keep a GPU busy, or the smallest. It may depend on the number of rows: blocks of all
 * sizes add up in the same order, and give the same bits.
 */
export function blocksFor({ m, n }: Pick<MatmulArgs, 'm' | 'n'>): string {
  const tiles = [
    [128, 64],
    [64, 64],
  ] as const;
  const enough = tiles.find(([rows, columns]) => Math.ceil(m / rows) * Math.ceil(n / columns) >= BUSY);
  return enough ? `blocks${enough[0]}x${enough[1]}` : 'blocks32x32';
}

/** What determines a product's class. */
export type ProductKind = Pick<MatmulArgs, 'n' | 'k' | 'transposeA' | 'transposeB'> & {
  readonly b: { readonly dtype: DType };
};

/**
 * Products of the same operand order and right operand's type, with n and k within a factor of two, form one class, named after
 * the largest, e.g. `nt f16 4096x1024`. The number of rows must not matter: variants add up in different orders, and an image's features
 * would depend on how many others are computed with it.
 */
export function shapeClass({ n, k, b, transposeA, transposeB }: ProductKind): string {
  return `${orderOf({ transposeA, transposeB })} ${b.dtype} ${powerAbove(n)}x${powerAbove(k)}`;
}

function orderOf({ transposeA, transposeB }: Pick<MatmulArgs, 'transposeA' | 'transposeB'>): string {
  return `${transposeA ? 't' : 'n'}${transposeB ? 't' : 'n'}`;
}

function powerAbove(size: number): number {
  return 2 ** Math.ceil(Math.log2(size));
}

/** Row counts that a product is measured with: those of features or pictures' first rows, of one text or image, of a few, of a batch. */
const ROWS = [8, 32, 256, 2048];

/** In this order: first those on which a variant that is far too slow shows it soonest, neither idle for want of rows nor minutes long. */
const ROWS_MEASURED = [256, 2048, 32, 8];

/** A product with up to twice as many rows as one that is measured goes by its name. */
export function rowsClass({ m }: Pick<MatmulArgs, 'm'>): string {
  return `m ${ROWS.find((rows) => m <= 2 * rows) ?? ROWS.at(-1)}`;
}

/** One product of each class, with single- and with half-precision weights, each with all row counts. */
function tuningCases({ layers }: TuningWork): Sizes[][] {
  const classes = new Map<string, Sizes[]>();
  for (const { n, k, transposeB } of layers) {
    for (const half of [0, 1]) {
      const name = shapeClass({ n, k, transposeB, b: { dtype: half ? 'f16' : 'f32' } });
      if (!classes.has(name))
        classes.set(
          name,
          ROWS_MEASURED.map((m) => ({ m, n, k, transposeB: Number(transposeB), half })),
        );
    }
  }
  return [...classes.values()];
}

/** A multiplication and an addition for each term of each element. */
export function matmulFlops({ m, n, k }: Pick<MatmulArgs, 'm' | 'n' | 'k'>): number {
  return 2 * m * n * k;
}

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
  // Whole tiles only, two and more of the widest: where tiles overlap, the last columns are missing.
  [128, 512, 8],
  // Multiples of 4 only, past a tile of 128 rows and of 64 columns, and past a slice of 16 along k.
  [130, 68, 36],
  // Sums as long as a tower is wide; longer ones, added up in order as some variants do, would need a tolerance of their own.
  [5, 16, 768],
  [2, 8, 1032],
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
  { bias: 1, relu: 1 },
  { bias: 1, residual: 1, relu: 1 },
];

export const matmul = kernel({
  name: 'matmul',
  formula: 'out = epilogue(alpha * op(a) . op(b)), op(a) [m, k], op(b) [k, n], out [m, n]',
  operands,
  scalars,
  options,
  twin: product,
  variants,
  unit: 'element',
  units: ({ m, n }) => [m, n],
  // A software adapter has no fast workgroup memory, and pays for each barrier and each instruction; on an H200, blocks are twice as fast as `tiled`.
  prefer: (args, software) => (software ? 'subgroup' : blocksFor(args)),
  classOf: shapeClass,
  rowsClassOf: rowsClass,
  tuning: tuningCases,
  flops: matmulFlops,
  shapeOf: (args) => `${orderOf(args)} ${args.m}x${args.n}x${args.k}`,
  notes: {
    b: 'in single precision, or as halves two per word, the first in the low bits',
    gradPreActivation: 'where the derivative of an activation is taken',
    preActivation: 'the value before the activation, kept for the gradient',
  },
  cases: {
    sizes: { m: 1728, n: 2048, k: 512 },
    // 1: zeros in a column of the left operand, NaN in the row of the right one that they meet: 0 times NaN is NaN. 2: NaN where the second row of the
    // left one begins, which the first row may not see; 3: where the last one begins, which is read again for rows past the end.
    variations: { nan: 0 },
    data(d, { m = 0, n = 0, k = 0, nan }) {
      if (!nan) return {};
      if (nan > 1) return { a: d.values(ramp(m * k, 1).with(nan === 2 ? k : (m - 1) * k, Number.NaN)) };
      return {
        a: d.values(ramp(m * k, 1).map((value, i) => (i % k === 3 ? 0 : value))),
        b: d.values(ramp(n * k, 1).with(k + 3, Number.NaN)),
      };
    },
    suite: [
      ...[8, 12].flatMap((k) => [1, 2].map((nan) => ({ m: 5, n: 8, k, nan }))),
      ...shapes.flatMap((shape) => orders.map((order) => ({ ...shape, ...order, alpha: 0.7 }))),
      ...[
        { m: 5, n: 7, k: 3 },
        { m: 33, n: 65, k: 18 },
        // What comes before alpha and what after shows only if it is not 1.
        { m: 35, n: 264, k: 24, alpha: 0.7 },
      ].flatMap((shape) => epilogues.map((epilogue) => ({ ...shape, ...epilogue }))),
      // Two slices of `fewRows` and a part of one, and rows for all of an invocation's loads.
      ...[0, 1].map((transposeB) => ({ m: 7, n: 36, k: 268, transposeB, alpha: 0.7 })),
      // Half precision: every shape in both orders, and one with all of an epilogue.
      ...shapes.flatMap((shape) => [0, 1].map((transposeB) => ({ ...shape, transposeB, half: 1, alpha: 0.7 }))),
      { m: 37, n: 24, k: 19, transposeA: 1, transposeB: 0, half: 1 },
      { m: 37, n: 72, k: 16, half: 1, bias: 1, activation: 1, preActivation: 1, residual: 1 },
      { m: 5, n: 8, k: 12, transposeB: 0, nan: 3 },
    ],
  },
});

const ROWS_AT_ONCE = 4;

/**
 * `v = alpha * (op(a) . op(b)) + bias`, then in this order, each only if given: `preActivation = v`, `v = activation(v)`,
 * `v *= activationGrad'(gradPreActivation)`, `v += residual`, `v = relu(v)`; `out = v`.
 */
function product(args: TwinArgs<MatmulDeclaration>): void {
  const { a, b, m, n, k, alpha } = args;
  const store = epilogue(args);

  // Both operands are read along k: element (i, p) of op(a) is a[i * aRow + p * aStep], (p, j) of op(b) is b[j * bColumn + p * bStep].
  const [aRow, aStep] = args.transposeA ? [1, m] : [k, 1];
  const [bColumn, bStep] = args.transposeB ? [k, 1] : [1, n];

  for (let i = 0; i < m; i += ROWS_AT_ONCE) {
    const rows = Math.min(ROWS_AT_ONCE, m - i);
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

/** Stores an element after its epilogue. */
function epilogue(args: TwinArgs<MatmulDeclaration>): (row: number, column: number, value: number) => void {
  const { n, out, bias, preActivation, gradPreActivation, residual } = args;
  const activation = ACTIVATIONS[Number(args.activation ?? 0)];
  const derivative = ACTIVATIONS[Number(args.activationGrad ?? 0)];
  return (row, column, value) => {
    const at = row * n + column;
    let v = value;
    if (bias) v += bias[column]!;
    if (preActivation) preActivation[at] = v;
    if (activation) v = activate(activation, v);
    if (derivative) v *= activationDerivative(derivative, gradPreActivation![at]!);
    if (residual) v += residual[at]!;
    if (args.relu && v < 0) v = 0;
    out[at] = v;
  };
}
