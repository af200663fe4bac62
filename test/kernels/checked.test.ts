/** The kernel that first wrote NaN or an infinity is named, with what it read, and what launched it. */
import { expect, it } from 'vitest';
import { CheckedBackend, NonFiniteKernelError } from '../../src/kernels/index.js';
import { addScaled, affine, Engine, layerNorm, linear, mean, selfAttention, softmax } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';

describeOnAll('a checked device', (device) => {
  const ones = (engine: Engine, ...shape: number[]) =>
    engine.tensor(new Float32Array(shape.reduce((size, axis) => size * axis, 1)).fill(1), shape);

  it('lets finite numbers pass, and leaves no memory behind', async () => {
    const engine = new Engine(new CheckedBackend(device()));
    using weight = engine.parameter(new Float32Array(12).fill(0.5), [3, 4]);
    const loss = engine.scope(() =>
      engine.withTape((tape) => {
        const out = mean(softmax(linear(ones(engine, 2, 4), weight)));
        tape.backward(out);
        return out;
      }),
    );
    expect([...(await loss.read())][0]).toBeCloseTo(1 / 3, 6);
    expect(await weight.grad!.read()).toHaveLength(12);
    weight.zeroGrad();
    loss.dispose();
  });

  it('names the first kernel, its operation and the ranges of what it read', async () => {
    const engine = new Engine(new CheckedBackend(device()));
    using result = engine.scope(() => {
      const x = affine(ones(engine, 2, 3), 2e38);
      // 4e38 is no float32.
      return softmax(addScaled(x, x));
    });
    const error = await result.read().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(NonFiniteKernelError);
    const { message } = error as Error;
    expect(message).toMatch(
      /^affine \((twin|four), in addScaled\) wrote 6 of 6 numbers of out that are not finite, the first at 0; x in \[2\.000e\+38, 2\.000e\+38\], addend in \[/,
    );
    expect(message).not.toContain('\n');
  });

  it('tells a backward pass from its forward pass, and what came from the host', async () => {
    const engine = new Engine(new CheckedBackend(device()));
    using x = engine.parameter(Float32Array.of(1, 2, 3, 4), [2, 2]);
    engine.scope(() =>
      engine.withTape((tape) => {
        const [weight, bias] = [ones(engine, 2), engine.tensor([0, 0], [2])];
        const out = layerNorm(x, weight, bias, 1e-5);
        tape.backward(out, engine.tensor([1, Number.NaN, 0, 0], [2, 2]));
      }),
    );
    await expect(x.grad!.read()).rejects.toThrow(
      /^layerNormGrad \(\w+, in the backward pass of layerNorm\) wrote 2 of 4 numbers of gradX .*; x in \[1\.000, 4\.000\], .*gradOut in \[0\.000, 1\.000\] and 1 not finite/,
    );
    x.zeroGrad();
  });

  it('a gradient that two kernels write in parts is looked at once it is whole', async () => {
    const engine = new Engine(new CheckedBackend(device()));
    using qkv = engine.parameter(new Float32Array(2 * 12).fill(0.1), [2, 12]);
    engine.scope(() =>
      engine.withTape((tape) => {
        const rows = {
          queries: 2,
          keys: 2,
          visible: engine.indices([0, 2, 0, 0, 0, 2, 0, 0]),
          seenBy: engine.indices([0, 2, 0, 2]),
        };
        tape.backward(mean(selfAttention(affine(qkv, 1), rows, 1)));
      }),
    );
    expect((await qkv.grad!.read()).every(Number.isFinite)).toBe(true);
    qkv.zeroGrad();
  });
});
