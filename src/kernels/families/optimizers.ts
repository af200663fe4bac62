/** One step of an optimiser, in place. */
import { ELEMENTWISE, kernel, only, reads, updates } from '../definition.js';
import { lengths, ramp } from './shapes.js';

const perElement = { unit: 'element', units: ({ length }: { readonly length: number }) => length } as const;

/** Stochastic gradient descent with momentum as PyTorch's `torch.optim.SGD` defines it. */
export const sgd = kernel({
  name: 'sgd',
  formula: 'velocity = momentum * velocity + grad; parameter -= learningRate * velocity',
  operands: { parameter: updates('...length'), grad: reads('...length'), velocity: updates('...length') },
  scalars: { learningRate: 0.1, momentum: 0.9 },
  twin({ parameter, grad, velocity, learningRate, momentum, length }) {
    for (let i = 0; i < length; i++) {
      velocity[i] = momentum * velocity[i]! + grad[i]!;
      parameter[i]! -= learningRate * velocity[i]!;
    }
  },
  variants: only('sgd', ELEMENTWISE),
  ...perElement,
  cases: {
    sizes: { length: 32_768 },
    data: (d, { length = 0 }) => ({ velocity: d.inPlace(ramp(length, 0.2)) }),
    suite: lengths,
  },
});

/** AdamW (Loshchilov and Hutter, 2019) as PyTorch's `torch.optim.AdamW` defines it; `step` counts from 1. */
export const adamW = kernel({
  name: 'adamW',
  formula: 'AdamW: decoupled weight decay, moments with bias correction, parameter updated in place',
  operands: {
    parameter: updates('...length'),
    grad: reads('...length'),
    firstMoment: updates('...length'),
    secondMoment: updates('...length'),
  },
  scalars: { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, step: 1 },
  // In float64 on the host: 1 - 0.999^step loses half its digits in float32.
  derived: ({ beta1, beta2, step }) => ({ firstCorrection: 1 - beta1 ** step, secondCorrection: 1 - beta2 ** step }),
  twin(args) {
    const { parameter, grad, firstMoment, secondMoment, learningRate, beta1, beta2, epsilon, weightDecay, step } = args;
    const firstCorrection = 1 - beta1 ** step;
    const secondCorrection = 1 - beta2 ** step;
    for (let i = 0; i < args.length; i++) {
      const g = grad[i]!;
      const m = beta1 * firstMoment[i]! + (1 - beta1) * g;
      const v = beta2 * secondMoment[i]! + (1 - beta2) * g * g;
      firstMoment[i] = m;
      secondMoment[i] = v;
      const decayed = parameter[i]! * (1 - learningRate * weightDecay);
      parameter[i] = decayed - (learningRate * (m / firstCorrection)) / (Math.sqrt(v / secondCorrection) + epsilon);
    }
  },
  variants: only('adamw', ELEMENTWISE),
  ...perElement,
  cases: {
    sizes: { length: 32_768 },
    // Gradients and moments of 0, where only epsilon keeps the quotient from being NaN.
    variations: { zeros: 0 },
    data: (d, { length = 0, zeros }) => ({
      firstMoment: d.inPlace(zeros ? new Float32Array(length) : ramp(length, 0.2)),
      secondMoment: d.inPlace(zeros ? new Float32Array(length) : ramp(length, 0.1).map(Math.abs)),
      ...(zeros && { grad: d.values(new Float32Array(length)) }),
    }),
    suite: lengths.flatMap((size) => [
      { ...size, step: 1 },
      { ...size, step: 7 },
      { ...size, zeros: 1 },
    ]),
  },
});
