/**
 * Opening a device in a browser, and what `auto` means anywhere: a hardware GPU if there is one, else the CPU. Node has an
 * `openDevice` of the same form in `ptdpc/node`, which also supports Dawn, worker threads and the tables of `ptdpc autotune`.
 */
import { InputError } from '../errors.js';
import type { Backend } from './backend.js';
import { CpuBackend } from './cpu/backend.js';
import type { StartWorker } from './cpu/wasm/index.js';
import type { DeviceChoice } from './device-choice.js';
import type { Profiler } from './profiler.js';
import { WebGpuBackend } from './webgpu/backend.js';
import { describeAdapter, findAdapter } from './webgpu/device.js';
import type { Tuning } from './webgpu/tuning.js';

/** A backend, why it was chosen, and its disposal: an undestroyed GPU device would keep a Node process running. */
export interface OpenedDevice extends Disposable {
  /** The backend; `backend.description` is one line for display. */
  readonly backend: Backend;
  /** The reason for the choice, for display. */
  readonly reason: string;
}

/** What `auto` would choose, and why. */
export interface AutoChoice {
  /** The device that would be opened. */
  readonly device: 'webgpu' | 'cpu';
  /** The reason for the choice, for display. */
  readonly reason: string;
  /** The hardware adapter, if chosen. An adapter gives only one device. */
  readonly adapter?: GPUAdapter;
}

/** Options for opening a device in a browser. */
export interface OpenDeviceOptions {
  /** Default: `navigator.gpu`. */
  readonly gpu?: GPU | undefined;
  /** Threads of the CPU backend; more than one needs a cross-origin isolated page. Default: one per processor. */
  readonly threads?: number | undefined;
  /** How to start a thread, if a page's policy refuses workers from Blobs. */
  readonly startWorker?: StartWorker | undefined;
  /** Records where the device's time goes. */
  readonly profiler?: Profiler | undefined;
  /** Which kernel variants WebGPU uses, if not the default. */
  readonly tuning?: Tuning | undefined;
}

/**
 * Opens a device in the current browser. Dispose it on every path. Throws InputError if `webgpu` is requested but
 * not available.
 */
export async function openDevice(
  choice: DeviceChoice = 'auto',
  options: OpenDeviceOptions = {},
): Promise<OpenedDevice> {
  const {
    gpu = browser()?.gpu,
    threads = browser()?.hardwareConcurrency ?? 1,
    startWorker,
    profiler,
    tuning,
  } = options;
  const onGpu = async (adapter: GPUAdapter, reason: string) =>
    disposable(
      await WebGpuBackend.create(adapter, { profiler, tuning, ...(tuning && { notes: ['own variants'] }) }),
      reason,
    );
  const onCpu = (reason: string) =>
    disposable(new CpuBackend({ threads, profiler, ...(startWorker && { startWorker }) }), reason);
  if (choice === 'cpu') return onCpu('asked for');
  const adapter = gpu ? await findAdapter(gpu) : null;
  if (choice === 'webgpu') {
    if (!adapter) throw new InputError('WebGPU was asked for, and this browser has no adapter for it');
    return onGpu(adapter, 'asked for');
  }
  const auto = chooseDevice(adapter);
  if (!auto.adapter) return onCpu(auto.reason);
  try {
    return await onGpu(auto.adapter, auto.reason);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return onCpu(error.message);
  }
}

/** What `auto` chooses, given the machine's adapter or none. */
export function chooseDevice(adapter: GPUAdapter | null): AutoChoice {
  if (!adapter) return { device: 'cpu', reason: 'no WebGPU adapter' };
  const { software, description } = describeAdapter(adapter);
  if (!software) return { device: 'webgpu', reason: 'a hardware GPU', adapter };
  return { device: 'cpu', reason: `the only WebGPU adapter is software (${description}), slower than the CPU backend` };
}

function disposable(backend: Backend, reason: string): OpenedDevice {
  return { backend, reason, [Symbol.dispose]: () => backend.dispose() };
}

/** Undefined if there is none: in Node 20. */
function browser(): Navigator | undefined {
  return typeof navigator === 'undefined' ? undefined : navigator;
}
