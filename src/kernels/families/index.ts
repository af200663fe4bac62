/** The kernels that the library ships, in the order in which they are listed, and those that users register. */
import { InputError } from '../../errors.js';
import { didYouMean } from '../../suggest.js';
import { anyKernel, type Declaration, type Kernel } from '../definition.js';
import { affine } from './affine.js';
import { attention, attentionGradKeyValue, attentionGradQuery } from './attention.js';
import { compose, composeGradPrompts, composeGradWeights } from './compose.js';
import { crossEntropy, crossEntropyGrad } from './cross-entropy.js';
import { gatherRows, scatterAddRows } from './gather-rows.js';
import { groupDot, groupDotGradA, groupDotGradB } from './group-dot.js';
import { layerNorm, layerNormGrad, layerNormGradWeight } from './layer-norm.js';
import { matmul } from './matmul.js';
import { normalizeRows, normalizeRowsGrad } from './normalize-rows.js';
import { adamW, sgd } from './optimizers.js';
import { patchRows } from './patch-rows.js';
import { softmax, softmaxGrad } from './softmax.js';
import { broadcastRows, sumRows } from './sum-rows.js';

/** Kernels by name. */
export const kernels = {
  matmul,
  layerNorm,
  layerNormGrad,
  layerNormGradWeight,
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

const registered = new Map<string, Kernel>(
  Object.entries(kernels).map(([name, one]) => [name, one as unknown as Kernel]),
);

/** Every kernel: those that the library ships, then the registered ones. */
export function allKernels(): readonly Kernel[] {
  return [...registered.values()];
}

/** The kernel of this name. Throws InputError, with the name that may have been meant. */
export function kernelNamed(name: string): Kernel {
  const found = registered.get(name);
  if (found) return found;
  throw new InputError(
    `no kernel ${name}${didYouMean(name, registered.keys())}; expected one of ${[...registered.keys()].join(', ')}`,
  );
}

/**
 * Adds kernels to those that the profiler, the tuner, the laboratory and the suites know by name. A kernel runs without it. Throws Error if another
 * has its name.
 */
export function registerKernels<D extends Declaration>(...added: readonly Kernel<D>[]): void {
  for (const one of added) {
    const known = registered.get(one.name);
    if (known && known !== anyKernel(one)) throw new Error(`registerKernels: there is a kernel ${one.name} already`);
    registered.set(one.name, anyKernel(one));
  }
}
