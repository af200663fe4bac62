/** What a profile counts: calls, arithmetic and bytes from the arguments, time from the device. */
import { expect, it } from 'vitest';
import { type Backend, CpuBackend, kernelCost, kernels, Profiler, WebGpuBackend } from '../../src/kernels/index.js';
import { openWebGpu } from '../../src/node/device.js';
import { nodeAdapter, waitAsleep } from '../../src/node/gpu.js';
import { Engine, layerNorm, linear } from '../../src/tensor/index.js';
import { describeOnAll } from '../support/devices.js';

const buffer = (length: number, dtype: 'f32' | 'f16' | 'i32' = 'f32') => ({ dtype, length });

it('the cost of a product: two operations a term, each operand once, halves as halves', () => {
  const a = buffer(6);
  const args = {
    a,
    b: buffer(12, 'f16'),
    out: buffer(8),
    bias: buffer(4),
    m: 2,
    n: 4,
    k: 3,
    alpha: 1,
    transposeB: true,
  };
  expect(kernelCost(kernels.matmul, args)).toEqual({ flops: 48, bytes: 24 + 24 + 32 + 16, shape: 'nt 2x4x3' });
  // The same buffer in two roles is read once.
  const gradPreActivation = buffer(8);
  const { bytes } = kernelCost(kernels.matmul, { ...args, residual: a, activationGrad: 2, gradPreActivation });
  expect(bytes).toBe(24 + 24 + 32 + 16 + 32);
});

it('the cost of attention: two products a pair that sees each other, all pairs where it is not said', () => {
  const view = buffer(100);
  const geometry = {
    queries: 3,
    keys: 5,
    heads: 2,
    headWidth: 4,
    visible: buffer(12, 'i32'),
    seenBy: buffer(10, 'i32'),
  };
  const strides = { qStride: 10, kStride: 10, vStride: 10, qOffset: 0, kOffset: 0, vOffset: 0 };
  const args = { ...geometry, ...strides, q: view, k: view, v: view, out: buffer(24), logSumExp: buffer(6) };
  expect(kernelCost(kernels.attention, args).flops).toBe(2 * 2 * 15 * 2 * 4);
  expect(kernelCost(kernels.attention, { ...args, pairs: 7 }).flops).toBe(2 * 2 * 7 * 2 * 4);
});

describeOnAll('profile', (device) => {
  it('names every kernel with its calls, its cost and a time', async () => {
    const profiler = new Profiler();
    const backend = await open(device().kind, profiler);
    const engine = new Engine(backend);
    const x = engine.tensor(new Float32Array(64 * 32).fill(0.5), [64, 32]);
    const weight = engine.tensor(new Float32Array(48 * 32).fill(0.1), [48, 32]);
    const ones = engine.tensor(new Float32Array(32).fill(1), [32]);
    const normed = layerNorm(x, ones, ones, 1e-5);
    const once = linear(normed, weight);
    const twice = linear(x, weight);
    await twice.read();
    expect([...profiler.kernels.keys()].sort()).toEqual(['layerNorm', 'matmul']);
    const matmul = profiler.kernels.get('matmul')!;
    expect(matmul).toMatchObject({
      calls: 2,
      flops: 2 * 2 * 64 * 48 * 32,
      bytes: 2 * 4 * (64 * 32 + 48 * 32 + 64 * 48),
    });
    expect(matmul.seconds).toBeGreaterThan(0);
    expect([...profiler.products.keys()]).toEqual(['nt 64x48x32']);
    expect(profiler.products.get('nt 64x48x32')).toEqual(matmul);
    for (const tensor of [x, weight, ones, normed, once, twice]) tensor.dispose();
    if (backend instanceof WebGpuBackend) expect(backend.counters).toEqual({ dispatches: 3, submits: 1 });
    backend.dispose();
  });
});

it('waiting asleep passes results and errors on', async () => {
  expect(await waitAsleep(new Promise((resolve) => setTimeout(resolve, 20, 'done')))).toBe('done');
  await expect(waitAsleep(Promise.reject(new Error('lost')))).rejects.toThrow('lost');
});

async function open(kind: Backend['kind'], profiler: Profiler): Promise<Backend> {
  if (kind === 'cpu') return new CpuBackend({ profiler });
  const adapter = await nodeAdapter();
  return openWebGpu(adapter!, { profiler });
}
