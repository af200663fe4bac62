/** Prompt composition and grouped dot products, with their gradients. */
import { kernels } from '../../kernels/index.js';
import type { Tensor } from '../tensor.js';

/**
 * Prompt composition (paper, Eq. 3): out[b, j] = sum over i of weights[b, i, j] prompts[i, j].
 * weights [batch, classes, tokens], prompts [classes, tokens, width], out [batch, tokens, width].
 */
export function compose(weights: Tensor, prompts: Tensor): Tensor {
  const { engine } = prompts;
  const { out } = engine.run(kernels.compose, { weights, prompts });
  engine.record(out, [weights, prompts], { weights, prompts }, (gradOut, saved, { give }) => {
    give(0, () => engine.run(kernels.composeGradWeights, { gradOut, prompts: saved.prompts }).gradWeights);
    give(1, () => engine.run(kernels.composeGradPrompts, { gradOut, weights: saved.weights }).gradPrompts);
  });
  return out;
}

/** out[g, i] = scale * (a[g] . b[g, i]): a [groups, width], b [groups * members, width], out [groups, members]. */
export function groupDot(a: Tensor, b: Tensor, scale = 1): Tensor {
  const { engine } = a;
  const { out } = engine.run(kernels.groupDot, { a, b, scale });
  engine.record(out, [a, b], { a: b.vertex && a, b: a.vertex && b }, (gradOut, saved, { give }) => {
    give(0, () => engine.run(kernels.groupDotGradA, { b: saved.b!, gradOut, scale }).gradA);
    give(1, () => engine.run(kernels.groupDotGradB, { a: saved.a!, gradOut, scale }).gradB);
  });
  return out;
}
