/** Prompt composition and grouped dot products, with their gradients. */
import { checkedAxes } from '../shapes.js';
import type { Tensor } from '../tensor.js';

/**
 * Prompt composition (paper, Eq. 3): out[b, j] = sum over i of weights[b, i, j] prompts[i, j].
 * weights [batch, classes, tokens], prompts [classes, tokens, width], out [batch, tokens, width].
 */
export function compose(weights: Tensor, prompts: Tensor): Tensor {
  const { engine } = prompts;
  const sizes = checkedAxes('compose', {
    prompts: [prompts, 'classes tokens width'],
    weights: [weights, 'batch classes tokens'],
  });
  const out = engine.empty([sizes.batch, sizes.tokens, sizes.width]);
  engine.run('compose', { ...sizes, weights: weights.buffer, prompts: prompts.buffer, out: out.buffer });
  engine.record(out, [weights, prompts], { weights, prompts }, (gradOut, saved, { give }) => {
    give(0, () => {
      const gradWeights = engine.empty(weights.shape);
      const args = { gradOut: gradOut.buffer, prompts: saved.prompts.buffer, gradWeights: gradWeights.buffer };
      engine.run('composeGradWeights', { ...sizes, ...args });
      return gradWeights;
    });
    give(1, () => {
      const gradPrompts = engine.empty(prompts.shape);
      const args = { gradOut: gradOut.buffer, weights: saved.weights.buffer, gradPrompts: gradPrompts.buffer };
      engine.run('composeGradPrompts', { ...sizes, ...args });
      return gradPrompts;
    });
  });
  return out;
}

/** out[g, i] = scale * (a[g] . b[g, i]): a [groups, width], b [groups * members, width], out [groups, members]. */
export function groupDot(a: Tensor, b: Tensor, scale = 1): Tensor {
  const { engine } = a;
  const { groups, width, rows } = checkedAxes('groupDot', { a: [a, 'groups width'], b: [b, 'rows width'] });
  const members = rows / groups;
  if (!Number.isInteger(members))
    throw new Error(`groupDot: expected b with a multiple of ${groups} rows, found [${b.shape.join(', ')}]`);
  const sizes = { groups, members, width, scale };
  const out = engine.empty([groups, members]);
  engine.run('groupDot', { ...sizes, a: a.buffer, b: b.buffer, out: out.buffer });
  engine.record(out, [a, b], { a: b.vertex && a, b: a.vertex && b }, (gradOut, saved, { give }) => {
    give(0, () => {
      const gradA = engine.empty(a.shape);
      engine.run('groupDotGradA', { ...sizes, b: saved.b!.buffer, gradOut: gradOut.buffer, gradA: gradA.buffer });
      return gradA;
    });
    give(1, () => {
      const gradB = engine.empty(b.shape);
      engine.run('groupDotGradB', { ...sizes, a: saved.a!.buffer, gradOut: gradOut.buffer, gradB: gradB.buffer });
      return gradB;
    });
  });
  return out;
}
