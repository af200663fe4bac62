/**
 * The matrix product: every WebGPU variant, the CPU's WebAssembly on one thread and on all, the plain twin, and the same product in
 * other software.
 */
import { type Backend, CpuBackend, kernels, matmulFlops } from '../src/kernels/index.js';
import { unmetNeed } from '../src/kernels/needs.js';
import { launchOf } from '../src/kernels/webgpu/launch.js';
import { chooseVariant } from '../src/kernels/webgpu/tuning.js';
import { openCpu } from '../src/node/device.js';
import { chooseBuild, hardwareThreads } from '../src/node/wasm-threads.js';
import type { Benchmark, Entry, Setup } from './benchmark.js';
import { matmulPeers } from './peers.js';
import { sampler } from './sampling.js';
import { closeWebGpu, openWebGpu, type ProductSizes, threadsText } from './session.js';
import { normal } from './workloads/numbers.js';

/** A product as the towers do them: with a weight stored [n, k] (a linear layer) or [k, n] (the gradient of its input). */
export interface Product extends ProductSizes {
  readonly transposeB: boolean;
}

/** DESIGN's yardstick; then the widest layer of the text tower for a batch of 64, forward and backward. */
export const USUAL_PRODUCTS: readonly Product[] = [
  { m: 1024, k: 768, n: 3072, transposeB: true },
  { m: 1728, k: 512, n: 2048, transposeB: true },
  { m: 1728, k: 2048, n: 512, transposeB: false },
];

export function productBenchmark(product: Product): Benchmark {
  const { m, k, n } = product;
  return {
    name: `matmul-${m}x${k}x${n}`,
    work: `matmul ${m}x${k}x${n}${product.transposeB ? '' : ' (dX)'}`,
    unit: 'GFLOP/s',
    devices: ['cpu', 'webgpu'],
    open: async (device, { seconds }) => (device === 'cpu' ? onCpu(product, seconds) : onWebGpu(product, seconds)),
    peers: (device, options) => matmulPeers(device, product, options),
  };
}

function onCpu(product: Product, seconds: number): Setup {
  const all = hardwareThreads();
  const backends = (all > 1 ? [1, all] : [1]).map((threads) => ({
    name: `WebAssembly, ${threadsText(threads)}`,
    threads,
    backend: openCpu({ threads }),
  }));
  if (chooseBuild().build === 'wide') {
    const backend = openCpu({ threads: all, build: 'relaxed' });
    backends.push({ name: `the same, narrow inner kernel, ${threadsText(all)}`, threads: all, backend });
  }
  backends.push({ name: 'plain twin', threads: 1, backend: new CpuBackend({ wasm: false }) });
  return {
    entries: backends.map(({ name, threads, backend }) => {
      const args = operands(backend, product);
      return entry(name, threads, backend, product, seconds, () => backend.run(kernels.matmul, args));
    }),
    [Symbol.dispose]: () => {
      for (const { backend } of backends) backend.dispose();
    },
  };
}

async function onWebGpu(product: Product, seconds: number): Promise<Setup> {
  const backend = await openWebGpu();
  const args = operands(backend, product);
  const usual = chooseVariant(kernels.matmul, args, { ...backend.adapter, tuning: {} });
  // Only variants that take this product here; the others would be measured as the one that stands in for them.
  const variants = kernels.matmul.variants.filter((variant) => unmetNeed(variant, args, backend.adapter) === undefined);
  return {
    entries: variants.map((variant) => {
      const name = variant === usual ? `${variant.name} (default)` : variant.name;
      return entry(name, 1, backend, product, seconds, () => backend.dispatch(launchOf(kernels.matmul, variant, args)));
    }),
    [Symbol.dispose]: () => closeWebGpu(backend),
  };
}

function operands(backend: Backend, product: Product): Parameters<typeof kernels.matmul.units>[0] {
  const { m, k, n } = product;
  const filled = (length: number) => {
    const buffer = backend.allocate('f32', length);
    backend.write(buffer, normal(length));
    return buffer;
  };
  return { ...product, a: filled(m * k), alpha: 1, b: filled(k * n), out: backend.allocate('f32', m * n) };
}

function entry(
  name: string,
  threads: number,
  backend: Backend,
  product: Product,
  seconds: number,
  multiply: () => void,
): Entry {
  // Something small to read: when it arrives, everything queued before it is done.
  const fence = backend.allocate('f32', 1);
  const run = async (times: number) => {
    for (let i = 0; i < times; i++) multiply();
    await backend.read(fence);
  };
  return { name, threads, work: () => 1, sample: sampler(run, matmulFlops(product) / 1e9, seconds) };
}
