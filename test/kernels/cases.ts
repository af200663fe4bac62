/** Cases of every kernel but the matrix product: sizes 1, primes, and just past the workgroup's 64. */

import { type KernelCase, kernelCase } from '../support/kernel-case.js';
import { causalRows, pictureRows, type RowVisibility, treeRows } from '../support/visibility.js';

const SHAPES = [
  [1, 1],
  [1, 7],
  [5, 1],
  [3, 64],
  [7, 65],
  [13, 131],
  [67, 129],
] as const;

const rowCases = SHAPES.flatMap(([rows, columns]): KernelCase[] => {
  const size = rows * columns;
  const name = `${rows}x${columns}`;
  const labels = Array.from({ length: rows }, (_, i) => (i * 5) % columns);
  return [
    kernelCase('layerNorm', name, (d) => ({
      x: d.real(size),
      weight: d.real(columns),
      bias: d.real(columns),
      out: d.output(size),
      statistics: d.output(2 * rows),
      rows,
      columns,
      epsilon: 1e-5,
    })),
    kernelCase('layerNorm', `${name} without statistics`, (d) => ({
      x: d.real(size),
      weight: d.real(columns),
      bias: d.real(columns),
      out: d.output(size),
      rows,
      columns,
      epsilon: 1e-2,
    })),
    ...[false, true].map((withAddend) =>
      kernelCase('layerNormGrad', `${name}${withAddend ? ' with addend' : ''}`, (d) => ({
        x: d.real(size),
        weight: d.real(columns),
        statistics: d.values(Array.from({ length: 2 * rows }, (_, i) => (i % 2 ? 1.5 : 0.1))),
        gradOut: d.real(size),
        addend: withAddend ? d.real(size) : undefined,
        gradX: d.output(size),
        rows,
        columns,
      })),
    ),
    kernelCase('normalizeRows', name, (d) => ({
      x: d.real(size),
      out: d.output(size),
      norm: d.output(rows),
      rows,
      columns,
    })),
    kernelCase('normalizeRows', `${name} of zeros`, (d) => ({
      x: d.values(new Float32Array(size)),
      out: d.output(size),
      norm: d.output(rows),
      rows,
      columns,
    })),
    kernelCase('normalizeRowsGrad', name, (d) => ({
      out: d.real(size),
      norm: d.values(Array.from({ length: rows }, (_, i) => (i === 1 ? 0 : 0.5 + i))),
      gradOut: d.real(size),
      gradX: d.output(size),
      rows,
      columns,
    })),
    kernelCase('softmax', name, (d) => ({ x: d.real(size), out: d.output(size), rows, columns })),
    kernelCase('softmax', `${name} of large values`, (d) => ({
      x: d.values(Array.from({ length: size }, (_, i) => 90 - ((i * 37) % 180))),
      out: d.output(size),
      rows,
      columns,
    })),
    kernelCase('softmaxGrad', name, (d) => ({
      out: d.real(size),
      gradOut: d.real(size),
      gradX: d.output(size),
      rows,
      columns,
    })),
    kernelCase('crossEntropy', name, (d) => ({
      logits: d.real(size),
      labels: d.ints(labels),
      losses: d.output(rows),
      probabilities: d.output(size),
      rows,
      columns,
    })),
    kernelCase('crossEntropyGrad', name, (d) => ({
      probabilities: d.real(size),
      labels: d.ints(labels),
      gradLosses: d.real(rows),
      gradLogits: d.output(size),
      rows,
      columns,
    })),
    kernelCase('sumRows', name, (d) => ({ x: d.real(size), scale: 0.3, out: d.output(columns), rows, columns })),
    kernelCase('broadcastRows', name, (d) => ({ x: d.real(columns), scale: -2, out: d.output(size), rows, columns })),
    kernelCase('gatherRows', name, (d) => ({
      source: d.real(size),
      index: d.ints(Array.from({ length: rows + 3 }, (_, i) => (i % 4 === 1 ? -1 : (i * 3) % rows))),
      out: d.output((rows + 3) * columns),
      rows: rows + 3,
      columns,
    })),
    kernelCase('gatherRows', `${name} with base`, (d) => ({
      source: d.real(size),
      index: d.ints(Array.from({ length: rows + 3 }, (_, i) => (i % 4 === 1 ? -1 : (i * 3) % rows))),
      base: { buffer: d.real(2 * columns), index: d.ints(Array.from({ length: rows + 3 }, (_, i) => (i % 3) - 1)) },
      out: d.output((rows + 3) * columns),
      rows: rows + 3,
      columns,
    })),
    kernelCase('scatterAddRows', name, (d) => ({
      gradOut: d.real(size),
      // Source row s is read by rows s, s + 1, ... of a ring, s % 3 of them: none, one or several readers.
      readerStart: d.ints([0, ...runningSum(Array.from({ length: rows + 1 }, (_, s) => s % 3))]),
      readers: d.ints(
        Array.from({ length: rows + 1 }, (_, s) => Array.from({ length: s % 3 }, (_, t) => (s + t) % rows))
          .flat()
          .concat(0),
      ),
      out: d.output((rows + 1) * columns),
      sourceRows: rows + 1,
      columns,
    })),
    ...[false, true].map((withAddend) =>
      kernelCase('affine', `${size}${withAddend ? ' with addend' : ''}`, (d) => ({
        x: d.real(size),
        scale: 0.5,
        shift: -0.25,
        addend: withAddend ? d.real(size) : undefined,
        out: d.output(size),
        length: size,
      })),
    ),
    ...(['quick_gelu', 'gelu'] as const).map((activation) =>
      kernelCase('activationGrad', `${activation} ${size}`, (d) => ({
        x: d.values(Array.from({ length: size }, (_, i) => ((i * 7) % 41) / 4 - 5)),
        activation,
        gradOut: d.real(size),
        out: d.output(size),
        length: size,
      })),
    ),
    kernelCase('sgd', `${size}`, (d) => ({
      parameter: d.inPlace(ramp(size, 1)),
      grad: d.real(size),
      velocity: d.inPlace(ramp(size, 0.2)),
      learningRate: 0.1,
      momentum: 0.9,
      length: size,
    })),
    ...[1, 7].map((step) =>
      kernelCase('adamW', `${size} step ${step}`, (d) => ({
        parameter: d.inPlace(ramp(size, 1)),
        grad: d.real(size),
        firstMoment: d.inPlace(ramp(size, 0.2)),
        secondMoment: d.inPlace(ramp(size, 0.1).map(Math.abs)),
        learningRate: 0.01,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: 0.01,
        step,
        length: size,
      })),
    ),
  ];
});

const COMPOSE_SHAPES = [
  [1, 1, 1, 1],
  [2, 3, 5, 7],
  [3, 8, 9, 64],
  [5, 2, 4, 67],
] as const;

const composeCases = COMPOSE_SHAPES.flatMap(([batch, classes, tokens, width]): KernelCase[] => {
  const sizes = { batch, classes, tokens, width };
  const name = `${batch}x${classes}x${tokens}x${width}`;
  const [weights, prompts, composed] = [batch * classes * tokens, classes * tokens * width, batch * tokens * width];
  const dots = { groups: batch, members: classes, width, scale: 3.5 };
  const [dotA, dotB, dotOut] = [batch * width, batch * classes * width, batch * classes];
  return [
    kernelCase('compose', name, (d) => ({
      ...sizes,
      weights: d.real(weights),
      prompts: d.real(prompts),
      out: d.output(composed),
    })),
    kernelCase('composeGradWeights', name, (d) => ({
      ...sizes,
      gradOut: d.real(composed),
      prompts: d.real(prompts),
      gradWeights: d.output(weights),
    })),
    kernelCase('composeGradPrompts', name, (d) => ({
      ...sizes,
      gradOut: d.real(composed),
      weights: d.real(weights),
      gradPrompts: d.output(prompts),
    })),
    kernelCase('groupDot', name, (d) => ({ ...dots, a: d.real(dotA), b: d.real(dotB), out: d.output(dotOut) })),
    kernelCase('groupDotGradA', name, (d) => ({
      ...dots,
      b: d.real(dotB),
      gradOut: d.real(dotOut),
      gradA: d.output(dotA),
    })),
    kernelCase('groupDotGradB', name, (d) => ({
      ...dots,
      a: d.real(dotA),
      gradOut: d.real(dotOut),
      gradB: d.output(dotB),
    })),
  ];
});

const patchCases = (
  [
    [1, 4, 4],
    [2, 6, 3],
    [3, 35, 7],
  ] as const
).map(([batch, size, patch]) =>
  kernelCase('patchRows', `${batch}x${size}/${patch}`, (d) => ({
    pixels: d.real(batch * 3 * size * size),
    out: d.output(batch * 3 * size * size),
    batch,
    size,
    patch,
  })),
);

const GEOMETRIES: [string, RowVisibility, number, number][] = [
  ['one row', causalRows([1]), 1, 1],
  ['causal 5 and 71', causalRows([5, 71]), 3, 16],
  ['tree 4 + 1, 3, 2', treeRows(2, 4, [1, 3, 2]), 2, 64],
  ['tree 9 + 70', treeRows(1, 9, [70]), 1, 65],
  ['wide head', causalRows([3]), 1, 128],
  ['pictures 3 of 50', pictureRows(3, 50), 2, 64],
  ['tree 11 + 8 of 2, head 7', treeRows(3, 11, [2, 2, 2, 2, 2, 2, 2, 2]), 3, 7],
];

/** q, k and v packed side by side as in a block, or q apart and only for the last row of each sequence, as in the last block. */
const attentionCases = GEOMETRIES.flatMap(([name, geometry, heads, headWidth]): KernelCase[] => {
  const width = heads * headWidth;
  return [false, true].flatMap((lastRowsOnly): KernelCase[] => {
    const { visible, seenBy } = lastRowsOnly ? geometry.onlyLeaves() : geometry;
    const [queries, keys] = [visible.length / 4, seenBy.length / 2];
    const sizes = { queries, keys, heads, headWidth };
    const operands = (d: Parameters<KernelCase['args']>[0]) => {
      const kv = { buffer: d.real(keys * 3 * width), stride: 3 * width };
      const q = lastRowsOnly ? { buffer: d.real(queries * width), stride: width, offset: 0 } : { ...kv, offset: 0 };
      return {
        ...sizes,
        q,
        k: { ...kv, offset: width },
        v: { ...kv, offset: 2 * width },
        visible: d.ints(visible),
        seenBy: d.ints(seenBy),
      };
    };
    // A constant log-sum-exp, not the true one: the kernels must use what they are given.
    const lse = () => Array.from({ length: queries * heads }, (_, i) => 1 + (i % 5) / 4);
    const title = `${name}${lastRowsOnly ? ', leaves only' : ''}`;
    return [
      kernelCase('attention', title, (d) => ({
        ...operands(d),
        out: d.output(queries * width),
        logSumExp: d.output(queries * heads),
      })),
      kernelCase('attentionGradQuery', title, (d) => ({
        ...operands(d),
        logSumExp: d.values(lse()),
        delta: d.real(queries * heads),
        gradOut: d.real(queries * width),
        gradQ: { buffer: d.output(queries * width), stride: width, offset: 0 },
      })),
      kernelCase('attentionGradKeyValue', title, (d) => {
        const grad = { buffer: d.output(keys * 2 * width), stride: 2 * width };
        return {
          ...operands(d),
          logSumExp: d.values(lse()),
          delta: d.real(queries * heads),
          gradOut: d.real(queries * width),
          gradK: { ...grad, offset: 0 },
          gradV: { ...grad, offset: width },
        };
      }),
    ];
  });
});

/** Attention and its gradients. */
export { attentionCases };

export const kernelCases: KernelCase[] = [...rowCases, ...composeCases, ...patchCases, ...attentionCases];

function runningSum(values: number[]): number[] {
  let sum = 0;
  return values.map((value) => {
    sum += value;
    return sum;
  });
}

function ramp(length: number, scale: number): number[] {
  return Array.from({ length }, (_, i) => scale * (((i * 3) % 11) / 5 - 1));
}
