/**
 * The choice of a device. `auto` takes a GPU if there is one; a software adapter (llvmpipe, SwiftShader) runs the same
 * kernels, but several times slower than the CPU backend, so it is used only when asked for.
 */
import { readdir } from 'node:fs/promises';
import { InputError } from '../errors.js';
import type { DeviceChoice } from '../kernels/device-choice.js';
import {
  type AutoChoice,
  type Backend,
  CheckedBackend,
  CpuBackend,
  type CpuOptions,
  chooseDevice,
  DeviceLostError,
  describeAdapter,
  type OpenedDevice,
  type Profiler,
  type Tuning,
  WebGpuBackend,
  type WebGpuOptions,
} from '../kernels/index.js';
import type { Events } from './events.js';
import { closeGpu, type GpuOptions, nodeAdapter, waitAsleep } from './gpu.js';
import { readTuning, tuningName } from './tuning-file.js';
import { chooseBuild, hardwareThreads, startNodeWorker } from './wasm-threads.js';

export type { AutoChoice, OpenedDevice };

/** How a device is opened. */
export interface DeviceOptions extends GpuOptions {
  /** Called with where the device's time goes. */
  readonly profiler?: Profiler | undefined;
  /** Stops at the first kernel that writes NaN or an infinity: see CheckedBackend. Default: if PTDPC_DEBUG is `finite`. */
  readonly checkFinite?: boolean | undefined;
  /** Which kernel variants WebGPU uses, before what `ptdpc autotune` chose. */
  readonly tuning?: Tuning | undefined;
  /** Called with a tuning table that cannot be used. Default: ignored. */
  readonly warn?: ((message: string) => void) | undefined;
}

/**
 * Opens the device, a WebGPU one with the variants that `ptdpc autotune` chose for it. Dispose it on every path. Throws InputError
 * if `webgpu` is asked for and cannot be had.
 */
export async function openDevice(choice: DeviceChoice = 'auto', options: DeviceOptions = {}): Promise<OpenedDevice> {
  const { profiler, checkFinite = process.env.PTDPC_DEBUG === 'finite' } = options;
  const opened = (backend: Backend, reason: string) =>
    disposable(checkFinite ? new CheckedBackend(backend) : backend, reason);
  if (choice === 'cpu') return opened(openCpu({ profiler }), 'asked for');
  if (choice === 'webgpu') {
    const adapter = await nodeAdapter(options);
    if (!adapter) throw new InputError(`--device webgpu: no WebGPU adapter on this machine; ${installHint()}`);
    return opened(await openTuned(adapter, options), 'asked for');
  }
  const { adapter, reason } = await autoChoice(options);
  if (!adapter) return opened(openCpu({ profiler }), reason);
  try {
    return opened(await openTuned(adapter, options), reason);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return opened(openCpu({ profiler }), error.message);
  }
}

/** Decides what `auto` means on this machine. */
export async function autoChoice(options: GpuOptions = {}): Promise<AutoChoice> {
  if (!(await mayHaveGpu())) return { device: 'cpu', reason: 'no GPU in /dev' };
  let adapter: GPUAdapter | null;
  try {
    adapter = await nodeAdapter(options);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { device: 'cpu', reason: error.message };
  }
  return chooseDevice(adapter);
}

/** One line on how to get an adapter. */
export function installHint(): string {
  if (process.platform !== 'linux') return "install the GPU's current driver, or use --device cpu";
  return "install the GPU's Vulkan driver, or for a software adapter Mesa 25 (package mesa-vulkan-drivers; Debian 12: from bookworm-backports, scripts/setup.sh does it)";
}

/** The CPU backend as this machine runs it best. */
export function openCpu(options: CpuOptions = {}): Backend {
  return new CpuBackend({
    ...(options.wasm !== false && { build: chooseBuild().build }),
    threads: hardwareThreads(),
    startWorker: startNodeWorker,
    ...options,
  });
}

/** The WebGPU backend as Node runs it best; `trustShaders` as for `nodeAdapter`, which gave the adapter. */
export function openWebGpu(
  adapter: GPUAdapter,
  { trustShaders = false, notes = [], ...options }: WebGpuOptions & GpuOptions = {},
): Promise<WebGpuBackend> {
  return WebGpuBackend.create(adapter, {
    waitForSoftware: waitAsleep,
    notes: trustShaders ? [...notes, 'trusted shaders'] : notes,
    ...options,
  });
}

async function openTuned(
  adapter: GPUAdapter,
  { profiler, tuning, trustShaders, warn = () => {} }: DeviceOptions,
): Promise<WebGpuBackend> {
  const record = await readTuning(describeAdapter(adapter), warn);
  return openWebGpu(adapter, {
    profiler,
    tuning: { ...record?.tuning, ...tuning },
    trustShaders,
    notes: [...(record ? [tuningName(record)] : []), ...(tuning ? ['own variants'] : [])],
  });
}

function disposable(backend: Backend, reason: string): OpenedDevice {
  return {
    backend,
    reason,
    [Symbol.dispose]: () => {
      backend.dispose();
      if (backend.kind === 'webgpu') closeGpu();
    },
  };
}

/** Device files of Linux's GPU drivers: DRM, NVIDIA, WSL, Mali, Adreno, PowerVR. */
const GPU_FILES = /^(?:dri|nvidia\d+|nvidiactl|dxg|mali\d*|kgsl-3d\d+|pvr_sync)$/;

/**
 * False where Linux shows no GPU to this process, so that no driver could reach one: then there is no point in loading
 * Dawn (60 MB, and two lines of warnings that it prints about software adapters).
 */
async function mayHaveGpu(): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const files = await readdir('/dev').catch(() => undefined);
  return files === undefined || files.some((file) => GPU_FILES.test(file));
}

/**
 * Opens a device, works on it, and closes it. If it is lost, `work` is called once more with a new one and continues from what it has
 * kept (a checkpoint, a cache), or starts again. Throws DeviceLostError if the second device is lost too, or none of the same description
 * can be had: another would round differently.
 */
export async function onDevice<T>(
  open: () => Promise<OpenedDevice>,
  events: Pick<Events, 'say'>,
  work: (device: OpenedDevice) => Promise<T>,
): Promise<T> {
  let lost: DeviceLostError;
  let description: string;
  {
    using device = await open();
    try {
      return await work(device);
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error;
      lost = error;
      description = device.backend.description;
    }
  }
  events.say(`${lost.message}; opening it again`);
  using device = await open().catch((error: unknown) => {
    throw new DeviceLostError(`${lost.message}, and no other could be opened: ${(error as Error).message}`);
  });
  if (device.backend.description !== description) {
    throw new DeviceLostError(`${lost.message}, and now there is another: ${device.backend.description}`);
  }
  return await work(device);
}
