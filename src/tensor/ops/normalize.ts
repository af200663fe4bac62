/** Operations that normalise rows (the last axis), with their gradients. */
import { checkedAxes } from '../shapes.js';
import type { Tensor } from '../tensor.js';

/** Layer normalisation of x [..., columns] with a frozen weight and bias [columns] (Ba, Kiros and Hinton, 2016). */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  if (weight.vertex || bias.vertex) throw new Error('layerNorm has no gradient for its weight and bias: freeze them');
  checkedAxes('layerNorm', { x: [x, '... columns'], weight: [weight, 'columns'], bias: [bias, 'columns'] });
  const { engine, rows, columns } = x;
  const out = engine.empty(x.shape);
  const statistics = engine.differentiates(x) ? engine.empty([rows, 2]) : undefined;
  engine.run('layerNorm', {
    x: x.buffer,
    weight: weight.buffer,
    bias: bias.buffer,
    out: out.buffer,
    statistics: statistics?.buffer,
    rows,
    columns,
    epsilon,
  });
  engine.record(out, [x], { x, weight, statistics }, (gradOut, saved, { giveInto }) => {
    giveInto(0, (sum) => {
      const gradX = engine.empty(saved.x.shape);
      engine.run('layerNormGrad', {
        x: saved.x.buffer,
        weight: saved.weight.buffer,
        statistics: saved.statistics!.buffer,
        gradOut: gradOut.buffer,
        addend: sum?.buffer,
        gradX: gradX.buffer,
        rows,
        columns,
      });
      return gradX;
    });
  });
  return out;
}

/** Rows divided by their Euclidean length; a zero row stays zero and gets no gradient. */
export function normalizeRows(x: Tensor): Tensor {
  const { engine, rows, columns } = x;
  const out = engine.empty(x.shape);
  const norm = engine.empty([rows]);
  engine.run('normalizeRows', { x: x.buffer, out: out.buffer, norm: norm.buffer, rows, columns });
  engine.record(out, [x], { out, norm }, (gradOut, saved, { give }) => {
    give(0, () => {
      const gradX = engine.empty(out.shape);
      engine.run('normalizeRowsGrad', {
        out: saved.out.buffer,
        norm: saved.norm.buffer,
        gradOut: gradOut.buffer,
        gradX: gradX.buffer,
        rows,
        columns,
      });
      return gradX;
    });
  });
  return out;
}

/** Softmax over the last axis. */
export function softmax(x: Tensor): Tensor {
  const { engine, rows, columns } = x;
  const out = engine.empty(x.shape);
  engine.run('softmax', { x: x.buffer, out: out.buffer, rows, columns });
  engine.record(out, [x], { out }, (gradOut, saved, { give }) => {
    give(0, () => {
      const gradX = engine.empty(out.shape);
      engine.run('softmaxGrad', {
        out: saved.out.buffer,
        gradOut: gradOut.buffer,
        gradX: gradX.buffer,
        rows,
        columns,
      });
      return gradX;
    });
  });
  return out;
}

/** Cross-entropy of each row of logits [batch, classes] against its label: losses [batch]. */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  const { engine, rows, columns } = logits;
  checkedAxes('crossEntropy', { logits: [logits, 'batch classes'], labels: [labels, 'batch'] });
  const losses = engine.empty([rows]);
  const probabilities = engine.empty(logits.shape);
  engine.run('crossEntropy', {
    logits: logits.buffer,
    labels: labels.buffer,
    losses: losses.buffer,
    probabilities: probabilities.buffer,
    rows,
    columns,
  });
  engine.record(losses, [logits], { probabilities, labels }, (gradLosses, saved, { give }) => {
    give(0, () => {
      const gradLogits = engine.empty([rows, columns]);
      engine.run('crossEntropyGrad', {
        probabilities: saved.probabilities.buffer,
        labels: saved.labels.buffer,
        gradLosses: gradLosses.buffer,
        gradLogits: gradLogits.buffer,
        rows,
        columns,
      });
      return gradLogits;
    });
  });
  return losses;
}
