/** Every kernel of the contract as the laboratory knows it: sizes, suite, and what a workgroup's share is counted in. */
import type { KernelName } from '../../kernels/index.js';
import { attention, attentionGradKeyValue, attentionGradQuery } from './attention.js';
import { compose, composeGradPrompts, composeGradWeights, groupDot, groupDotGradA, groupDotGradB } from './compose.js';
import { adamW, affine, patchRows, sgd } from './elements.js';
import type { LabKernel } from './lab-kernel.js';
import { matmul } from './matmul.js';
import {
  broadcastRows,
  crossEntropy,
  crossEntropyGrad,
  gatherRows,
  layerNorm,
  layerNormGrad,
  normalizeRows,
  normalizeRowsGrad,
  scatterAddRows,
  softmax,
  softmaxGrad,
  sumRows,
} from './rows.js';

export { type Covers, type LabKernel, type Sizes, sizesText } from './lab-kernel.js';

/** A kernel that is missing here does not type-check. */
export const labKernels: { readonly [K in KernelName]: LabKernel<K> } = {
  matmul,
  layerNorm,
  layerNormGrad,
  attention,
  attentionGradQuery,
  attentionGradKeyValue,
  gatherRows,
  scatterAddRows,
  compose,
  composeGradWeights,
  composeGradPrompts,
  normalizeRows,
  normalizeRowsGrad,
  groupDot,
  groupDotGradA,
  groupDotGradB,
  softmax,
  softmaxGrad,
  crossEntropy,
  crossEntropyGrad,
  affine,
  sumRows,
  broadcastRows,
  patchRows,
  sgd,
  adamW,
};
