/** Operations refuse shapes that do not fit, in one line that names operation, expected and found; attention computes what is asked for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { treeRows } from '../../src/kernels/families/visibility.js';
import { CpuBackend } from '../../src/kernels/index.js';
import {
  addScaled,
  averagePool,
  biasedSelfAttention,
  compose,
  convolution,
  crossAttention,
  crossEntropy,
  Engine,
  feedForward,
  gatherRows,
  groupDot,
  layerNorm,
  linear,
  matmul,
  maxPool,
  patchBytes,
  patchRows,
  type RowGeometry,
  rowIndex,
  Sgd,
  selfAttention,
  type Tensor,
} from '../../src/tensor/index.js';

describe('shapes', () => {
  const device = new CpuBackend();
  const engine = new Engine(device);
  beforeAll(() => expect(device.memory.buffers).toBe(0));
  afterAll(() => device.dispose());

  const zeros = (...shape: number[]) => engine.zeros(shape);
  const { visible, seenBy } = treeRows(2, 2, [1, 2]);
  const rows = (changed: Partial<RowGeometry> = {}): RowGeometry => ({
    ...{ queries: 10, keys: 10, visible: engine.indices(visible), seenBy: engine.indices(seenBy) },
    ...changed,
  });
  const index = (places: number[], sourceRows: number) => rowIndex((data) => engine.indices(data), places, sourceRows);
  const mlp = (changed: Record<string, Tensor>, x = zeros(2, 3, 5), residual = zeros(2, 3, 5)) =>
    feedForward(
      x,
      {
        ...{ weight1: zeros(7, 5), bias1: zeros(7), weight2: zeros(5, 7), bias2: zeros(5) },
        ...{ activation: 'gelu', ...changed },
      },
      residual,
    );

  const cases: [name: string, run: () => unknown, message: string][] = [
    ['linear, weight', () => linear(zeros(3, 5), zeros(4, 6)), 'linear: expected weight [n, 5], found [4, 6]'],
    [
      'linear, weight of three axes',
      () => linear(zeros(3, 5), zeros(2, 2, 5)),
      'linear: expected weight [n, 5], found [2, 2, 5]',
    ],
    ['linear, bias', () => linear(zeros(3, 5), zeros(4, 5), zeros(5)), 'linear: expected bias [4], found [5]'],
    [
      'linear, residual',
      () => linear(zeros(2, 3, 5), zeros(4, 5), undefined, { residual: zeros(1, 3, 4) }),
      'linear: expected residual [2, 3, 4], found [1, 3, 4]',
    ],
    [
      'feedForward, weight1',
      () => mlp({ weight1: zeros(7, 4) }),
      'feedForward: expected weight1 [inner, 5], found [7, 4]',
    ],
    ['feedForward, bias1', () => mlp({ bias1: zeros(6) }), 'feedForward: expected bias1 [7], found [6]'],
    ['feedForward, weight2', () => mlp({ weight2: zeros(5, 8) }), 'feedForward: expected weight2 [n, 7], found [5, 8]'],
    ['feedForward, bias2', () => mlp({ bias2: zeros(1) }), 'feedForward: expected bias2 [5], found [1]'],
    [
      'feedForward, residual',
      () => mlp({}, zeros(6, 5), zeros(5, 5)),
      'feedForward: expected residual [6, 5], found [5, 5]',
    ],
    ['matmul', () => matmul(zeros(3, 4), zeros(5, 6)), 'matmul: expected b [4, n], found [5, 6]'],
    [
      'matmul, both transposed',
      () => matmul(zeros(3, 4), zeros(5, 6), { transposeA: true, transposeB: true }),
      'matmul: expected b [n, 3], found [5, 6]',
    ],
    [
      'layerNorm, weight',
      () => layerNorm(zeros(2, 6), zeros(5), zeros(6), 1e-5),
      'layerNorm: expected weight [6], found [5]',
    ],
    [
      'layerNorm, bias',
      () => layerNorm(zeros(2, 6), zeros(6), zeros(1, 6), 1e-5),
      'layerNorm: expected bias [6], found [1, 6]',
    ],
    [
      'crossEntropy',
      () => crossEntropy(zeros(4, 6), engine.indices([1, 2])),
      'crossEntropy: expected labels [4], found [2]',
    ],
    ['addScaled', () => addScaled(zeros(2, 3), zeros(3, 2)), 'addScaled: expected y [2, 3], found [3, 2]'],
    [
      'compose, weights of other prompts',
      () => compose(zeros(7, 1), zeros(3, 1, 2)),
      'compose: expected weights [batch, 3, 1], found [7, 1]',
    ],
    [
      'compose, weights of other tokens',
      () => compose(zeros(2, 3, 5), zeros(3, 4, 2)),
      'compose: expected weights [batch, 3, 4], found [2, 3, 5]',
    ],
    [
      'compose, prompts as a matrix',
      () => compose(zeros(2, 3, 4), zeros(12, 2)),
      'compose: expected prompts [classes, tokens, width], found [12, 2]',
    ],
    [
      'groupDot, width',
      () => groupDot(zeros(3, 5), zeros(6, 4)),
      'groupDot: expected b [groups*members, 5], found [6, 4]',
    ],
    [
      'groupDot, rows',
      () => groupDot(zeros(3, 5), zeros(7, 5)),
      'groupDot: expected b [groups*members, 5], found [7, 5]',
    ],
    [
      'gatherRows',
      () => gatherRows(zeros(4, 3), index([0, 4], 5)),
      'gatherRows: expected source [5, columns], found [4, 3]',
    ],
    [
      'gatherRows, base',
      () => gatherRows(zeros(4, 3), index([0], 4), { tensor: zeros(2, 4), index: index([1], 2) }),
      'gatherRows: expected base.tensor [2, 3], found [2, 4]',
    ],
    [
      "gatherRows, base's index",
      () => gatherRows(zeros(4, 3), index([0], 4), { tensor: zeros(2, 3), index: index([1, 0], 2) }),
      'gatherRows: expected base.index [1], found [2]',
    ],
    [
      'selfAttention',
      () => selfAttention(zeros(9, 12), rows(), 2),
      'selfAttention: expected qkv [10, columns], found [9, 12]',
    ],
    [
      'selfAttention, heads',
      () => selfAttention(zeros(10, 12), rows(), 3),
      'selfAttention: expected heads of a whole number of columns, at most 128, found 3 heads over width 4',
    ],
    [
      'selfAttention, geometry',
      () => selfAttention(zeros(10, 12), rows({ visible: engine.indices(visible.slice(4)) }), 2),
      'selfAttention: expected visible [40], found [36]',
    ],
    [
      'selfAttention, keys of others',
      () => selfAttention(zeros(10, 12), rows({ keys: 9 }), 2),
      'selfAttention: expected as many keys as the 10 queries, found 9',
    ],
    [
      'biasedSelfAttention, no whole images',
      () => biasedSelfAttention(zeros(10, 12), zeros(2, 4, 4)),
      'biasedSelfAttention: expected whole images of 4 rows, found 10 rows',
    ],
    [
      'biasedSelfAttention, bias',
      () => biasedSelfAttention(zeros(10, 12), zeros(2, 5, 4)),
      'biasedSelfAttention: expected bias [heads, rows, rows], found [2, 5, 4]',
    ],
    [
      'biasedSelfAttention, heads',
      () => biasedSelfAttention(zeros(10, 12), zeros(3, 5, 5)),
      'biasedSelfAttention: expected heads of a whole number of columns, at most 128, found 3 heads over width 4',
    ],
    [
      'biasedSelfAttention, a gradient',
      () => {
        using qkv = engine.parameter(new Float32Array(120), [10, 12]);
        biasedSelfAttention(qkv, zeros(2, 5, 5));
      },
      'biasedSelfAttention has no gradient',
    ],
    [
      'crossAttention, q',
      () => crossAttention(zeros(9, 4), zeros(10, 8), rows(), 2),
      'crossAttention: expected q [10, 4], found [9, 4]',
    ],
    [
      'crossAttention, kv',
      () => crossAttention(zeros(10, 4), zeros(10, 4), rows(), 2),
      'crossAttention: expected kv [10, 8], found [10, 4]',
    ],
    [
      'crossAttention, geometry',
      () => crossAttention(zeros(10, 4), zeros(10, 8), rows({ seenBy: engine.indices(seenBy.slice(2)) }), 2),
      'crossAttention: expected seenBy [20], found [18]',
    ],
    [
      'convolution, images',
      () => convolution(zeros(6, 4), zeros(8, 36), undefined, { window: 3 }),
      'convolution: expected images [images, height, width, channels], found [6, 4]',
    ],
    [
      'convolution, weight',
      () => convolution(zeros(1, 6, 6, 4), zeros(8, 4), undefined, { window: 3 }),
      'convolution: expected weight [n, 36], found [8, 4]',
    ],
    [
      'convolution, residual',
      () => convolution(zeros(1, 6, 6, 4), zeros(8, 36), undefined, { window: 3, residual: zeros(1, 6, 6, 8) }),
      'convolution: expected residual [1, 4, 4, 8], found [1, 6, 6, 8]',
    ],
    [
      'convolution, images smaller than a window',
      () => convolution(zeros(1, 2, 6, 4), zeros(8, 36), undefined, { window: 3 }),
      'convolution: no window of 3 fits images of 2 x 6 with a padding of 0',
    ],
    [
      'maxPool, padding',
      () => maxPool(zeros(1, 6, 6, 4), { window: 2, padding: 2 }),
      'maxPool: expected a window and a stride of 1 or more and less padding than the window has, found 2, 1 and 2',
    ],
    [
      'averagePool, images',
      () => averagePool(zeros(6, 4), [1, 1]),
      'averagePool: expected images [images, height, width, channels], found [6, 4]',
    ],
    [
      'patchRows, channels',
      () => patchRows(zeros(2, 4, 8, 8), 4),
      'patchRows: expected pixels [batch, 3, size, size], found [2, 4, 8, 8]',
    ],
    [
      'patchRows, not square',
      () => patchRows(zeros(2, 3, 8, 6), 2),
      'patchRows: expected pixels [batch, 3, size, size], found [2, 3, 8, 6]',
    ],
    [
      'patchRows, patch',
      () => patchRows(zeros(2, 3, 8, 8), 3),
      'patchRows: expected pictures of a whole number of patches of 3, found [2, 3, 8, 8]',
    ],
    [
      'patchBytes, values',
      () => patchBytes(engine.indices(new Int32Array(128), [2, 8, 8]), zeros(3, 255), 4),
      'patchBytes: expected values [3, 256], found [3, 255]',
    ],
    [
      'patchBytes, patch',
      () => patchBytes(engine.indices(new Int32Array(128), [2, 8, 8]), zeros(3, 256), 3),
      'patchBytes: expected pictures of a whole number of patches of 3, found [2, 8, 8]',
    ],
    [
      'a part of a row',
      () => zeros(7 / 3, 3),
      'a tensor of shape [2.3333333333333335, 3]: expected whole numbers from 1',
    ],
    ['no rows', () => zeros(0, 3), 'a tensor of shape [0, 3]: expected whole numbers from 1'],
    ['reshape', () => zeros(2, 3).reshape([5]), 'cannot reshape [2, 3] to [5]'],
    [
      'the state of another optimiser',
      () => {
        using parameter = engine.parameter([1, 2], [2]);
        using optimizer = new Sgd([parameter], { momentum: 0.9 });
        optimizer.restore({ steps: 1, tensors: [Float32Array.of(1)] });
      },
      'optimiser state of 1 numbers for a tensor of 2',
    ],
  ];

  it.each(cases)('%s', (_, run, message) => {
    expect(() => engine.scope(() => void run())).toThrow(new Error(message));
    expect(device.memory.buffers).toBe(0);
  });

  it.each([
    ['q', ['groupDot', 'attentionGradQuery']],
    ['kv', ['groupDot', 'attentionGradKeyValue']],
  ] as const)('crossAttention computes the gradient of %s alone where that alone is needed', (learned, expected) => {
    const kernels: string[] = [];
    const run = device.run.bind(device);
    using q = learned === 'q' ? engine.parameter(new Float32Array(40), [10, 4]) : zeros(10, 4);
    using kv = learned === 'kv' ? engine.parameter(new Float32Array(80), [10, 8]) : zeros(10, 8);
    engine.scope(() =>
      engine.withTape((tape) => {
        const out = crossAttention(q, kv, rows(), 2);
        device.run = (kernel, args) => {
          kernels.push(kernel.name);
          run(kernel, args);
        };
        tape.backward(out, zeros(10, 4));
      }),
    );
    device.run = run;
    expect(kernels).toEqual(expected);
    for (const tensor of [q, kv]) tensor.zeroGrad();
  });
});
