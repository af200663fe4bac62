/**
 * The backends that the suites run on. WebGPU's are there where the machine has an adapter; a suite on a missing adapter
 * shows as skipped, and .ci/run refuses skipped tests.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import { relaxedSupported, type WasmBuild } from '../../src/kernels/cpu/wasm/index.js';
import {
  allKernels,
  alwaysUse,
  anyKernel,
  type Backend,
  CpuBackend,
  kernels,
  type Profiler,
  type Tuning,
} from '../../src/kernels/index.js';
import { openWebGpu } from '../../src/node/device.js';
import { nodeAdapter } from '../../src/node/gpu.js';
import { chooseBuild, startNodeWorker } from '../../src/node/wasm-threads.js';

// As the command line does: the CPU's tests run what its users run.
const { build } = chooseBuild();

const matmul = anyKernel(kernels.matmul);
/** Attention, its gradients, and that with a bias. */
export const attentionKernels = [
  anyKernel(kernels.attention),
  anyKernel(kernels.attentionGradQuery),
  anyKernel(kernels.attentionGradKeyValue),
  anyKernel(kernels.biasedAttention),
];
/** Those that have several variants. */
export const kernelsWithChoice = allKernels().filter(({ variants }) => variants.length > 1);
export const matmulVariants = matmul.variants.map(({ name }) => name);
export const attentionVariants = kernels.attention.variants.map(({ name }) => name);

/** A tuning file's content: every kernel that has variants. */
export const FULL_TUNING: Tuning = {
  ...Object.assign({}, ...kernelsWithChoice.map((kernel) => alwaysUse(kernel.variants.at(-1)!.name, kernel))),
  ...alwaysUse('tiled', matmul),
  ...alwaysUse('rows', ...attentionKernels),
};

export type DeviceName = 'cpu' | 'webgpu';

export const hasAdapter = (await nodeAdapter().catch(() => null)) !== null;

export interface DeviceOptions {
  poison?: boolean;
  matmulVariant?: string;
  attentionVariant?: string;
  /** Which variants to use, beside these two. */
  tuning?: Tuning;
  profiler?: Profiler;
  /** On the CPU: the plain twins instead of WebAssembly. */
  wasm?: boolean;
  /** Which compiled code in WebAssembly. */
  build?: WasmBuild;
}

export async function openTestDevice(name: DeviceName, options: DeviceOptions = {}): Promise<Backend> {
  if (name === 'cpu') return new CpuBackend({ build, threads: 2, startWorker: startNodeWorker, ...options });
  // An adapter gives one device only, so each device asks for its own.
  const adapter = await nodeAdapter();
  if (!adapter) throw new Error('no WebGPU adapter');
  const { poison, matmulVariant, attentionVariant, tuning, profiler } = options;
  return openWebGpu(adapter, {
    ...(poison !== undefined && { poison }),
    profiler,
    tuning: {
      ...tuning,
      ...(matmulVariant && alwaysUse(matmulVariant, matmul)),
      ...(attentionVariant && alwaysUse(attentionVariant, ...attentionKernels)),
    },
  });
}

/** A WebGPU backend together with its device, for tests that do something to the device behind the backend's back. */
export async function openFragileDevice(): Promise<{ backend: Backend; device: GPUDevice }> {
  const adapter = await nodeAdapter();
  if (!adapter) throw new Error('no WebGPU adapter');
  let device: GPUDevice | undefined;
  const requestDevice = adapter.requestDevice.bind(adapter);
  adapter.requestDevice = async (descriptor) => {
    device = await requestDevice(descriptor);
    return device;
  };
  const backend = await openWebGpu(adapter);
  return { backend, device: device! };
}

/** A suite on one device; every test in it must end with the buffers that it began with. */
export function describeOn(
  name: DeviceName,
  title: string,
  suite: (device: () => Backend) => void,
  options: DeviceOptions = { poison: true },
): void {
  describe.skipIf(name === 'webgpu' && !hasAdapter)(`${title} on ${name}`, () => {
    let device: Backend;
    let before = 0;
    beforeAll(async () => {
      device = await openTestDevice(name, options);
    });
    beforeEach(() => {
      before = device.memory.buffers;
    });
    afterEach(() => {
      expect(device.memory.buffers, 'live buffers after the test').toBe(before);
    });
    afterAll(() => device.dispose());
    suite(() => device);
  });
}

/** Builds that need relaxed SIMD, if the engine has it. */
export const relaxedBuilds: readonly WasmBuild[] = relaxedSupported() ? ['relaxed', 'wide'] : [];

/** Every implementation of attention, and so every device in all ways that it computes in. */
export const ALL_WAYS: readonly (readonly [DeviceName, title: string, DeviceOptions])[] = [
  ['cpu', 'twin', { wasm: false }],
  ['cpu', 'fixed-width SIMD', { build: 'plain' }],
  ...relaxedBuilds.map((build) => ['cpu', `${build} SIMD`, { build }] as const),
  ...attentionVariants.map((attentionVariant) => ['webgpu', attentionVariant, { attentionVariant }] as const),
];

/** The same suite on every device. */
export function describeOnAll(title: string, suite: (device: () => Backend) => void): void {
  for (const name of ['cpu', 'webgpu'] as const) describeOn(name, title, suite);
}
