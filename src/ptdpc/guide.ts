/**
 * Two ways in which CLIP's hand-written prompts, with normalised text features z ("anchors"), keep learned prompts from forgetting what they know.
 *
 * KgCoOp (Yao, Zhang and Xu, CVPR 2023, with the cosine of its published code) adds to the loss
 *
 *     weight * mean over classes i of (1 - cos(t_i, z_i))
 *
 * ProGrad (Zhu et al., ICCV 2023) leaves the loss as it is and changes its gradient g: where g points against g_kl, the gradient of
 * the divergence from CLIP's own predictions, lambda times its part along g_kl is taken away.
 */
import {
  add,
  addScaled,
  affine,
  crossEntropy,
  div,
  groupDot,
  mean,
  mul,
  relu,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
} from '../tensor/index.js';

/** How hand-written prompts guide a training. */
export type Guide =
  | { readonly kind: 'kgcoop'; readonly weight: number }
  | { readonly kind: 'prograd'; readonly lambda: number; readonly temperature: number };

/** KgCoOp's penalty, a scalar [1], for the text features [n, joint] of some of `classes` classes and their anchors. */
export function distancePenalty(texts: Tensor, anchors: Tensor, weight: number, classes: number): Tensor {
  const share = (weight * texts.rows) / classes;
  return affine(mean(groupDot(texts, anchors)), -share, share);
}

/** Adds the penalty's gradient to the gradient of the text features. */
export function addPenaltyGradient(gradient: Tensor, anchors: Tensor, weight: number, classes: number): Tensor {
  return addScaled(anchors, gradient, -weight / classes);
}

/**
 * ProGrad's divergence of each image, [images], up to a constant: T^2 times the cross-entropy of softmax(logits / T) with the predictions
 * softmax(teacher / T) of CLIP's own logits [images, classes].
 */
export function divergence(logits: Tensor, teacher: Tensor, temperature: number): Tensor {
  const { engine, rows, columns } = logits;
  const scaled = affine(logits, 1 / temperature);
  const first = Float32Array.from({ length: columns }, (_, c) => Number(c === 0));
  // -sum of q log softmax(z) = log sum exp(z) - q.z, and the first term is the cross-entropy with class 0 plus z_0.
  const ofFirst = crossEntropy(scaled, engine.indices(new Int32Array(rows)));
  const others = sub(softmax(affine(teacher, 1 / temperature)), engine.tensor(first, [columns]));
  const rest = sum(mul(scaled, others), 1);
  return affine(sub(ofFirst, rest), temperature ** 2);
}

/** Replaces the gradient of each parameter by ProGrad's, given the divergence's in the same order. Nothing waits for the device. */
export function turnGradients(parameters: readonly Tensor[], knowledge: readonly Tensor[], lambda: number): void {
  for (const [i, { vertex, engine }] of parameters.entries()) {
    const grad = vertex?.grad;
    const along = knowledge[i];
    if (!vertex || !grad || !along) continue;
    engine.scope(() => {
      const against = relu(affine(sum(mul(grad, along)), -lambda));
      // A gradient of zero has no direction, and then `against` is zero too.
      const factor = div(against, add(sum(square(along)), TINY));
      vertex.set(add(grad, mul(along, factor)));
    });
  }
}

const TINY = 1e-30;
