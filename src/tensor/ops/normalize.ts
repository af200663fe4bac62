/** Operations that normalise rows (the last axis), with their gradients. */
import { kernels } from '../../kernels/index.js';
import { Tensor } from '../tensor.js';

/** Layer normalisation of x [..., columns] with weight and bias [columns] (Ba, Kiros and Hinton, 2016). */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  const { engine } = x;
  const inputs = [x, weight, bias];
  const { out, statistics } = engine.run(kernels.layerNorm, {
    x,
    weight,
    bias,
    epsilon,
    statistics: engine.differentiates(...inputs),
  });
  engine.record(out, inputs, { x, weight, statistics }, (gradOut, saved, { give, giveInto }) => {
    const forward = { x: saved.x, statistics: saved.statistics!, gradOut };
    giveInto(0, (sum) => engine.run(kernels.layerNormGrad, { ...forward, weight: saved.weight, addend: sum }).gradX);
    if (!weight.vertex && !bias.vertex) return;
    const { gradWeight, gradBias } = engine.run(kernels.layerNormGradWeight, forward);
    give(1, () => gradWeight);
    give(2, () => gradBias);
  });
  return out;
}

/** Rows divided by their Euclidean length; a zero row stays zero and gets no gradient. */
export function normalizeRows(x: Tensor): Tensor {
  const { engine } = x;
  const { out, norm } = engine.run(kernels.normalizeRows, { x });
  engine.record(out, [x], { out, norm }, (gradOut, saved, { give }) => {
    give(0, () => engine.run(kernels.normalizeRowsGrad, { ...saved, gradOut }).gradX);
  });
  return out;
}

/** Softmax over the last axis. */
export function softmax(x: Tensor): Tensor {
  const { engine } = x;
  const { out } = engine.run(kernels.softmax, { x });
  engine.record(out, [x], { out }, (gradOut, saved, { give }) => {
    give(0, () => engine.run(kernels.softmaxGrad, { out: saved.out, gradOut }).gradX);
  });
  return out;
}

/**
 * Cross-entropy of each row of logits [batch, classes] against its label: losses [batch]. Labels given as numbers are checked: throws Error if one is
 * not the number of a class. Those on the device (i32 [batch]) are not: one out of range reads another row's number.
 */
export function crossEntropy(logits: Tensor, labels: Tensor | ArrayLike<number>): Tensor {
  const { engine } = logits;
  const onDevice = labels instanceof Tensor ? labels : engine.indices(checkedLabels(labels, logits.columns));
  const { losses, probabilities } = engine.run(kernels.crossEntropy, { logits, labels: onDevice });
  engine.record(losses, [logits], { probabilities, labels: onDevice }, (gradLosses, saved, { give }) => {
    give(0, () => engine.run(kernels.crossEntropyGrad, { ...saved, gradLosses }).gradLogits);
  });
  return losses;
}

function checkedLabels(labels: ArrayLike<number>, classes: number): ArrayLike<number> {
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes)
      throw new Error(`crossEntropy: expected labels from 0 to ${classes - 1}, found ${label} in row ${row}`);
  }
  return labels;
}
