/** The kernels of the general operations (docs/tensor-operations.md), which the method does without: plain ones, not tuned. */
import type { Kernel } from '../../definition.js';
import { maxAxis, maxAxisGrad, sumAxis } from './axis.js';
import { batchedMatmul } from './batched-matmul.js';
import { add, div, mul, sub } from './broadcast.js';
import { pointwise, pointwiseGrad } from './pointwise.js';
import { range } from './range.js';
import { stridedCopy } from './strided-copy.js';

/** Those that are not functions of one number (`pointwise`), by name. */
export const generalKernels = { add, sub, mul, div, stridedCopy, sumAxis, maxAxis, maxAxisGrad, batchedMatmul, range };

/** All of them. */
export function allGeneralKernels(): Kernel[] {
  return [generalKernels, pointwise, pointwiseGrad].flatMap((group) => Object.values<unknown>(group)) as Kernel[];
}
