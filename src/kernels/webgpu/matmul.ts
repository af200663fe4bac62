/**
 * The variants of the matrix product and the choice between them. All variants have the same launch and pass the same
 * tests; the tuning table chooses one for each product on this adapter.
 */
import type { Activation, DeviceBuffer, MatmulArgs } from '../contract.js';
import type { Launch, ShaderFile } from './launch.js';

/** A variant's files, and what it supports. */
export interface MatmulVariant {
  /** The files before the entry point's, for a right operand of this type. */
  prelude: (b: 'f32' | 'f16') => readonly ShaderFile[];
  /** The entry point's file. */
  file: ShaderFile;
  /** Rows and columns of the result that one workgroup computes. */
  tile: readonly [number, number];
  /** What n and k must be multiples of, with a left operand that is not transposed; undefined if it supports all. */
  step?: number;
  /** Its pipeline constants, computed from that tile. */
  constants?: (tile: readonly [number, number]) => Readonly<Record<string, number>>;
}

const scalar = (b: 'f32' | 'f16') => ['activation', 'matmul_common', 'matmul_scalar', `matmul_scalar_${b}`] as const;
const subgroup = (b: 'f32' | 'f16') =>
  ['enable_subgroups', 'activation', 'matmul_common', `matmul_subgroup_${b}`] as const;

const quads = (b: 'f32' | 'f16') => ['activation', 'matmul_common', `matmul_quads_${b}`] as const;

/** One shader in tiles of several sizes: small tiles fill a GPU with a small product, large ones read less. */
const blocks = (rows: number, columns: number) =>
  ({
    prelude: quads,
    file: 'matmul_blocks',
    tile: [rows, columns],
    step: 4,
    constants: ([TILE_ROWS, TILE_COLUMNS]) => ({ TILE_ROWS, TILE_COLUMNS }),
  }) as const satisfies MatmulVariant;

/** The ladder, from the plainest to the most elaborate. */
export const matmulVariants = {
  naive: { prelude: scalar, file: 'matmul_naive', tile: [16, 16] },
  registers: { prelude: scalar, file: 'matmul_registers', tile: [32, 64] },
  tiled: { prelude: scalar, file: 'matmul_tiled', tile: [64, 64] },
  blocks32x32: blocks(32, 32),
  blocks64x64: blocks(64, 64),
  blocks128x64: blocks(128, 64),
  subgroup: { prelude: subgroup, file: 'matmul_subgroup', tile: [32, 256], step: 8 },
} as const satisfies Record<string, MatmulVariant>;

/** Name of a variant of the matrix product. */
export type MatmulVariantName = keyof typeof matmulVariants;

/** Which variant to use: a default, and exceptions by the product's class (see `shapeClass`). */
export interface MatmulTuning {
  /** `blocks`: tiles of the size that suits the product. */
  fallback: MatmulVariantName | 'blocks';
  byClass: Readonly<Record<string, MatmulVariantName>>;
}

/**
 * The default without measurements. Hardware uses blocks (see `blocksFor`): on an NVIDIA H200 they are twice as fast as `tiled`. A software adapter
 * has no fast workgroup memory, and pays for each barrier and each instruction.
 */
export function defaultMatmul(software: boolean): MatmulTuning {
  return { fallback: software ? 'subgroup' : 'blocks', byClass: {} };
}

/** Workgroups that keep a large GPU busy: an H200 has 132 multiprocessors. */
const BUSY = 128;

/**
 * The largest tile of which a product has enough to keep a GPU busy, or the smallest. It may depend on the number of rows: blocks of all
 * sizes add up in the same order, and give the same bits.
 */
function blocksFor({ m, n }: Pick<MatmulArgs, 'm' | 'n'>): MatmulVariantName {
  const enough = (['blocks128x64', 'blocks64x64'] as const).find((name) => {
    const [rows, columns] = matmulVariants[name].tile;
    return Math.ceil(m / rows) * Math.ceil(n / columns) >= BUSY;
  });
  return enough ?? 'blocks32x32';
}

/** What determines a product's class. */
export type ProductKind = Pick<MatmulArgs, 'n' | 'k' | 'transposeA' | 'transposeB'> & {
  readonly b: Pick<DeviceBuffer, 'dtype'>;
};

/**
 * Products of the same operand order and right operand's type, with n and k within a factor of two, form one class, named after
 * the largest, e.g. `nt f16 4096x1024`. The number of rows must not matter: variants add up in different orders, and an image's features
 * would depend on how many others are computed with it.
 */
export function shapeClass({ n, k, b, transposeA, transposeB }: ProductKind): string {
  const order = `${transposeA ? 't' : 'n'}${transposeB ? 't' : 'n'}`;
  return `${order} ${b.dtype} ${powerAbove(n)}x${powerAbove(k)}`;
}

function powerAbove(size: number): number {
  return 2 ** Math.ceil(Math.log2(size));
}

/**
 * The tuning table's choice for the product's class, else the fallback. If that does not support this product on this adapter, `tiled` replaces
 * blocks and `registers` the others.
 */
export function chooseMatmul(tuning: MatmulTuning, args: MatmulArgs, subgroupSize: number): MatmulVariantName {
  const { byClass, fallback } = tuning;
  const choice = byClass[shapeClass(args)] ?? (fallback === 'blocks' ? blocksFor(args) : fallback);
  if (suitsMatmul(choice, args, subgroupSize)) return choice;
  return inBlocks(choice) ? 'tiled' : 'registers';
}

function inBlocks(variant: MatmulVariantName): boolean {
  return matmulVariants[variant].file === 'matmul_blocks';
}

/** Whether a variant supports this product. `subgroupSize` is the adapter's smallest, 0 without subgroups. */
export function suitsMatmul(
  variant: MatmulVariantName,
  { n, k, transposeA }: Pick<MatmulArgs, 'n' | 'k' | 'transposeA'>,
  subgroupSize: number,
): boolean {
  if (variant === 'subgroup' && subgroupSize < 8) return false;
  const { step }: MatmulVariant = matmulVariants[variant];
  return step === undefined || (n % step === 0 && k % step === 0 && !transposeA);
}

const ACTIVATION_CODE: Record<Activation, number> = { quick_gelu: 1, gelu: 2 };

export function activationCode(activation: Activation | undefined): number {
  return activation ? ACTIVATION_CODE[activation] : 0;
}

export function launchMatmul(variantName: MatmulVariantName, args: MatmulArgs): Launch {
  const { m, n, k, alpha = 1 } = args;
  const { prelude, file, tile, constants }: MatmulVariant = matmulVariants[variantName];
  const half = args.b.dtype === 'f16';
  return {
    files: [...prelude(half ? 'f16' : 'f32'), file],
    halves: half ? 'b' : undefined,
    entryPoint: 'main',
    constants: {
      TRANSPOSE_A: Number(args.transposeA ?? false),
      TRANSPOSE_B: Number(args.transposeB ?? false),
      HAS_BIAS: Number(args.bias !== undefined),
      HAS_RESIDUAL: Number(args.residual !== undefined),
      ACTIVATION: activationCode(args.activation),
      ACTIVATION_GRAD: activationCode(args.activationGrad?.activation),
      STORE_PRE_ACTIVATION: Number(args.preActivation !== undefined),
      ...constants?.(tile),
    },
    params: { m, n, k, alpha },
    buffers: {
      a: args.a,
      b: args.b,
      bias: args.bias,
      residual: args.residual,
      grad_pre_activation: args.activationGrad?.preActivation,
      out: args.out,
      pre_activation: args.preActivation,
    },
    workgroups: [Math.ceil(n / tile[1]), Math.ceil(m / tile[0])],
  };
}
