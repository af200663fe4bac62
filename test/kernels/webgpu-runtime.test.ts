/** The WebGPU runtime's promises: order of writes and dispatches, few submits, reuse of buffers, clear failures. */
import { expect, it } from 'vitest';
import { TextTower, TokenEmbeddings } from '../../src/clip/towers/index.js';
import { InputError } from '../../src/errors.js';
import type { WebGpuBackend } from '../../src/kernels/index.js';
import { normalizedFeatures } from '../../src/ptdpc/features.js';
import { tuningOptions } from '../../src/ptdpc/options.js';
import { PromptModel } from '../../src/ptdpc/prompt-model.js';
import { accumulateGradient } from '../../src/ptdpc/step.js';
import { affine, Engine } from '../../src/tensor/index.js';
import { describeOn, openTestDevice } from '../support/devices.js';
import { randomReals } from '../support/random.js';
import { randomClip, SMALL_CLIP } from '../support/random-clip.js';

describeOn('webgpu', 'runtime', (device) => {
  it('gives every dispatch of a batch its own parameters, beyond the arena too', async () => {
    const engine = new Engine(device());
    const x = engine.tensor([1], [1]);
    // 700 dispatches are more than one arena holds; each has another scale.
    const results = Array.from({ length: 700 }, (_, i) => affine(x, i, 0.5));
    const values = await Promise.all([0, 1, 511, 512, 513, 699].map(async (i) => (await results[i]!.read())[0]));
    expect(values).toEqual([0.5, 1.5, 511.5, 512.5, 513.5, 699.5]);
    for (const tensor of [x, ...results]) tensor.dispose();
  });

  it('a host write comes after the dispatches that were recorded before it', async () => {
    const engine = new Engine(device());
    const x = engine.tensor([1, 2], [2]);
    const before = affine(x, 10);
    engine.backend.write(x.buffer, [3, 4]);
    const after = affine(x, 10);
    expect([...(await before.read()), ...(await after.read())]).toEqual([10, 20, 30, 40]);
    for (const tensor of [x, before, after]) tensor.dispose();
  });

  it('memory given back while commands are pending may be written again', async () => {
    const engine = new Engine(device());
    const x = engine.tensor([1, 2], [2]);
    const doubled = affine(x, 2);
    x.dispose();
    // Very likely the same memory: the pending dispatch must still see the old values.
    const y = engine.tensor([7, 8], [2]);
    expect([...(await doubled.read()), ...(await y.read())]).toEqual([2, 4, 7, 8]);
    doubled.dispose();
    y.dispose();
  });

  it('records a training step in few submits', async () => {
    const counted = (await openTestDevice('webgpu', { poison: false })) as WebGpuBackend;
    const engine = new Engine(counted);
    using tower = await TextTower.load(engine, randomClip(), SMALL_CLIP);
    const text = { sot: 58, eot: 59, template: [4, 9, 7], classes: [[1], [2, 3]] };
    const options = tuningOptions('paper');
    using model = await PromptModel.create(tower, new TokenEmbeddings(randomClip()), text, options);
    const batch = { features: normalizedFeatures(randomReals(8)(64), 16), labels: Int32Array.of(0, 1, 1, 0) };
    await accumulateGradient(model, batch, 2 ** 30);
    const { counters } = counted;
    const before = { ...counters };
    await accumulateGradient(model, batch, 2 ** 30);
    // One submit for everything, one for each of the two results that are read.
    expect(counters.submits - before.submits).toBeLessThanOrEqual(4);
    // 3 layers forward (8 dispatches) and backward (9), composition, loss: few enough to be counted.
    expect(counters.dispatches - before.dispatches).toBeLessThan(80);
    counted.dispose();
  }, 60_000);

  it('refuses a tensor that the adapter cannot hold', () => {
    expect(() => device().allocate('f32', 2 ** 31)).toThrow(InputError);
    expect(() => device().allocate('f32', 2 ** 31)).toThrow(/does not fit on this WebGPU adapter/);
  });
});
