/** `engine.kernel`: a user's own kernel as a function of tensors, on both devices, and what it is told if it is wrong. */
import { expect, it } from 'vitest';
import { Profiler, reads, readsIndices, readsWeights, updates, writes } from '../../src/kernels/index.js';
import { checkGradient, Engine, type Tensor } from '../../src/tensor/index.js';
import { describeOn, describeOnAll, hasAdapter, openTestDevice } from '../support/devices.js';

const bindings = `
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
`;
/** An element for each invocation. */
const elementwise = (formula: string, declarations = bindings) => `
// #include "grid.wgsl"

struct Params { length: u32, beta: f32 }
${declarations}
@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let i = element_number(grid, lane);
  if (i < params.length) {
    ${formula}
  }
}
`;

const operands = { x: reads('...length'), out: writes('...length') };
const softplus = {
  name: 'softplus',
  wgsl: elementwise('out[i] = log(1.0 + exp(params.beta * x[i])) / params.beta;'),
  operands,
  scalars: { beta: 1 },
  twin({ x, out, length, beta }: { x: Numbers; out: Numbers; length: number; beta: number }) {
    for (let i = 0; i < length; i++) out[i] = Math.log(1 + Math.exp(beta * x[i]!)) / beta;
  },
} as const;
type Numbers = Float32Array | Float64Array;

describeOnAll('a kernel of your own', (device) => {
  it('is a function from tensors to tensors; NaN and infinities pass', async () => {
    const engine = new Engine(device());
    const run = engine.kernel(softplus);
    const values = [0, 1, -1, Number.NaN, Number.NEGATIVE_INFINITY, 5];
    using x = engine.tensor(values, [3, 1, 2]);
    using out = run({ x, beta: 2 }).out;
    expect(out.shape).toEqual([3, 1, 2]);
    const expected = values.map((value) => Math.log(1 + Math.exp(2 * value)) / 2);
    for (const [i, value] of (await out.read()).entries()) {
      if (i === 3) expect(value).toBeNaN();
      else expect(value).toBeCloseTo(expected[i]!, 5);
    }
  });

  it('covers more than one workgroup, and writes into a tensor that is given', async () => {
    const engine = new Engine(device());
    const run = engine.kernel({ ...softplus, name: 'twice', wgsl: elementwise('out[i] = 2.0 * x[i];'), twin: double });
    using x = engine.tensor(
      Float32Array.from({ length: 1000 }, (_, i) => i),
      [1000],
    );
    using out = engine.zeros([1000]);
    expect(run({ x, out, beta: 0 }).out).toBe(out);
    expect((await out.read())[999]).toBe(1998);
  });

  it('updates in place', async () => {
    const engine = new Engine(device());
    const run = engine.kernel({
      name: 'halve',
      wgsl: elementwise(
        'x[i] *= params.beta;',
        bindings.replace(/.*out: array.*\n/, '').replace('read>', 'read_write>'),
      ),
      operands: { x: updates('...length') },
      scalars: { beta: 0.5 },
      twin({ x, length, beta }) {
        for (let i = 0; i < length; i++) x[i]! *= beta;
      },
    });
    using x = engine.tensor([2, 4, 6], [3]);
    run({ x, beta: 0.5 });
    expect([...(await x.read())]).toEqual([1, 2, 3]);
  });

  it('has a gradient on the tape, if it is given one', async () => {
    const gradient = {
      name: 'softplusGrad',
      wgsl: elementwise(
        'grad_x[i] = grad_out[i] / (1.0 + exp(-params.beta * x[i]));',
        `${bindings.replace('out: array', 'grad_x: array')}@group(0) @binding(3) var<storage, read> grad_out: array<f32>;\n`,
      ),
      operands: { x: reads('...length'), gradOut: reads('...length'), gradX: writes('...length') },
      scalars: { beta: 1 },
      twin({
        x,
        gradOut,
        gradX,
        length,
        beta,
      }: { [name in 'x' | 'gradOut' | 'gradX']: Numbers } & { length: number; beta: number }) {
        for (let i = 0; i < length; i++) gradX[i] = gradOut[i]! / (1 + Math.exp(-beta * x[i]!));
      },
    };
    const operation = (x: Tensor) => {
      const { engine } = x;
      const { out } = engine.kernel(softplus)({ x, beta: 2 });
      engine.record(out, [x], { x }, (gradOut, saved, { give }) => {
        give(0, () => engine.kernel(gradient)({ x: saved.x, gradOut, beta: 2 }).gradX);
      });
      return out;
    };
    const report = await checkGradient(operation, [[2, 5]], { engine: new Engine(device()) });
    expect(report.passed, String(report)).toBe(true);
  });

  it('names what is missing or does not fit', () => {
    const engine = new Engine(device());
    const run = engine.kernel(softplus);
    const called = (inputs: object) => () => run(inputs as Parameters<typeof run>[0]);
    using x = engine.tensor([1, 2, 3], [3]);
    using indices = engine.indices([1, 2, 3]);
    using short = engine.zeros([2]);
    expect(called({ beta: 1 })).toThrow(new Error('softplus: expected a tensor x, found undefined'));
    expect(called({ x })).toThrow(new Error('softplus: expected a number beta, found undefined'));
    expect(called({ x: indices, beta: 1 })).toThrow(new Error('softplus: expected x of numbers (f32), found i32'));
    expect(called({ x, out: short, beta: 1 })).toThrow(new Error('softplus: expected out [...3], found [2]'));

    const gather = engine.kernel({
      name: 'pick',
      wgsl: '',
      operands: {
        x: reads('rows columns'),
        index: readsIndices('picked'),
        w: readsWeights('columns n'),
        out: writes('m n'),
      },
    });
    using table = engine.zeros([3, 4]);
    using weights = engine.zeros([4, 2]);
    const picked = (inputs: object) => () => gather(inputs as Parameters<typeof gather>[0]);
    expect(picked({ x: table, index: x, w: weights, m: 1 })).toThrow('pick: expected index of whole numbers (i32');
    expect(picked({ x, index: indices, w: weights, m: 1 })).toThrow('pick: expected x [rows, columns], found [3]');
    expect(picked({ x: table, index: indices, w: table, m: 1 })).toThrow('pick: expected w [4, n], found [3, 4]');
    expect(picked({ x: table, index: indices, w: weights })).toThrow(
      'pick: the shape of out does not follow from the inputs: give m',
    );
  });

  it('is refused without anything that it writes', () => {
    const engine = new Engine(device());
    const inputsOnly = { name: 'nothing', wgsl: '', operands: { x: reads('...length') } };
    expect(() => engine.kernel(inputsOnly)).toThrow(new Error('nothing: expected an operand that it writes'));
    const twice = { ...softplus, scalars: { x: 1 }, twin: () => {} };
    expect(() => engine.kernel(twice)).toThrow(new Error('softplus: x is both an operand and a number'));
  });
});

describeOn('cpu', 'a kernel of your own without a twin', (device) => {
  it('does not run', () => {
    const engine = new Engine(device());
    const run = engine.kernel({ name: 'gpuOnly', wgsl: softplus.wgsl, operands });
    using x = engine.tensor([1], [1]);
    expect(() => engine.scope(() => void run({ x }))).toThrow(
      new Error('gpuOnly: it has no twin, so it does not run on the CPU; give one, or open WebGPU'),
    );
  });
});

describeOn('webgpu', 'the text of a kernel of your own', (device) => {
  const attempt = (wgsl: string) => {
    const engine = new Engine(device());
    const run = engine.kernel({ name: 'mine', wgsl, operands, scalars: { beta: 1 } });
    using x = engine.tensor([1, 2], [2]);
    engine.scope(() => {
      run({ x, beta: 1 });
    });
  };

  it.each([
    [
      'a binding that is missing',
      bindings.replace('out: array', 'result: array'),
      'expected a storage binding out, found none',
    ],
    [
      'bindings with a gap',
      bindings.replace('binding(2)', 'binding(3)'),
      'storage bindings must be numbered from 1 without a gap',
    ],
  ])('%s is named', (_, declarations, message) => {
    expect(() => attempt(elementwise('', declarations))).toThrow(message);
  });

  it('a parameter that the kernel has not is named', () => {
    expect(() => attempt(elementwise('').replace('beta: f32', 'gamma: f32'))).toThrow(
      'mine (own): parameter gamma: expected a number gamma among the arguments, found none',
    );
  });

  it('an include that is not there is named', () => {
    expect(() => attempt(elementwise('').replace('grid.wgsl', 'gird.wgsl'))).toThrow(
      '#include "gird.wgsl": expected a file of shaders/',
    );
  });
});

it.skipIf(!hasAdapter)("a text that does not compile is the compiler's message at the next read", async () => {
  const backend = await openTestDevice('webgpu');
  const engine = new Engine(backend);
  const run = engine.kernel({ name: 'mine', wgsl: elementwise('out[i] = nothing;'), operands, scalars: { beta: 1 } });
  const x = engine.tensor([1, 2], [2]);
  try {
    const { out } = run({ x, beta: 1 });
    await expect(out.read()).rejects.toThrow(/unresolved value 'nothing'/);
  } finally {
    backend.dispose();
  }
});

it('is profiled by its name', async () => {
  const profiler = new Profiler();
  const backend = await openTestDevice('cpu', { profiler });
  const engine = new Engine(backend);
  engine.kernel(softplus)({ x: engine.tensor([1, 2], [2]), beta: 1 });
  expect(profiler.kernels.get('softplus')).toMatchObject({ calls: 1, bytes: 16 });
  backend.dispose();
});

function double({ x, out, length }: { x: Numbers; out: Numbers; length: number }): void {
  for (let i = 0; i < length; i++) out[i] = 2 * x[i]!;
}
