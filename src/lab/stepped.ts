/**
 * Kernels that can be stepped through: shipped variants whose tiles are made small enough to be drawn, on cases whose numbers are short enough to be
 * read. Nothing else of their texts differs from shaders/.
 */
import {
  type AnyArgs,
  type Covers,
  caseOf,
  type Kernel,
  type KernelCase,
  kernelNamed,
  type Sizes,
} from '../kernels/index.js';
import { shippedVariant, variantText } from './starter.js';

/** A buffer as a matrix. */
export interface SteppedMatrix {
  readonly buffer: string;
  readonly title: string;
  readonly rows: number;
  readonly columns: number;
  /** Words from one row to the next, and before the first. */
  readonly stride: number;
  readonly offset: number;
}

/** Workgroup memory as a grid. */
export interface SteppedMemory {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
}

/** A variant that can be stepped through. */
export interface Stepped {
  /** For people to choose by, and in addresses. */
  readonly name: string;
  readonly kernel: string;
  readonly variant: string;
  readonly sizes: Sizes;
  /** A workgroup's share of the work, made smaller with the text. */
  readonly covers: Covers;
  /** What is smaller than in the shipped text, each once in it. */
  readonly smaller: readonly (readonly [shipped: string, shown: string])[];
  /** Variables of a lane that its result is made of. */
  readonly sums: readonly string[];
  readonly matrices: readonly SteppedMatrix[];
  readonly memories: readonly SteppedMemory[];
}

const [M, N, K] = [16, 16, 8];

const matrix = (buffer: string, title: string, rows: number, columns: number): SteppedMatrix => ({
  ...{ buffer, title, rows, columns, stride: columns, offset: 0 },
});

function product(
  variant: string,
  covers: Covers,
  smaller: Stepped['smaller'],
  memories: readonly SteppedMemory[] = [],
): Stepped {
  return {
    ...{ name: `matmul, ${variant}`, kernel: 'matmul', variant, covers, smaller, memories, sums: ['sum'] },
    sizes: { m: M, n: N, k: K, transposeB: 0 },
    matrices: [matrix('a', 'A', M, K), matrix('b', 'B', K, N), matrix('out', 'out', M, N)],
  };
}

const [QUERIES, WIDTH] = [10, 8];
const part = (buffer: string, title: string, at: number): SteppedMatrix => ({
  ...matrix(buffer, title, QUERIES, WIDTH),
  ...{ stride: 3 * WIDTH, offset: at * WIDTH },
});

/** All that can be stepped through. */
export const STEPPED: readonly Stepped[] = [
  product('naive', [4, 4], [['@workgroup_size(16, 16)', '@workgroup_size(4, 4)']]),
  product('registers', [16, 16], [['@workgroup_size(16, 4)', '@workgroup_size(4, 2)']]),
  product(
    'tiled',
    [16, 16],
    [
      ['const TILE = 64u;', 'const TILE = 16u;'],
      ['const SLICE = 16u;', 'const SLICE = 4u;'],
      ['const SIDE = 16u;', 'const SIDE = 4u;'],
      ['a_tile: array<f32, 1024>', 'a_tile: array<f32, 64>'],
      ['b_tile: array<f32, 1024>', 'b_tile: array<f32, 64>'],
      ['@workgroup_size(16, 16)', '@workgroup_size(4, 4)'],
    ],
    [
      { name: 'a_tile', rows: 4, columns: 16 },
      { name: 'b_tile', rows: 4, columns: 16 },
    ],
  ),
  {
    ...{ name: 'attention, workgroup', kernel: 'attention', variant: 'workgroup', covers: 1 },
    sizes: { whole: 1, sequences: 1, prefix: QUERIES, suffixes: 0, heads: 1, headWidth: WIDTH },
    smaller: [
      ['const LANES = 64u;', 'const LANES = 8u;'],
      ['probability: array<f32, 64>', 'probability: array<f32, 8>'],
      ['@workgroup_size(64)', '@workgroup_size(8)'],
    ],
    sums: ['score', 'largest', 'denominator', 'sum'],
    matrices: [
      part('q', 'q', 0),
      part('k', 'k', 1),
      part('v', 'v', 2),
      matrix('visible', 'visible', QUERIES, 4),
      matrix('out', 'out', QUERIES, WIDTH),
      matrix('log_sum_exp', 'log_sum_exp', QUERIES, 1),
    ],
    memories: [
      { name: 'probability', rows: 1, columns: 8 },
      { name: 'reduce_scratch', rows: 1, columns: 8 },
    ],
  },
];

/** A text, and the lines in it that differ from the shipped one. */
export interface SteppedText {
  readonly text: string;
  /** From 1. */
  readonly smaller: readonly number[];
}

/** The text that is stepped through. Throws Error if the shipped one no longer has what is made smaller, or has it more than once. */
export function steppedText({ kernel, variant, smaller }: Stepped): SteppedText {
  const shipped = kernelNamed(kernel);
  let text = variantText(shipped, shippedVariant(shipped, variant));
  const lines: number[] = [];
  for (const [from, to] of smaller) {
    const [before, after, ...more] = text.split(from);
    if (after === undefined || more.length > 0) throw new Error(`${kernel} (${variant}): expected "${from}" once`);
    text = before + to + after;
    lines.push(before!.split('\n').length);
  }
  return { text: text.trimEnd(), smaller: lines };
}

/** The case, with multiples of a quarter in place of its random numbers. */
export function steppedCase({ kernel: name, sizes }: Stepped): KernelCase {
  const kernel: Kernel = kernelNamed(name);
  const usual = caseOf(kernel, sizes);
  return {
    ...usual,
    args(data): AnyArgs {
      let state = 1;
      const quarter = () => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return ((state >>> 16) % 9) / 4 - 1;
      };
      return usual.args({ ...data, real: (length) => data.values(Array.from({ length }, quarter)) });
    },
  };
}

/** One of them by its name; undefined if there is none. */
export function steppedNamed(name: string): Stepped | undefined {
  return STEPPED.find((one) => one.name === name);
}
