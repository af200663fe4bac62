/**
 * Every operation's gradient, in the middle of a graph (something differentiable before it, an upstream gradient that is
 * not 1), against central differences in float64.
 */
import { expect, it } from 'vitest';
import { type RowVisibility, treeRows } from '../../src/kernels/families/visibility.js';
import { roundedToHalves } from '../../src/kernels/half.js';
import { CpuBackend } from '../../src/kernels/index.js';
import {
  addScaled,
  affine,
  compose,
  crossAttention,
  crossEntropy,
  Engine,
  feedForward,
  gatherRows,
  groupDot,
  layerNorm,
  linear,
  matmul,
  mean,
  normalizeRows,
  type RowGeometry,
  rowIndex,
  selfAttention,
  softmax,
  sumRows,
  type Tensor,
} from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';
import { randomReals } from '../support/random.js';

interface GradientCase {
  name: string;
  /** Shapes of the inputs that get a gradient. */
  inputs: number[][];
  /** Builds the operation; `frozen` makes random constants. */
  build: (engine: Engine, inputs: Tensor[], frozen: (shape: number[]) => Tensor) => Tensor;
}

const geometry = (engine: Engine, rows: { visible: number[]; seenBy: number[] }): RowGeometry => ({
  queries: rows.visible.length / 4,
  keys: rows.seenBy.length / 2,
  visible: engine.indices(rows.visible),
  seenBy: engine.indices(rows.seenBy),
});
const tree: RowVisibility = treeRows(2, 2, [1, 2]);

const matmulCases = [false, true].flatMap((transposeA) =>
  [false, true].map(
    (transposeB): GradientCase => ({
      name: `matmul ${transposeA} ${transposeB}`,
      inputs: [transposeA ? [4, 3] : [3, 4], transposeB ? [5, 4] : [4, 5]],
      build: (_, [a, b]) => matmul(a!, b!, { transposeA, transposeB, alpha: 0.6 }),
    }),
  ),
);

const cases: GradientCase[] = [
  ...matmulCases,
  { name: 'affine', inputs: [[3, 5]], build: (_, [x]) => affine(x!, -1.5, 2) },
  {
    name: 'addScaled',
    inputs: [
      [3, 5],
      [3, 5],
    ],
    build: (_, [x, y]) => addScaled(x!, y!, 0.3),
  },
  { name: 'addScaled of itself', inputs: [[3, 5]], build: (_, [x]) => addScaled(x!, x!, 0.3) },
  { name: 'sumRows', inputs: [[7, 3]], build: (_, [x]) => sumRows(x!, 0.5) },
  { name: 'mean', inputs: [[7, 3]], build: (_, [x]) => mean(x!) },
  {
    name: 'linear, frozen weight',
    inputs: [[3, 5]],
    build: (_, [x], frozen) => linear(x!, frozen([4, 5]), frozen([4])),
  },
  ...(
    [
      [3, 5, 4],
      [9, 16, 8],
    ] as const
  ).map(
    ([rows, k, n]): GradientCase => ({
      name: `linear, weight of halves ${rows}x${k}x${n}`,
      inputs: [[rows, k]],
      build: (engine, [x]) => linear(x!, engine.weight(roundedToHalves(randomReals(4)(n * k)), [n, k])),
    }),
  ),
  {
    name: 'linear, all',
    inputs: [[3, 5], [4, 5], [4], [3, 4]],
    build: (_, [x, w, b, residual]) => linear(x!, w!, b!, { residual }),
  },
  ...(['quick_gelu', 'gelu'] as const).flatMap((activation): GradientCase[] => [
    {
      name: `feedForward ${activation}, residual = input`,
      inputs: [[3, 5]],
      build: (_, [x], frozen) =>
        feedForward(
          x!,
          { weight1: frozen([7, 5]), bias1: frozen([7]), weight2: frozen([5, 7]), bias2: frozen([5]), activation },
          x!,
        ),
    },
  ]),
  {
    name: 'feedForward, residual of its own',
    inputs: [
      [3, 5],
      [3, 4],
    ],
    build: (_, [x, residual], frozen) =>
      feedForward(
        x!,
        {
          ...{ weight1: frozen([7, 5]), bias1: frozen([7]), weight2: frozen([4, 7]), bias2: frozen([4]) },
          activation: 'gelu',
        },
        residual!,
      ),
  },
  {
    name: 'layerNorm, x used twice',
    inputs: [[4, 6]],
    build: (_, [x], frozen) => addScaled(layerNorm(x!, frozen([6]), frozen([6]), 1e-3), x!, 0.7),
  },
  { name: 'normalizeRows', inputs: [[4, 6]], build: (_, [x]) => normalizeRows(x!) },
  { name: 'softmax', inputs: [[4, 6]], build: (_, [x]) => softmax(x!) },
  {
    name: 'crossEntropy',
    inputs: [[4, 6]],
    build: (engine, [x]) => crossEntropy(x!, engine.indices([0, 5, 2, 2])),
  },
  {
    name: 'compose',
    inputs: [
      [2, 3, 4],
      [3, 4, 5],
    ],
    build: (_, [weights, prompts]) => compose(weights!, prompts!),
  },
  {
    name: 'groupDot',
    inputs: [
      [3, 5],
      [6, 5],
    ],
    build: (_, [a, b]) => groupDot(a!, b!, 2.5),
  },
  {
    name: 'gatherRows',
    inputs: [[4, 3]],
    build: (engine, [x], frozen) =>
      gatherRows(
        x!,
        rowIndex((data) => engine.indices(data), [2, -1, 0, 2, 3], 4),
        {
          tensor: frozen([2, 3]),
          index: rowIndex((data) => engine.indices(data), [-1, 0, 1, 0, -1], 2),
        },
      ),
  },
  {
    name: 'selfAttention on a tree',
    inputs: [[10, 3 * 4]],
    build: (engine, [qkv]) => selfAttention(qkv!, geometry(engine, tree), 2),
  },
  {
    name: 'crossAttention of the leaves',
    inputs: [
      [4, 4],
      [10, 2 * 4],
    ],
    build: (engine, [q, kv]) => crossAttention(q!, kv!, geometry(engine, tree.onlyLeaves()), 2),
  },
];

/**
 * Output and gradients of `case` at the given inputs; upstream gradient random, inputs pass through an affine first. Those that `learned`
 * leaves out are frozen.
 */
async function evaluate(
  engine: Engine,
  test: GradientCase,
  inputs: Float64Array[],
  gradients: boolean,
  learned: (input: number) => boolean = () => true,
) {
  const random = randomReals(99);
  const parameters = inputs.map((data, i) =>
    learned(i) ? engine.parameter(data, test.inputs[i]!) : engine.tensor(data, test.inputs[i]!),
  );
  const run = () => {
    const scaled = parameters.map((parameter) => affine(parameter, 1.3, 0.1));
    return test.build(engine, scaled, (shape) => engine.tensor(random(shape.reduce((a, b) => a * b)), shape));
  };
  const output = engine.scope(() =>
    gradients
      ? engine.withTape((tape) => {
          const out = run();
          tape.backward(out, engine.tensor(upstream(out.size), out.shape));
          return out;
        })
      : run(),
  );
  const values = await output.readExact();
  const grads = await Promise.all(parameters.map((parameter) => parameter.grad?.readExact()));
  for (const tensor of [output, ...parameters]) tensor.dispose();
  for (const parameter of parameters) parameter.zeroGrad();
  return { values, grads };
}

const upstream = (size: number) => randomReals(7)(size);

describeOnAll('gradient', (device) => {
  for (const test of cases) {
    it(test.name, async () => {
      const random = randomReals(5);
      const inputs = test.inputs.map((shape) => Float64Array.from(random(shape.reduce((a, b) => a * b))));
      const { grads } = await evaluate(new Engine(device()), test, inputs, true);

      const oracle = new Engine(new CpuBackend({ precision: 'f64' }));
      const objective = async (at: Float64Array[]) => {
        const { values } = await evaluate(oracle, test, at, false);
        const weights = upstream(values.length);
        return values.reduce((sum, value, i) => sum + value * weights[i]!, 0);
      };
      const step = 1e-5;
      for (const [i, input] of inputs.entries()) {
        const grad = grads[i];
        expect(grad, `gradient of input ${i}`).toBeDefined();
        const numeric = new Float64Array(input.length);
        for (let j = 0; j < input.length; j++) {
          const moved = (by: number) => inputs.map((data, k) => (k === i ? data.with(j, data[j]! + by) : data));
          numeric[j] = ((await objective(moved(step))) - (await objective(moved(-step)))) / (2 * step);
        }
        const scale = Math.max(1e-3, ...numeric.map(Math.abs));
        const error = Math.max(...numeric.map((value, j) => Math.abs(value - grad![j]!)));
        expect(error / scale, `gradient of input ${i}`).toBeLessThan(3e-6);
      }
      expect(oracle.backend.memory.buffers).toBe(0);
    });
  }

  for (const test of cases.filter(({ inputs }) => inputs.length > 1)) {
    it(`${test.name}: each input's gradient is the same with the others frozen`, async () => {
      const random = randomReals(5);
      const inputs = test.inputs.map((shape) => Float64Array.from(random(shape.reduce((a, b) => a * b))));
      const engine = new Engine(device());
      const all = await evaluate(engine, test, inputs, true);
      for (const i of inputs.keys()) {
        const alone = await evaluate(engine, test, inputs, true, (input) => input === i);
        expect(alone.grads.map((grad, j) => grad && j)).toEqual(inputs.map((_, j) => (j === i ? j : undefined)));
        expect(alone.grads[i]).toEqual(all.grads[i]);
      }
    });
  }
});
