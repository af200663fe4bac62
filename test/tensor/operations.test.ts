/** What the general operations compute, beside plain loops; what they refuse; initial values, clipping, and the report of a gradient check. */
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../../src/kernels/index.js';
import {
  add,
  affine,
  batchedMatmul,
  broadcastTo,
  checkGradient,
  clipGradients,
  concat,
  crossEntropy,
  div,
  dropout,
  Engine,
  indexOfMax,
  kaimingNormal,
  matmul,
  max,
  mean,
  meanSquaredError,
  mul,
  normalValues,
  relu,
  rowIndex,
  slice,
  sub,
  sum,
  type Tensor,
  transpose,
  uniformGenerator,
  uniformValues,
  xavierUniform,
} from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';

const count = (...shape: number[]) => shape.reduce((size, length) => size * length, 1);
const ascending = (engine: Engine, ...shape: number[]) =>
  engine.tensor(
    Array.from({ length: count(...shape) }, (_, i) => i),
    shape,
  );

describeOnAll('general operations', (device) => {
  /** Shape and values of what `make` returns. */
  const result = async (make: (engine: Engine) => Tensor) => {
    const engine = new Engine(device());
    using made = engine.scope(() => make(engine));
    return { shape: made.shape, values: [...(await made.read())] };
  };

  it('broadcasts from the last axis on', async () => {
    const table = (engine: Engine) => ascending(engine, 2, 3);
    expect(await result((engine) => add(table(engine), engine.tensor([10, 20, 30], [3])))).toEqual({
      shape: [2, 3],
      values: [10, 21, 32, 13, 24, 35],
    });
    expect((await result((engine) => sub(table(engine), engine.tensor([1, 2], [2, 1])))).values).toEqual([
      -1, 0, 1, 1, 2, 3,
    ]);
    expect((await result((engine) => div(12, add(table(engine), 1)))).values.map(Math.round)).toEqual([
      12, 6, 4, 3, 2, 2,
    ]);
    expect(await result((engine) => mul(ascending(engine, 2, 1), ascending(engine, 1, 2, 1, 3)))).toEqual({
      shape: [1, 2, 2, 3],
      values: [0, 0, 0, 0, 1, 2, 0, 0, 0, 3, 4, 5],
    });
    expect(await result((engine) => mul(engine.tensor([3], []), 2))).toEqual({ shape: [], values: [6] });
  });

  it('changes the order of axes', async () => {
    expect(await result((engine) => transpose(ascending(engine, 2, 3)))).toEqual({
      shape: [3, 2],
      values: [0, 3, 1, 4, 2, 5],
    });
    const shape = [2, 3, 4, 5] as const;
    const order = [3, 1, 0, 2] as const;
    const found = await result((engine) => transpose(ascending(engine, ...shape), order));
    const expected: number[] = [];
    for (let d = 0; d < 5; d++)
      for (let b = 0; b < 3; b++)
        for (let a = 0; a < 2; a++) for (let c = 0; c < 4; c++) expected.push(((a * 3 + b) * 4 + c) * 5 + d);
    expect(found).toEqual({ shape: [5, 3, 2, 4], values: expected });
    expect(
      (await result((engine) => transpose(ascending(engine, 1, 2, 1, 2, 1, 2), [5, 4, 3, 2, 1, 0]))).values,
    ).toEqual([0, 4, 2, 6, 1, 5, 3, 7]);
  });

  it('cuts out, puts together and repeats', async () => {
    expect(await result((engine) => slice(ascending(engine, 2, 3, 2), 1, 1, 3))).toEqual({
      shape: [2, 2, 2],
      values: [2, 3, 4, 5, 8, 9, 10, 11],
    });
    expect(await result((engine) => concat([ascending(engine, 2, 1), ascending(engine, 2, 2)], -1))).toEqual({
      shape: [2, 3],
      values: [0, 0, 1, 1, 2, 3],
    });
    expect(await result((engine) => broadcastTo(ascending(engine, 2, 1), [2, 2, 3]))).toEqual({
      shape: [2, 2, 3],
      values: [0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1],
    });
  });

  it('reduces over an axis, or over all elements', async () => {
    const x = (engine: Engine) => ascending(engine, 2, 3, 2);
    expect(await result((engine) => sum(x(engine), 1))).toEqual({ shape: [2, 2], values: [6, 9, 24, 27] });
    expect(await result((engine) => mean(x(engine), -1, { keep: true }))).toEqual({
      shape: [2, 3, 1],
      values: [0.5, 2.5, 4.5, 6.5, 8.5, 10.5],
    });
    expect(await result((engine) => sum(x(engine)))).toEqual({ shape: [1], values: [66] });
    expect(await result((engine) => max(x(engine), 0))).toEqual({ shape: [3, 2], values: [6, 7, 8, 9, 10, 11] });
    const ties = (engine: Engine) => engine.tensor([1, 3, 3, -5, -9, -5], [2, 3]);
    expect((await result((engine) => max(ties(engine), 1))).values).toEqual([3, -5]);
    expect(await result((engine) => indexOfMax(ties(engine), 1, { keep: true }))).toEqual({
      shape: [2, 1],
      values: [1, 0],
    });
  });

  it('multiplies matrices pair by pair', async () => {
    const found = await result((engine) => batchedMatmul(ascending(engine, 2, 2, 3), ascending(engine, 2, 3, 2)));
    const second = await result((engine) =>
      matmul(
        slice(ascending(engine, 2, 2, 3), 0, 1, 2).reshape([2, 3]),
        slice(ascending(engine, 2, 3, 2), 0, 1, 2).reshape([3, 2]),
      ),
    );
    expect(found.shape).toEqual([2, 2, 2]);
    expect(found.values.slice(4)).toEqual(second.values);
  });

  it('drops out a share, and keeps the mean', async () => {
    const { values } = await result((engine) =>
      dropout(engine.tensor(new Float32Array(4000).fill(1), [4000]), 0.25, uniformGenerator(1)),
    );
    const dropped = values.filter((value) => value === 0).length;
    expect(dropped).toBeGreaterThan(900);
    expect(dropped).toBeLessThan(1100);
    expect(new Set(values)).toEqual(new Set([0, Math.fround(4 / 3)]));
  });

  it('computes the mean squared error', async () => {
    const { values } = await result((engine) =>
      meanSquaredError(engine.tensor([1, 2, 3, 4], [2, 2]), engine.tensor([1, 0, 3, 8], [2, 2])),
    );
    expect(values).toEqual([5]);
  });

  it('clips gradients by their common norm', async () => {
    const engine = new Engine(device());
    using a = engine.parameter([1], [1]);
    using b = engine.parameter([1, 1], [2]);
    const step = async (norm: number) => {
      engine.scope(() =>
        engine.withTape((tape) => tape.backward(add(sum(mul(a, 3)), sum(mul(b, engine.tensor([0, 4], [2])))))),
      );
      using before = clipGradients([a, b], norm);
      const found = { before: await before!.read(), a: await a.grad!.read(), b: await b.grad!.read() };
      for (const parameter of [a, b]) parameter.zeroGrad();
      return found;
    };
    const close = (values: number[]) => values.map((value) => expect.closeTo(value, 5));
    const halved = await step(2.5);
    expect([...halved.before]).toEqual(close([5]));
    expect([...halved.a, ...halved.b]).toEqual(close([1.5, 0, 2]));
    const kept = await step(6);
    expect([...kept.a, ...kept.b]).toEqual(close([3, 0, 4]));
    expect(clipGradients([a, b], 1)).toBeUndefined();
  });
});

describe('operations refuse', () => {
  const engine = new Engine(new CpuBackend());
  const zeros = (...shape: number[]) => engine.zeros(shape);
  const cases: readonly (readonly [message: string, run: () => unknown])[] = [
    ['mul: [2, 3] and [2] do not broadcast', () => mul(zeros(2, 3), zeros(2))],
    ['sum: expected an axis of [2, 3], found 2', () => sum(zeros(2, 3), 2)],
    ['max: expected an axis of [2, 3], found -3', () => max(zeros(2, 3), -3)],
    ['slice: expected a range within 0 to 3 of axis 1, found 1 to 4', () => slice(zeros(2, 3), 1, 1, 4)],
    ['slice: expected a range within 0 to 3 of axis 1, found 1 to 1', () => slice(zeros(2, 3), 1, 1, 1)],
    ['concat: expected at least one tensor', () => concat([], 0)],
    ['concat: expected tensors [n, 3], found [3, 2]', () => concat([zeros(2, 3), zeros(3, 2)], 0)],
    ['transpose: expected the axes of [2, 3] in some order, found [0, 0]', () => transpose(zeros(2, 3), [0, 0])],
    ['transpose: expected a tensor of at least two axes, or an order', () => transpose(zeros(3))],
    ['broadcastTo: [2, 3] is not a part of [1, 3]', () => broadcastTo(zeros(2, 3), [1, 3])],
    [
      'transpose: [2, 2, 2, 2, 2] needs 5 axes here, of which kernels take four',
      () => transpose(zeros(2, 2, 2, 2, 2), [4, 3, 2, 1, 0]),
    ],
    ['batchedMatmul: expected b [2, 4, n], found [3, 4, 5]', () => batchedMatmul(zeros(2, 3, 4), zeros(3, 4, 5))],
    ['batchedMatmul: expected b [2, 4, n], found [2, 3, 5]', () => batchedMatmul(zeros(2, 3, 4), zeros(2, 3, 5))],
    ['dropout: expected a rate from 0 to below 1, found 1', () => dropout(zeros(2), 1, Math.random)],
    ['meanSquaredError: expected target [2, 3], found [3]', () => meanSquaredError(zeros(2, 3), zeros(3))],
    ['crossEntropy: expected labels from 0 to 2, found 3 in row 1', () => crossEntropy(zeros(2, 3), [0, 3])],
    ['crossEntropy: expected labels [2], found [1]', () => crossEntropy(zeros(2, 3), [0])],
    [
      'rowIndex: expected rows from -1 to 3, found 4 in row 1',
      () => rowIndex((data) => engine.indices(data), [-1, 4], 4),
    ],
    ['clipGradients: expected a norm above 0, found 0', () => clipGradients([], 0)],
  ];
  it.each(cases)('%s', (message, run) => {
    expect(() => engine.scope(() => void run())).toThrow(new Error(message));
  });
});

describe('initial values', () => {
  const spread = (values: Float32Array) => {
    const average = values.reduce((total, value) => total + value, 0) / values.length;
    return { average, variance: values.reduce((total, value) => total + (value - average) ** 2, 0) / values.length };
  };

  it('are spread as they should be, and follow from the seed', () => {
    const { average, variance } = spread(xavierUniform([300, 100], 1));
    expect(average).toBeCloseTo(0, 2);
    expect(variance * 200).toBeCloseTo(1, 1);
    expect(spread(kaimingNormal([300, 100], 1)).variance * 50).toBeCloseTo(1, 1);
    expect(spread(normalValues([10_000], 3, 2)).variance).toBeCloseTo(9, 0);
    expect(Math.max(...uniformValues([1000], 0.5, 2).map(Math.abs))).toBeLessThanOrEqual(0.5);
    expect(uniformValues([3], 1, 5)).toEqual(uniformValues([3], 1, 5));
    expect(uniformValues([3], 1, 5)).not.toEqual(uniformValues([3], 1, 6));
  });
});

describe('checkGradient', () => {
  it('says that a gradient is right', async () => {
    const report = await checkGradient((x, y) => mul(x, y), [[2, 3], [3]]);
    expect(report.passed).toBe(true);
    expect(String(report)).toMatch(
      /^input 0 \[2, 3\]: right, at \[\d, \d\] analytic \S+, numeric \S+, relative error \S+ \(at most 0.000003\)\ninput 1 \[3\]: right/,
    );
  });

  it('names input and element of a wrong one', async () => {
    const wrong = (x: Tensor, y: Tensor) => {
      const { engine } = x;
      const out = add(x, y);
      out.vertex = undefined;
      engine.record(out, [x, y], {}, (gradOut, _, { give }) => {
        give(0, () => gradOut);
        give(1, () => mul(gradOut, engine.tensor([1, 1, -1], [3])));
      });
      return out;
    };
    const report = await checkGradient(wrong, [[3], [3]]);
    expect(report.passed).toBe(false);
    expect(report.inputs.map(({ error }) => error < 1e-6)).toEqual([true, false]);
    expect(report.inputs[1]!.worst!.index).toEqual([2]);
    expect(String(report).split('\n')[1]).toMatch(/^input 1 \[3\]: WRONG, at \[2\] analytic \S+, numeric/);
  });

  it('tells a missing gradient, and one that depends on what else is learned', async () => {
    const detached = await checkGradient((x) => x.engine.tensor([1, 2], [2]), [[2]]);
    expect(String(detached)).toBe('input 0 [2]: WRONG, no gradient arrived');
    const jealous = (x: Tensor, y: Tensor) => (y.vertex || !x.vertex ? add(x, y) : add(affine(x, 2), affine(x, -1)));
    expect((await checkGradient(jealous, [[2], [2]])).passed).toBe(true);
    const shy = (x: Tensor, y: Tensor) => (y.vertex || !x.vertex ? add(x, y) : add(relu(x), y));
    const report = await checkGradient(shy, [{ shape: [2], values: [-1, 1] }, [2]]);
    expect(String(report)).toContain('another gradient while the other inputs are frozen');
    expect(report.passed).toBe(false);
  });
});

it('a tensor prints as one line', async () => {
  const { inspect } = await import('node:util');
  const engine = new Engine(new CpuBackend());
  const x = engine.parameter([1, 2], [1, 2]);
  expect(inspect(x)).toBe('Tensor [1, 2] f32 on cpu, with gradient');
  using labels = engine.indices([1]);
  expect(`${labels}`).toBe('Tensor [1] i32 on cpu');
  x.dispose();
  expect(inspect(x)).toBe('Tensor [1, 2] f32 on cpu, disposed');
});
