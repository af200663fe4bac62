/** Scopes, the tape's memory, frozen tensors and optimiser state. */
import { expect, it } from 'vitest';
import { kernels } from '../../src/kernels/index.js';
import {
  AdamW,
  addScaled,
  affine,
  Engine,
  feedForward,
  layerNorm,
  linear,
  mean,
  Sgd,
  softmax,
  type Tape,
  type Tensor,
} from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';

describeOnAll('engine', (device) => {
  const engineWith = () => new Engine(device());
  const live = () => device().memory.buffers;

  it('a scope frees what it does not return, nested values included', async () => {
    const engine = engineWith();
    const before = live();
    const kept = engine.scope(() => {
      const a = engine.tensor([1, 2], [2]);
      engine.tensor([3], [1]);
      return { list: [affine(a, 2)], count: 1 };
    });
    expect(live()).toBe(before + 1);
    expect(await kept.list[0]!.read()).toEqual(Float32Array.of(2, 4));
    kept.list[0]!.dispose();
  });

  it('a scope frees everything when its body throws', () => {
    const engine = engineWith();
    const before = live();
    expect(() =>
      engine.scope(() => {
        engine.zeros([5]);
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(live()).toBe(before);
  });

  it('a reshaped tensor keeps the memory alive', async () => {
    const engine = engineWith();
    const flat = engine.scope(() => engine.tensor([1, 2, 3, 4], [2, 2]).reshape([4]));
    expect(await flat.read()).toEqual(Float32Array.of(1, 2, 3, 4));
    flat.dispose();
  });

  it('a disposed tensor cannot be used', () => {
    const engine = engineWith();
    const tensor = engine.zeros([2]);
    tensor.dispose();
    expect(() => engine.scope(() => affine(tensor, 1))).toThrow('after it was disposed');
  });

  it('frozen tensors never get a gradient buffer', () => {
    const engine = engineWith();
    const frozen = { weight: engine.zeros([3, 2]), bias: engine.zeros([3]) };
    const input = engine.parameter([1, 2], [1, 2]);
    const allocated = countAllocations(engine, () =>
      engine.withTape((tape) => tape.backward(mean(linear(input, frozen.weight, frozen.bias)))),
    );
    expect(frozen.weight.grad).toBeUndefined();
    expect(frozen.weight.vertex).toBeUndefined();
    expect(input.grad).toBeDefined();
    // linear 3; mean 1; the gradients of 1 (seed), the mean's input 3, the input 2. None of the weight's 6.
    expect(allocated).toEqual([3, 1, 1, 3, 2]);
    disposeAll([input, frozen.weight, frozen.bias]);
    input.zeroGrad();
  });

  it('without a tape, or without a parameter, nothing is saved', () => {
    const engine = engineWith();
    const before = live();
    const weights = engine.scope(() => [engine.zeros([2, 2]), engine.zeros([2])]);
    const x = engine.parameter([1, 2], [1, 2]);
    engine.scope(() => layerNorm(x, weights[1]!, weights[1]!, 1e-5).dispose());
    engine.withTape(() => engine.scope(() => layerNorm(weights[0]!, weights[1]!, weights[1]!, 1e-5).dispose()));
    expect(live()).toBe(before + 3);
    disposeAll([...weights, x]);
  });

  it('intermediate results that no gradient needs are freed before the backward pass', () => {
    const engine = engineWith();
    const w = engine.scope(() => ({
      a: engine.zeros([8, 2]),
      b: engine.zeros([8]),
      c: engine.zeros([2, 8]),
      d: engine.zeros([2]),
    }));
    const x = engine.parameter([1, 2], [1, 2]);
    const before = live();
    engine.scope(() =>
      engine.withTape((tape) => {
        const layers = { weight1: w.a, bias1: w.b, weight2: w.c, bias2: w.d, activation: 'gelu' as const };
        const y = engine.scope(() => feedForward(x, layers, x));
        // The result and the value before the activation; not the hidden layer.
        expect(live()).toBe(before + 2);
        tape.backward(mean(y));
      }),
    );
    x.zeroGrad();
    expect(live()).toBe(before);
    disposeAll([w.a, w.b, w.c, w.d, x]);
  });

  it('a backward pass that fails leaves nothing behind', () => {
    const engine = engineWith();
    const before = live();
    const x = engine.parameter([1, 2], [1, 2]);
    expect(() =>
      engine.scope(() =>
        engine.withTape((tape) => {
          const y = affine(x, 2);
          const z = engine.zeros([1]);
          engine.record(z, [y], { y }, () => {
            throw new Error('stop');
          });
          tape.backward(z);
        }),
      ),
    ).toThrow('stop');
    x.dispose();
    expect(live()).toBe(before);
  });

  it('gradients of several backward passes add up', async () => {
    const engine = engineWith();
    const x = engine.parameter([1, 2], [2]);
    for (let pass = 0; pass < 3; pass++) {
      engine.scope(() => engine.withTape((tape) => tape.backward(mean(affine(x, 4)))));
    }
    expect(await x.grad!.read()).toEqual(Float32Array.of(6, 6));
    x.zeroGrad();
    x.dispose();
  });

  it('a gradient has the shape of its parameter, whatever shape it was used under', () => {
    const engine = engineWith();
    const x = engine.parameter([1, 2, 3, 4, 5, 6], [2, 3]);
    engine.scope(() => engine.withTape((tape) => tape.backward(mean(x))));
    expect(x.grad!.shape).toEqual([2, 3]);
    // Used twice, under two shapes: the second gradient is added to the first.
    engine.scope(() =>
      engine.withTape((tape) => tape.backward(addScaled(mean(x.reshape([3, 2])), mean(softmax(x.reshape([6])))))),
    );
    expect(x.grad!.shape).toEqual([2, 3]);
    x.zeroGrad();
    x.dispose();
  });

  it('refuses bodies that are asynchronous: an await would outlive their tape or scope', async () => {
    const engine = engineWith();
    const before = live();
    const x = engine.parameter([1, 2], [2]);
    const body = async (tape?: Tape) => {
      const loss = mean(affine(x, 4));
      await Promise.resolve();
      tape?.backward(loss);
    };
    const refused = /expected a synchronous function, found one that returns a promise/;
    expect(() => engine.scope(() => engine.withTape(body))).toThrow(refused);
    expect(() => engine.scope(() => body())).toThrow(refused);
    // biome-ignore lint/suspicious/noThenProperty: any thenable counts.
    expect(() => engine.withTape(() => ({ then: () => {} }))).toThrow(/^withTape: /);
    // What the bodies did after their await is over, and failed without being heard.
    await new Promise((resolve) => setTimeout(resolve));
    expect(x.grad).toBeUndefined();
    x.dispose();
    expect(live()).toBe(before);
  });

  it('goes backward once, from what was computed on this tape', () => {
    const engine = engineWith();
    const x = engine.parameter([1, 2], [2]);
    engine.scope(() => {
      const old = engine.withTape((tape) => ({ tape, y: mean(affine(x, 4)) }));
      expect(() => old.tape.backward(old.y)).toThrow(/the tape has ended; call it inside withTape/);
      engine.withTape((tape) => {
        expect(() => tape.backward(old.y)).toThrow(/not on this tape/);
        expect(() => tape.backward(x.reshape([2]))).toThrow(/not on this tape/);
        expect(() => tape.backward(engine.zeros([1]))).toThrow(/depends on no parameter/);
        expect(() => affine(old.y, 2)).toThrow(/computed on a tape that has ended/);
        const y = affine(x, 4);
        expect(() => tape.backward(y)).toThrow(
          'backward from a tensor of shape [2], which is no scalar, needs a gradient',
        );
        expect(() => tape.backward(y, engine.zeros([1, 2]))).toThrow(
          'backward: expected the gradient [2], found [1, 2]',
        );
        expect(x.grad).toBeUndefined();
        tape.backward(mean(y));
        expect(x.grad).toBeDefined();
        expect(() => tape.backward(mean(y))).toThrow(/called on this tape already; open another/);
      });
      // Without a tape it is a tensor like any other.
      expect(affine(old.y, 2).shape).toEqual([1]);
    });
    x.zeroGrad();
    x.dispose();
  });

  it.each(['sgd', 'adamw'] as const)('%s continues exactly from a saved state', async (kind) => {
    const engine = engineWith();
    const optimizerOf = (x: Tensor) =>
      kind === 'sgd'
        ? new Sgd([x], { momentum: 0.9 })
        : new AdamW([x], { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 });
    const descend = (x: Tensor, optimizer: Sgd | AdamW) => {
      engine.scope(() => engine.withTape((tape) => tape.backward(mean(linear(x, x)))));
      optimizer.step(0.1);
      x.zeroGrad();
    };
    const straight = engine.parameter([1, -2, 3], [1, 3]);
    const optimizer = optimizerOf(straight);
    for (let i = 0; i < 2; i++) descend(straight, optimizer);
    const resumed = engine.parameter(await straight.read(), [1, 3]);
    const second = optimizerOf(resumed);
    second.restore(await optimizer.state());
    for (let i = 0; i < 2; i++) {
      descend(straight, optimizer);
      descend(resumed, second);
    }
    expect(await resumed.read()).toEqual(await straight.read());
    expect((await straight.read())[0]).not.toBe(1);
    for (const thing of [straight, resumed, optimizer, second]) thing[Symbol.dispose]();
  });

  it('keeps the memory of a step for the next one, also when a budget ends in between', () => {
    const engine = engineWith();
    const { memory } = device();
    const step = () => {
      using _budget = engine.workWithin(2 ** 30);
      engine.scope(() => {
        for (let i = 0; i < 4; i++) engine.empty([10 * 2 ** 20]);
      });
    };
    step();
    const held = memory.heldBytes;
    expect(held).toBeGreaterThan(160 * 2 ** 20);
    step();
    expect(memory.heldBytes).toBe(held);
    engine.workWithin(0)[Symbol.dispose]();
    if (device().kind === 'webgpu') expect(memory.heldBytes).toBeLessThan(held - 160 * 2 ** 20 + 1);
  });

  it('stores a weight in half precision only where no number changes and memory is saved', async () => {
    const engine = engineWith();
    const { memory, packsHalves, kind } = engine.backend;
    const halves = Float32Array.of(1, -0.5, 2 ** -24, 65504, 0);
    const before = memory.bytes;
    const packed = engine.weight(halves, [1, 5]);
    // WebGPU counts whole words.
    const bytesOfFive = kind === 'webgpu' ? 12 : 10;
    expect(memory.bytes - before).toBe(packsHalves ? bytesOfFive : 20);
    expect(await packed.read()).toEqual(halves);
    const other = engine.weight(Float32Array.of(0.1, 1), [1, 2]);
    expect(other.dtype).toBe('f32');
    expect((await other.read())[0]).toBe(Math.fround(0.1));
    disposeAll([packed, other]);
  });

  it('refuses half-precision operands where a kernel does not read them', () => {
    const engine = engineWith();
    using halves = engine.weight(new Float32Array(4), [4]);
    expect(() => engine.run(kernels.affine, { x: halves, scale: 1, shift: 0 })).toThrow(
      'affine: expected x of numbers (f32), found f16',
    );
  });
});

function disposeAll(tensors: Tensor[]): void {
  for (const tensor of tensors) tensor.dispose();
}

/** Sizes of all buffers allocated while `body` runs. */
function countAllocations(engine: Engine, body: () => void): number[] {
  const sizes: number[] = [];
  const allocate = engine.backend.allocate.bind(engine.backend);
  engine.backend.allocate = (dtype, length) => {
    sizes.push(length);
    return allocate(dtype, length);
  };
  try {
    engine.scope(body);
  } finally {
    engine.backend.allocate = allocate;
  }
  return sizes;
}
