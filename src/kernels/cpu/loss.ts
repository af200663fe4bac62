/** Twins of the loss and of the two optimisers. */
import type { AdamWArgs, CrossEntropyArgs, CrossEntropyGradArgs, SgdArgs } from '../contract.js';
import { ints, real } from './arrays.js';
import { softmaxRow } from './normalize.js';

export function crossEntropy(args: CrossEntropyArgs): void {
  const { rows, columns } = args;
  const [logits, labels] = [real(args.logits), ints(args.labels)];
  const [losses, probabilities] = [real(args.losses), real(args.probabilities)];
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    losses[row] = softmaxRow(logits, probabilities, at, columns) - logits[at + labels[row]!]!;
  }
}

export function crossEntropyGrad(args: CrossEntropyGradArgs): void {
  const { rows, columns } = args;
  const [probabilities, labels] = [real(args.probabilities), ints(args.labels)];
  const [gradLosses, gradLogits] = [real(args.gradLosses), real(args.gradLogits)];
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < columns; c++) {
      const at = row * columns + c;
      gradLogits[at] = gradLosses[row]! * (probabilities[at]! - (c === labels[row] ? 1 : 0));
    }
  }
}

export function sgd(args: SgdArgs): void {
  const [parameter, grad, velocity] = [real(args.parameter), real(args.grad), real(args.velocity)];
  for (let i = 0; i < args.length; i++) {
    velocity[i] = args.momentum * velocity[i]! + grad[i]!;
    parameter[i]! -= args.learningRate * velocity[i]!;
  }
}

export function adamW(args: AdamWArgs): void {
  const { learningRate, beta1, beta2, epsilon, weightDecay, step } = args;
  const [parameter, grad] = [real(args.parameter), real(args.grad)];
  const [first, second] = [real(args.firstMoment), real(args.secondMoment)];
  const firstCorrection = 1 - beta1 ** step;
  const secondCorrection = 1 - beta2 ** step;
  for (let i = 0; i < args.length; i++) {
    const g = grad[i]!;
    const m = beta1 * first[i]! + (1 - beta1) * g;
    const v = beta2 * second[i]! + (1 - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    const decayed = parameter[i]! * (1 - learningRate * weightDecay);
    parameter[i] = decayed - (learningRate * (m / firstCorrection)) / (Math.sqrt(v / secondCorrection) + epsilon);
  }
}
