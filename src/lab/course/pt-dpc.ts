/** PT-DPC, the method of this library, kernel by kernel: docs/method.md has its equations. */
import { reads, readsIndices, writes } from '../../kernels/index.js';
import { labelled } from './layer-gradients.js';
import { logSumExp } from './normalisation.js';
import { byRow, ROWS, SUMS } from './reductions.js';
import { numbers, task, track } from './task.js';

const COMPOSED = [
  { batch: 1, classes: 1, tokens: 1, width: 1 },
  { batch: 2, classes: 3, tokens: 5, width: 7 },
  { batch: 3, classes: 4, tokens: 2, width: 17 },
];

export const ptDpc = track(
  'pt-dpc',
  'PT-DPC',
  'The method of this library, kernel by kernel: a picture weighs the prompts of all classes, and one prompt is composed of them. docs/method.md has the equations.',
  [
    task({
      id: 'cosines',
      title: 'Cosines of pictures and tokens',
      minutes: 10,
      statement:
        'The cosine of a picture feature and a prompt token is their dot product, divided by both lengths. Neither has length one.',
      hints: [
        'ff and pp are the squares of the lengths.',
        'Two square roots, or one of the product.',
        'along / sqrt(ff * pp)',
      ],
      ...SUMS,
      operands: { f: reads('batch width'), p: reads('tokens width'), out: writes('batch tokens') },
      covers: [8, 8],
      units: ({ batch, tokens }) => [batch, tokens],
      twin({ f, p, out, batch, tokens, width }) {
        for (let b = 0; b < batch; b++) {
          for (let t = 0; t < tokens; t++) {
            let [along, ff, pp] = [0, 0, 0];
            for (let d = 0; d < width; d++) {
              along += f[b * width + d]! * p[t * width + d]!;
              ff += f[b * width + d]! ** 2;
              pp += p[t * width + d]! ** 2;
            }
            out[b * tokens + t] = along / Math.sqrt(ff * pp);
          }
        }
      },
      cases: [
        { batch: 1, tokens: 1, width: 1 },
        { batch: 3, tokens: 9, width: 7 },
        { batch: 10, tokens: 17, width: 20 },
      ],
    }),
    task({
      id: 'half-weights',
      title: 'Weights from cosines',
      minutes: 5,
      statement:
        'A weight is half of (cosine + 1), so that it lies between 0 and 1 and a token that points the other way counts nothing.',
      hints: ['Add 1 first.', 'Constants of type f32: 0.5, 1.0.', '0.5 * (cosines[i] + 1.0)'],
      operands: { cosines: reads('length'), out: writes('length') },
      covers: 64,
      units: ({ length }) => length,
      twin({ cosines, out, length }) {
        for (let i = 0; i < length; i++) out[i] = (cosines[i]! + 1) / 2;
      },
      cases: [{ length: 1 }, { length: 65 }, { length: 200 }],
    }),
    task({
      id: 'compose-prompt',
      title: 'Compose the prompt',
      minutes: 15,
      statement:
        'Token j of the composed prompt of picture b is the sum over the classes of weights[b, i, j] * prompts[i, j] (Eq. 3). The file adds up the tokens without the weights.',
      hints: [
        'Which weight belongs to picture b, class i, token j?',
        'weights is stored as [batch, classes, tokens].',
        'weights[(b * params.classes + i) * params.tokens + j]',
      ],
      ...SUMS,
      operands: {
        weights: reads('batch classes tokens'),
        prompts: reads('classes tokens width'),
        out: writes('batch tokens width'),
      },
      covers: 64,
      units: ({ batch, tokens, width }) => batch * tokens * width,
      twin({ weights, prompts, out, batch, classes, tokens, width }) {
        for (let at = 0; at < batch * tokens * width; at++) {
          const [d, j, b] = [at % width, Math.floor(at / width) % tokens, Math.floor(at / (width * tokens))];
          let sum = 0;
          for (let i = 0; i < classes; i++)
            sum += weights[(b * classes + i) * tokens + j]! * prompts[(i * tokens + j) * width + d]!;
          out[at] = sum;
        }
      },
      cases: COMPOSED,
    }),
    task({
      id: 'grad-weights',
      title: 'Gradient through the weights',
      minutes: 15,
      statement:
        'Each weight multiplied a whole token. Its gradient is the dot product of that token with grad_out of the composed token.',
      hints: [
        'A loop over the width.',
        'grad_out has no classes: [batch, tokens, width].',
        'sum += grad_out[(b * params.tokens + j) * params.width + d] * prompts[(i * params.tokens + j) * params.width + d];',
      ],
      ...SUMS,
      operands: {
        gradOut: reads('batch tokens width'),
        prompts: reads('classes tokens width'),
        gradWeights: writes('batch classes tokens'),
      },
      covers: 64,
      units: ({ batch, classes, tokens }) => batch * classes * tokens,
      twin({ gradOut, prompts, gradWeights, batch, classes, tokens, width }) {
        for (let at = 0; at < batch * classes * tokens; at++) {
          const [j, i, b] = [at % tokens, Math.floor(at / tokens) % classes, Math.floor(at / (tokens * classes))];
          let sum = 0;
          for (let d = 0; d < width; d++)
            sum += gradOut[(b * tokens + j) * width + d]! * prompts[(i * tokens + j) * width + d]!;
          gradWeights[at] = sum;
        }
      },
      cases: COMPOSED,
    }),
    task({
      id: 'grad-prompts',
      title: 'Gradient through the composition',
      minutes: 15,
      statement:
        'The prompts are shared by all pictures of a batch: their gradient is a sum over the pictures, each by its weight. The file takes the first picture only.',
      hints: [
        'A loop over b.',
        'Both indices begin with b.',
        'sum += weights[(b * params.classes + i) * params.tokens + j] * grad_out[(b * params.tokens + j) * params.width + d];',
      ],
      ...SUMS,
      operands: {
        gradOut: reads('batch tokens width'),
        weights: reads('batch classes tokens'),
        gradPrompts: writes('classes tokens width'),
      },
      covers: 64,
      units: ({ classes, tokens, width }) => classes * tokens * width,
      twin({ gradOut, weights, gradPrompts, batch, classes, tokens, width }) {
        for (let at = 0; at < classes * tokens * width; at++) {
          const [d, j, i] = [at % width, Math.floor(at / width) % tokens, Math.floor(at / (width * tokens))];
          let sum = 0;
          for (let b = 0; b < batch; b++)
            sum += weights[(b * classes + i) * tokens + j]! * gradOut[(b * tokens + j) * width + d]!;
          gradPrompts[at] = sum;
        }
      },
      cases: COMPOSED,
    }),
    task({
      id: 'grad-cosine',
      title: 'Gradient of a cosine',
      minutes: 25,
      statement:
        'The cosine c of f and p changes with the direction of p, not with its length: grad_p = grad * (f / (|f| |p|) - c * p / |p|^2). The file has the first term.',
      hints: [
        'c is along * factor.',
        'The second term takes away what points along p.',
        'grad[row] * (factor * f[d] - along * factor * p[at + d] / pp)',
      ],
      ...SUMS,
      operands: { f: reads('width'), p: reads('rows width'), grad: reads('rows'), gradP: writes('rows width') },
      ...byRow,
      twin({ f, p, grad, gradP, rows, width }) {
        for (let row = 0; row < rows; row++) {
          const at = row * width;
          let [along, ff, pp] = [0, 0, 0];
          for (let d = 0; d < width; d++) {
            along += f[d]! * p[at + d]!;
            ff += f[d]! ** 2;
            pp += p[at + d]! ** 2;
          }
          const factor = 1 / Math.sqrt(ff * pp);
          for (let d = 0; d < width; d++)
            gradP[at + d] = grad[row]! * (factor * f[d]! - (along * factor * p[at + d]!) / pp);
        }
      },
      cases: [
        { rows: 1, width: 3 },
        { rows: 7, width: 9 },
        { rows: 66, width: 16 },
      ],
    }),
    task({
      id: 'logits',
      title: 'Logits',
      minutes: 10,
      statement:
        'Cosines of features that have length one, times exp(logit_scale): the scale is learnt as a logarithm, so that it stays positive.',
      hints: ['params.logit_scale is the logarithm.', 'exp of it, once.', 'exp(params.logit_scale) * sum'],
      ...SUMS,
      operands: { f: reads('batch width'), t: reads('classes width'), out: writes('batch classes') },
      scalars: { logitScale: 1.5 },
      covers: [8, 8],
      units: ({ batch, classes }) => [batch, classes],
      twin({ f, t, out, batch, classes, width, logitScale }) {
        for (let b = 0; b < batch; b++) {
          for (let i = 0; i < classes; i++) {
            let sum = 0;
            for (let d = 0; d < width; d++) sum += f[b * width + d]! * t[i * width + d]!;
            out[b * classes + i] = Math.exp(logitScale) * sum;
          }
        }
      },
      cases: [
        { batch: 1, classes: 1, width: 1 },
        { batch: 9, classes: 8, width: 5 },
        { batch: 5, classes: 17, width: 20 },
      ],
    }),
    task({
      id: 'double-softmax',
      title: 'The double softmax',
      minutes: 20,
      statement:
        "The published code takes the cross-entropy of probabilities as if they were logits: a softmax of the softmax. losses[r] = log(sum of exp(p)) - p of the row's label, " +
        'where p is the softmax of the logits. The file has the usual loss.',
      hints: [
        'p of column c is exp(logits[at + c] - largest) / sum.',
        'Probabilities are at most 1: their exponentials need no maximum.',
        'outer += exp(exp(logits[at + c] - largest) / sum); then log(outer) less p of the label.',
      ],
      ...SUMS,
      operands: { logits: reads('rows columns'), labels: readsIndices('rows'), losses: writes('rows') },
      ...byRow,
      data: (d, sizes) => ({
        ...labelled(d, sizes),
        ...(sizes.large && {
          logits: d.values(numbers(sizes.rows! * sizes.columns!, (i) => 100 + ((i * 7) % 11) * 4)),
        }),
      }),
      twin({ logits, labels, losses, rows, columns }) {
        for (let row = 0; row < rows; row++) {
          const whole = logSumExp(logits, row * columns, columns);
          const p = numbers(columns, (c) => Math.exp(logits[row * columns + c]! - whole));
          losses[row] = logSumExp(p, 0, columns) - p[labels[row]!]!;
        }
      },
      cases: [...ROWS.slice(1), { rows: 3, columns: 8, large: 1 }],
    }),
  ],
);
