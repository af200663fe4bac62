/** The tasks about kernels that the library ships, which go by number too. */
import type { Kernel, Sizes } from '../../kernels/index.js';
import { withoutComments } from '../../kernels/webgpu/wgsl-text.js';
import { type Draft, shippedTask } from './task.js';

const MOST_BARRIERS = 4;
const LEAST_COVERED = 256;

const ROWS: readonly Sizes[] = [
  { rows: 1, columns: 1 },
  { rows: 3, columns: 7 },
  { rows: 5, columns: 65 },
  { rows: 2, columns: 199 },
];
/** Rows whose exponentials overflow or vanish, and such as hold infinities and NaN. */
const FILLED: readonly Sizes[] = [
  ...ROWS,
  ...['large', 'rising', 'negative', 'infinite', 'nan'].flatMap((name) =>
    ROWS.slice(1, 3).map((sizes) => ({ ...sizes, [name]: 1 })),
  ),
];

/** x - log(sum of exp(x)) with x = -1000 rounds to 2^-24 of 1000. */
const SOFTMAX = {
  tolerance: 1e-4,
  why: 'exponentials of numbers around 1000, which single precision rounds by 6e-5, are off by as much',
};

export const fixSoftmax = (softmax: Kernel): Draft =>
  shippedTask(
    {
      number: 1,
      id: 'fix-a-softmax',
      title: 'Fix a softmax',
      file: '1-fix-a-softmax.wgsl',
      minutes: 20,
      statement:
        'The file follows the definition literally and fails on some rows. Look at the inputs of those rows: what is the largest x whose exponential fits in ' +
        'float32? Rows have up to 199 columns, with large numbers, very negative ones, infinities and NaN.',
      hints: [
        'Adding the same number to every element of a row does not change its softmax: choose one that keeps every exponential at 1 or below.',
        'Every row needs its own: a constant will not do, nor will a maximum that starts from 0.',
        'Find the largest x of the row first, then use exp(x - largest) in both loops.',
      ],
      ...SOFTMAX,
    },
    softmax,
    FILLED,
  );

export const removeBarriers = (softmax: Kernel): Draft =>
  shippedTask(
    {
      number: 3,
      id: 'remove-barriers',
      title: 'Remove barriers, safely',
      file: '3-remove-barriers.wgsl',
      minutes: 30,
      statement:
        'There are six barriers; four are enough. For each one, say which write must come before which read, or which read before which write: a barrier that ' +
        'orders neither can go. One barrier too few is a race, which the check finds even where a GPU would hide it.',
      hints: [
        'Two reductions share one scratch array: do they have to?',
        'What does the last barrier of a reduction protect, if the next reduction writes elsewhere?',
        'Give each reduction its own array, and drop the barrier behind `let result = scratch[0]` in both.',
      ],
      ...SOFTMAX,
      condition: ({ text }) => {
        const barriers = withoutComments(text).match(/\bworkgroupBarrier\s*\(/g)?.length ?? 0;
        return barriers > MOST_BARRIERS
          ? `it has ${barriers} barriers; at most ${MOST_BARRIERS} are needed`
          : undefined;
      },
    },
    softmax,
    FILLED,
  );

export const fourElements = (affine: Kernel): Draft =>
  shippedTask(
    {
      number: 4,
      id: 'four-elements-each',
      title: 'Four elements per invocation',
      file: '4-four-elements-each.wgsl',
      minutes: 20,
      statement:
        'Every workgroup has a cost to start. Let each of the 64 invocations compute four elements of out = scale * x + shift + addend, so that a quarter as ' +
        'many workgroups are needed, for vectors of any length. The line `// lab: covers` must say so too.',
      hints: [
        'Which four? Invocations that run together should read adjacent elements: lane, lane + 64, ...',
        'The workgroup begins at 256 times its number. A loop from there in steps of 64, up to 256 further or the end of the vector.',
        'for (var at = first + lane; at < min(first + 256u, params.length); at += 64u) { ... }',
      ],
      condition: ({ variant: { covers } }, invocations) => {
        if (Number(covers) < LEAST_COVERED)
          return `a workgroup covers ${covers} elements; it should be ${LEAST_COVERED}`;
        return invocations === undefined || invocations === 64
          ? undefined
          : `its workgroups have ${invocations} invocations, not 64`;
      },
    },
    affine,
    [1, 63, 67, 256, 1000].flatMap((length) => [{ length }, { length, addend: 1 }]),
  );

const PRODUCTS: readonly Sizes[] = [
  { m: 1, n: 1, k: 1 },
  { m: 5, n: 7, k: 3 },
  { m: 17, n: 16, k: 20, transposeB: 1 },
  { m: 16, n: 33, k: 9, transposeA: 1 },
  { m: 7, n: 19, k: 33, alpha: 0.7 },
];

export const fuseBias = (matmul: Kernel): Draft =>
  shippedTask(
    {
      number: 2,
      id: 'fuse-a-bias',
      title: 'Fuse a bias',
      file: '2-fuse-a-bias.wgsl',
      minutes: 15,
      statement:
        'A linear layer is a product and a bias. As a separate kernel, the bias reads and writes the whole result once more; added when the sum is stored, it ' +
        'costs one load. Bind the buffer bias, [n], and declare the constant HAS_BIAS, which is true when a case has one. alpha scales the product, not the bias.',
      hints: [
        'Declare `override HAS_BIAS: bool = false;` and the buffer at the next binding, read only.',
        'There is a number of bias for each column.',
        'if (HAS_BIAS) { v += bias[column]; } after v = params.alpha * sum.',
      ],
      tolerance: 1e-5,
      why: 'sums of up to 33 products in any order',
    },
    matmul,
    [...PRODUCTS, ...PRODUCTS.map((sizes) => ({ ...sizes, bias: 1 }))],
  );

export const readHalves = (matmul: Kernel): Draft =>
  shippedTask(
    {
      number: 5,
      id: 'read-halves',
      title: 'Read weights in half precision',
      file: '5-read-halves.wgsl',
      minutes: 25,
      statement:
        'CLIP weights are in half precision, and a product that is bound by memory is twice as fast on half the bytes. Declare b as array<u32>, two values per ' +
        'word, the first in the low bits; or, where the adapter has shader-f16, as array<f16>. Sums stay in single precision.',
      hints: [
        'Element i is in word i / 2.',
        'unpack2x16float(word) gives both as a vec2<f32>.',
        'unpack2x16float(b[at / 2u])[at % 2u]',
      ],
      tolerance: 1e-5,
      why: 'sums of up to 33 products in any order',
    },
    matmul,
    PRODUCTS.map((sizes) => ({ ...sizes, half: 1 })),
  );
