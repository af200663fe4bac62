/** Cross-entropy of rows of logits against a label each, and its gradient. */
import type { CaseData } from '../cases.js';
import { kernel, only, perRow, reads, readsIndices, type Sizes, writes } from '../definition.js';
import { LOGITS, ramp, rowShapes } from './shapes.js';
import { softmaxRow } from './softmax.js';

const labels = (d: CaseData, { rows = 0, columns = 1 }: Sizes) => ({
  labels: d.ints(Array.from({ length: rows }, (_, i) => (i * 5) % columns)),
});

/** `probabilities` is the softmax, which the gradient needs. */
export const crossEntropy = kernel({
  name: 'crossEntropy',
  formula: 'losses = logSumExp(logits) - logits[label] for each row; probabilities = softmax(logits)',
  operands: {
    logits: reads('rows columns'),
    labels: readsIndices('rows'),
    losses: writes('rows'),
    probabilities: writes('rows columns'),
  },
  twin({ logits, labels, losses, probabilities, rows, columns }) {
    for (let row = 0; row < rows; row++) {
      const at = row * columns;
      losses[row] = softmaxRow(logits, probabilities, at, columns) - logits[at + labels[row]!]!;
    }
  },
  variants: only('cross_entropy', 1),
  ...perRow,
  cases: {
    sizes: LOGITS,
    // Where the label is very unlikely, -log(p) of a float32 p would be infinite.
    variations: { unlikely: 0, nan: 0 },
    data: (d, sizes) => ({
      ...labels(d, sizes),
      ...(sizes.unlikely && {
        logits: d.values(
          Array.from({ length: sizes.rows! * sizes.columns! }, (_, i) => (i % 3 === 2 ? 120 : -(i % 7))),
        ),
      }),
      ...(sizes.nan && { logits: d.values(ramp(sizes.rows! * sizes.columns!, 1).with(3, Number.NaN)) }),
    }),
    suite: [...rowShapes.flatMap((shape) => [shape, { ...shape, unlikely: 1 }]), { rows: 3, columns: 65, nan: 1 }],
  },
});

export const crossEntropyGrad = kernel({
  name: 'crossEntropyGrad',
  formula: 'gradLogits = gradLosses * (probabilities - onehot(label)) for each row',
  operands: {
    probabilities: reads('rows columns'),
    labels: readsIndices('rows'),
    gradLosses: reads('rows'),
    gradLogits: writes('rows columns'),
  },
  twin({ probabilities, labels, gradLosses, gradLogits, rows, columns }) {
    for (let row = 0; row < rows; row++) {
      for (let c = 0; c < columns; c++) {
        const at = row * columns + c;
        gradLogits[at] = gradLosses[row]! * (probabilities[at]! - (c === labels[row] ? 1 : 0));
      }
    }
  },
  variants: only('cross_entropy_grad'),
  unit: 'element',
  units: ({ rows, columns }) => rows * columns,
  cases: { sizes: LOGITS, data: labels, suite: rowShapes },
});
