/**
 * Every operation's gradient, in the middle of a graph (something differentiable before it, an upstream gradient that is
 * not 1), against central differences in float64. An operation that is exported without a case here fails.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type RowVisibility, treeRows } from '../../src/kernels/families/visibility.js';
import { roundedToHalves } from '../../src/kernels/half.js';
import * as tensor from '../../src/tensor/index.js';
import {
  add,
  addScaled,
  affine,
  batchedMatmul,
  broadcastTo,
  checkGradient,
  compose,
  concat,
  crossAttention,
  crossEntropy,
  div,
  dropout,
  Engine,
  exp,
  feedForward,
  type GradientInput,
  gatherRows,
  gelu,
  groupDot,
  layerNorm,
  linear,
  log,
  matmul,
  max,
  mean,
  meanSquaredError,
  mul,
  normalizeRows,
  quickGelu,
  type RowGeometry,
  relu,
  rowIndex,
  selfAttention,
  sigmoid,
  slice,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  sumRows,
  type Tensor,
  tanh,
  transpose,
  uniformGenerator,
  uniformValues,
} from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';

type Case = readonly [name: string, inputs: readonly GradientInput[], operation: (...inputs: Tensor[]) => Tensor];

const geometry = ({ engine }: Tensor, rows: { visible: number[]; seenBy: number[] }): RowGeometry => ({
  queries: rows.visible.length / 4,
  keys: rows.seenBy.length / 2,
  visible: engine.indices(rows.visible),
  seenBy: engine.indices(rows.seenBy),
});
const tree: RowVisibility = treeRows(2, 2, [1, 2]);

/** Constants: the same on every call. */
const frozen = ({ engine }: Tensor, ...shape: number[]) =>
  engine.tensor(uniformValues([shape.reduce((size, length) => size * length, 1)], 1, 99), shape);
const index = ({ engine }: Tensor, places: number[], sourceRows: number) =>
  rowIndex((data) => engine.indices(data), places, sourceRows);
const mlp = (x: Tensor, n: number, activation: 'gelu' | 'quick_gelu') => ({
  ...{ weight1: frozen(x, 7, 5), bias1: frozen(x, 7), weight2: frozen(x, n, 7), bias2: frozen(x, n) },
  activation,
});
/** Between 1/2 and 2, of either sign or positive. */
const awayFromZero = (signed: boolean, ...shape: number[]): GradientInput => ({
  shape,
  values: uniformValues(shape, 0.75, 3).map((value, i) => (signed && i % 2 ? -1 : 1) * (1.25 + value)),
});

const unary = { relu, sigmoid, tanh, gelu, quickGelu, exp, square };
const positive = { log, sqrt };
const binary = { add, sub, mul, div };

const booleans = [false, true];
const cases: readonly Case[] = [
  ...Object.entries(unary).map(([name, operation]): Case => [name, [[3, 5]], operation]),
  ...Object.entries(positive).map(([name, operation]): Case => [name, [awayFromZero(false, 3, 5)], operation]),
  ...Object.entries(binary).flatMap(([name, operation]): Case[] => [
    [`${name}, one shape`, [[2, 3, 4], awayFromZero(true, 2, 3, 4)], (a, b) => operation(a, b)],
    [`${name}, b a row`, [[2, 3, 4], awayFromZero(true, 4)], (a, b) => operation(a, b)],
    [`${name}, both repeated`, [[2, 1, 4, 1], awayFromZero(true, 3, 1, 5)], (a, b) => operation(a, b)],
    [`${name}, a number on the right`, [[3, 4]], (x) => operation(x, 2.5)],
    [`${name}, a number on the left`, [awayFromZero(true, 3, 4)], (x) => operation(2.5, x)],
    [`${name}, of itself`, [awayFromZero(true, 3, 4)], (x) => operation(x, x)],
  ]),
  ...booleans.flatMap((transposeA) =>
    booleans.map(
      (transposeB): Case => [
        `matmul ${transposeA} ${transposeB}`,
        [transposeA ? [4, 3] : [3, 4], transposeB ? [5, 4] : [4, 5]],
        (a, b) => matmul(a, b, { transposeA, transposeB, alpha: 0.6 }),
      ],
    ),
  ),
  [
    'batchedMatmul',
    [
      [2, 3, 4],
      [2, 4, 5],
    ],
    batchedMatmul,
  ],
  [
    'batchedMatmul, two leading axes',
    [
      [2, 2, 3, 1],
      [2, 2, 1, 2],
    ],
    batchedMatmul,
  ],
  ['affine', [[3, 5]], (x) => affine(x, -1.5, 2)],
  [
    'addScaled',
    [
      [3, 5],
      [3, 5],
    ],
    (x, y) => addScaled(x, y, 0.3),
  ],
  ['addScaled of itself', [[3, 5]], (x) => addScaled(x, x, 0.3)],
  ['transpose', [[2, 3, 4]], (x) => transpose(x)],
  ['transpose, an order of four axes', [[2, 3, 4, 5]], (x) => transpose(x, [2, 0, 3, 1])],
  ['slice', [[2, 5, 3]], (x) => slice(x, 1, 1, 4)],
  ['slice of the last axis', [[3, 5]], (x) => slice(x, -1, 3, 5)],
  [
    'concat',
    [
      [2, 3],
      [2, 1],
      [2, 2],
    ],
    (...parts) => concat(parts, 1),
  ],
  ['concat with itself', [[2, 3]], (x) => concat([x, x], 0)],
  ['broadcastTo', [[3, 1]], (x) => broadcastTo(x, [2, 3, 4])],
  ['sumRows', [[7, 3]], (x) => sumRows(x, 0.5)],
  ...[0, 1, -1].flatMap((axis): Case[] => [
    [`sum, axis ${axis}`, [[2, 3, 4]], (x) => sum(x, axis)],
    [`mean, axis ${axis}`, [[2, 3, 4]], (x) => mean(x, axis, { keep: true })],
    [`max, axis ${axis}`, [[2, 3, 4]], (x) => max(x, axis)],
  ]),
  ['sum of all', [[7, 3]], (x) => sum(x)],
  ['mean of all', [[7, 3]], (x) => mean(x)],
  ['linear, frozen weight', [[3, 5]], (x) => linear(x, frozen(x, 4, 5), frozen(x, 4))],
  ...[
    [3, 5, 4],
    [9, 16, 8],
  ].map(
    ([rows = 0, k = 0, n = 0]): Case => [
      `linear, weight of halves ${rows}x${k}x${n}`,
      [[rows, k]],
      (x) => linear(x, x.engine.weight(roundedToHalves(uniformValues([n, k], 1, 4)), [n, k])),
    ],
  ),
  ['linear, relu', [[3, 5], [4, 5], [4], [3, 4]], (x, w, b, residual) => linear(x, w, b, { residual, relu: true })],
  ['linear, all', [[3, 5], [4, 5], [4], [3, 4]], (x, w, b, residual) => linear(x, w, b, { residual })],
  ...(['quick_gelu', 'gelu'] as const).map(
    (activation): Case => [
      `feedForward ${activation}, residual = input`,
      [[3, 5]],
      (x) => feedForward(x, mlp(x, 5, activation), x),
    ],
  ),
  [
    'feedForward, residual of its own',
    [
      [3, 5],
      [3, 4],
    ],
    (x, residual) => feedForward(x, mlp(x, 4, 'gelu'), residual),
  ],
  ['layerNorm, x used twice', [[4, 6]], (x) => addScaled(layerNorm(x, frozen(x, 6), frozen(x, 6), 1e-3), x, 0.7)],
  ['layerNorm, weight and bias', [[2, 3, 6], [6], [6]], (x, w, b) => layerNorm(x, w, b, 1e-3)],
  ['normalizeRows', [[4, 6]], normalizeRows],
  ['softmax', [[4, 6]], softmax],
  ['crossEntropy', [[4, 6]], (x) => crossEntropy(x, [0, 5, 2, 2])],
  ['crossEntropy, labels on the device', [[4, 6]], (x) => crossEntropy(x, x.engine.indices([0, 5, 2, 2]))],
  [
    'meanSquaredError',
    [
      [3, 4],
      [3, 4],
    ],
    (x, y) => meanSquaredError(x, y),
  ],
  ['dropout', [[5, 8]], (x) => dropout(x, 0.4, uniformGenerator(3))],
  [
    'compose',
    [
      [2, 3, 4],
      [3, 4, 5],
    ],
    (weights, prompts) => compose(weights, prompts),
  ],
  [
    'groupDot',
    [
      [3, 5],
      [6, 5],
    ],
    (a, b) => groupDot(a, b, 2.5),
  ],
  ['gatherRows', [[4, 3]], (x) => gatherRows(x, index(x, [2, -1, 0, 2, 3], 4))],
  [
    'gatherRows with a base',
    [
      [4, 3],
      [2, 3],
    ],
    (x, base) => gatherRows(x, index(x, [2, -1, 0, 2, 3], 4), { tensor: base, index: index(x, [-1, 0, 1, 0, -1], 2) }),
  ],
  ['selfAttention on a tree', [[10, 3 * 4]], (qkv) => selfAttention(qkv, geometry(qkv, tree), 2)],
  [
    'crossAttention of the leaves',
    [
      [4, 4],
      [10, 2 * 4],
    ],
    (q, kv) => crossAttention(q, kv, geometry(q, tree.onlyLeaves()), 2),
  ],
];

/** Functions that are no operations on tensors, and operations on data. */
const WITHOUT_GRADIENT = {
  indexOfMax: 'its result is a number of an element',
  patchRows: 'pictures are data',
  biasedSelfAttention: 'for frozen encoders',
  patchBytes: 'pictures are data',
  convolution: 'for frozen networks',
  maxPool: 'for frozen networks',
  averagePool: 'for frozen networks',
  rowIndex: 'makes the index of gatherRows',
  checkGradient: 'the check itself',
  clipGradients: 'changes gradients after the backward pass',
  uniformGenerator: 'numbers on the host',
  normalGenerator: 'numbers on the host',
  uniformValues: 'numbers on the host',
  normalValues: 'numbers on the host',
  xavierUniform: 'numbers on the host',
  kaimingNormal: 'numbers on the host',
};

/** Functions, not classes. */
const exported = Object.entries(tensor).flatMap(([name, value]) =>
  typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value)) ? name : [],
);
const operations = exported.filter((name) => !(name in WITHOUT_GRADIENT));

describe('operations', () => {
  it.each(operations)('%s has a gradient check', (name) => {
    expect(cases.some(([title]) => title.split(/[ ,]/, 1)[0] === name)).toBe(true);
  });

  it.each([
    ...operations,
    'indexOfMax',
    'patchRows',
    'patchBytes',
    'biasedSelfAttention',
    'convolution',
    'maxPool',
    'averagePool',
  ])('%s is in the table of docs/tensor-operations.md', (name) => {
    const page = readFileSync(new URL('../../docs/tensor-operations.md', import.meta.url), 'utf8');
    expect(page).toMatch(new RegExp(`^\\|[^|]*\`${name}\\(`, 'm'));
  });

  it('the list of functions without a gradient holds no others', () => {
    expect(Object.keys(WITHOUT_GRADIENT).filter((name) => !exported.includes(name))).toEqual([]);
  });
});

describeOnAll('gradient', (device) => {
  it.each(cases)('%s', async (_, inputs, operation) => {
    const report = await checkGradient(operation, inputs, { engine: new Engine(device()) });
    expect(report.passed, String(report)).toBe(true);
  });
});
