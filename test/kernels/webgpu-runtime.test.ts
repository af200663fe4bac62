/** The WebGPU runtime's promises: order of writes and dispatches, few submits, reuse of buffers, clear failures. */
import { expect, it } from 'vitest';
import { TextTower, TokenEmbeddings } from '../../src/clip/towers/index.js';
import { InputError } from '../../src/errors.js';
import { anyKernel, kernels, type WebGpuBackend } from '../../src/kernels/index.js';
import { type Launch, launchOf, shaderOf } from '../../src/kernels/webgpu/launch.js';
import { assembled } from '../../src/kernels/webgpu/wgsl-text.js';
import { normalizedFeatures } from '../../src/ptdpc/features.js';
import { tuningOptions } from '../../src/ptdpc/options.js';
import { PromptModel } from '../../src/ptdpc/prompt-model.js';
import { accumulateGradient } from '../../src/ptdpc/step.js';
import { affine, Engine } from '../../src/tensor/index.js';
import { describeOn, describeOnAll, openTestDevice } from '../support/devices.js';
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
  });

  it('launches by name: what a text asks for that the kernel has not, and what it does not bind, is named', () => {
    const affine = anyKernel(kernels.affine);
    const text = assembled('affine');
    const [x, out] = [device().allocate('f32', 1), device().allocate('f32', 1)];
    const launched = (wgsl: string) => () =>
      launchOf(affine, { name: 'mine', wgsl, covers: 64 }, { x, out, length: 1, scale: 1, shift: 0 });
    expect(launched(text.replace('shift: f32', 'offset: f32'))).toThrow(
      'affine (mine): parameter offset: expected a number offset among the arguments, found none',
    );
    expect(launched(text.replaceAll('out:', 'result:'))).toThrow(
      'affine (mine): expected a storage binding out, found none',
    );
    expect(launched(`// #include "nowhere.wgsl"\n${text}`)).toThrow(
      '#include "nowhere.wgsl": expected a file of shaders/',
    );
    expect(launched(text)()).toMatchObject({ params: { length: 1, scale: 1, shift: 0 }, constants: { HAS_ADDEND: 0 } });
    device().free(x);
    device().free(out);
  });

  it('a text that cannot be read or compiled is told of, and later faults of the device are heard all the same', async () => {
    const backend = (await openTestDevice('webgpu', {})) as WebGpuBackend;
    const source = (field: string, body: string) =>
      `struct Params { length: ${field} }\n@group(0) @binding(0) var<uniform> params: Params;\n` +
      `@group(0) @binding(1) var<storage, read_write> out: array<f32>;\n@compute @workgroup_size(1) fn main() { ${body} }`;
    const out = backend.allocate('f32', 1);
    const launch = (text: string): Launch => ({
      label: 'mine',
      shader: shaderOf(text),
      constants: {},
      entryPoint: 'main',
      params: { length: 1 },
      buffers: { out },
      workgroups: [1, 1],
    });
    const messages = async (text: string) => (await backend.compile(launch(text))).messages.map(({ text }) => text);
    expect(() => launch(source('vec2<u32>', 'out[0] = 1.0;'))).toThrow(
      'struct Params: expected NAME: u32 or NAME: f32, found "length: vec2<u32>"',
    );
    expect(await messages(source('u32', 'out[0] = nothing;'))).toHaveLength(1);
    expect(await messages(source('u32', 'out[0] = 1.0;'))).toEqual([]);
    // An error scope that was left open would keep this to itself.
    backend.dispatch({ ...launch(source('u32', 'out[0] = 1.0;')), workgroups: [2 ** 20, 1] });
    await expect(backend.read(out)).rejects.toThrow(/^WebGPU failed on /);
    backend.dispose();
  });

  it('refuses a tensor that the adapter cannot hold', () => {
    expect(() => device().allocate('f32', 2 ** 31)).toThrow(InputError);
    expect(() => device().allocate('f32', 2 ** 31)).toThrow(/does not fit on this WebGPU adapter/);
  });
});

describeOnAll('a buffer that is freed twice', (device) => {
  it('is refused, and its memory goes to one other buffer only', async () => {
    const backend = device();
    const first = backend.allocate('f32', 4);
    const { bytes } = backend.memory;
    backend.free(first);
    // Very likely the same memory.
    const second = backend.allocate('f32', 4);
    expect(() => backend.free(first)).toThrow('free: the f32 buffer of 4 elements was freed before');
    expect(backend.memory.bytes).toBe(bytes);
    const third = backend.allocate('f32', 4);
    backend.write(second, [1, 2, 3, 4]);
    backend.write(third, [5, 6, 7, 8]);
    expect([...(await backend.read(second))]).toEqual([1, 2, 3, 4]);
    backend.free(second);
    backend.free(third);
    const foreign = { dtype: 'f32', length: 4 } as const;
    expect(() => backend.free(foreign)).toThrow("is not this device's");
  });
});
