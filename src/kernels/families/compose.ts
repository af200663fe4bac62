/** Prompt composition (paper, Eq. 3) with its gradients. */
import { kernel, only, reads, writes } from '../definition.js';
import { dot } from './dot.js';

const cases = {
  sizes: { batch: 64, classes: 8, tokens: 8, width: 512 },
  suite: [
    { batch: 1, classes: 1, tokens: 1, width: 1 },
    { batch: 2, classes: 3, tokens: 5, width: 7 },
    { batch: 3, classes: 8, tokens: 9, width: 64 },
    { batch: 5, classes: 2, tokens: 4, width: 67 },
    { batch: 2, classes: 3, tokens: 2, width: 768 },
  ],
} as const;

export const compose = kernel({
  name: 'compose',
  formula: 'out[b, j] = sum over i of weights[b, i, j] * prompts[i, j] (Eq. 3)',
  operands: {
    prompts: reads('classes tokens width'),
    weights: reads('batch classes tokens'),
    out: writes('batch tokens width'),
  },
  twin({ weights, prompts, out, batch, classes, tokens, width }) {
    for (let b = 0; b < batch; b++) {
      for (let j = 0; j < tokens; j++) {
        for (let d = 0; d < width; d++) {
          let sum = 0;
          for (let i = 0; i < classes; i++) {
            sum += weights[(b * classes + i) * tokens + j]! * prompts[(i * tokens + j) * width + d]!;
          }
          out[(b * tokens + j) * width + d] = sum;
        }
      }
    }
  },
  variants: only('compose', 64, 'compose'),
  unit: 'element',
  units: ({ batch, tokens, width }) => batch * tokens * width,
  cases,
});

export const composeGradWeights = kernel({
  name: 'composeGradWeights',
  formula: 'gradWeights[b, i, j] = gradOut[b, j] . prompts[i, j]',
  operands: {
    gradOut: reads('batch tokens width'),
    prompts: reads('classes tokens width'),
    gradWeights: writes('batch classes tokens'),
  },
  twin({ gradOut, prompts, gradWeights, batch, classes, tokens, width }) {
    for (let b = 0; b < batch; b++) {
      for (let i = 0; i < classes; i++) {
        for (let j = 0; j < tokens; j++) {
          const [gradAt, promptAt] = [(b * tokens + j) * width, (i * tokens + j) * width];
          gradWeights[(b * classes + i) * tokens + j] = dot(gradOut, prompts, gradAt, promptAt, width);
        }
      }
    }
  },
  variants: only('compose', 64, 'weights_gradient'),
  unit: 'element',
  units: ({ batch, classes, tokens }) => batch * classes * tokens,
  cases,
});

export const composeGradPrompts = kernel({
  name: 'composeGradPrompts',
  formula: 'gradPrompts[i, j] = sum over b of weights[b, i, j] * gradOut[b, j]',
  operands: {
    gradOut: reads('batch tokens width'),
    weights: reads('batch classes tokens'),
    gradPrompts: writes('classes tokens width'),
  },
  twin({ gradOut, weights, gradPrompts, batch, classes, tokens, width }) {
    for (let i = 0; i < classes; i++) {
      for (let j = 0; j < tokens; j++) {
        for (let d = 0; d < width; d++) {
          let sum = 0;
          for (let b = 0; b < batch; b++) {
            sum += weights[(b * classes + i) * tokens + j]! * gradOut[(b * tokens + j) * width + d]!;
          }
          gradPrompts[(i * tokens + j) * width + d] = sum;
        }
      }
    }
  },
  variants: only('compose', 64, 'prompts_gradient'),
  unit: 'element',
  units: ({ classes, tokens, width }) => classes * tokens * width,
  cases,
});
