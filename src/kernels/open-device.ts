/**
 * Opening a device in a browser, and what `auto` means anywhere: a hardware GPU if there is one, else the CPU. Node has an
 * `openDevice` of the same form in `ptdpc/node`, which knows Dawn, worker threads and the tables of `ptdpc autotune`.
 */
import { InputError } from '../errors.js';
import type { Backend } from './contract.js';
import { CpuBackend } from './cpu/backend.js';
import type { StartWorker } from './cpu/wasm/index.js';
import type { DeviceChoice } from './device-choice.js';
import type { Profiler } from './profiler.js';
import { WebGpuBackend } from './webgpu/backend.js';
import { describeAdapter, findAdapter } from './webgpu/device.js';

/** A backend, why it was chosen, and its end: an undestroyed GPU device would keep a Node process running. */
export interface OpenedDevice extends Disposable {
  /** Computes; `backend.description` is one line for people. */
  readonly backend: Backend;
  /** Why this one, for people. */
  readonly reason: string;
}

/** What `auto` would take, and why. */
export interface AutoChoice {
  /** The device that would be opened. */
  readonly device: 'webgpu' | 'cpu';
  /** Why this one, for people. */
  readonly reason: string;
  /** The hardware adapter, if that is the choice. It can give one device. */
  readonly adapter?: GPUAdapter;
}

/** How a browser's device is opened. */
export interface OpenDeviceOptions {
  /** Default: `navigator.gpu`. */
  readonly gpu?: GPU | undefined;
  /** Threads of the CPU backend; more than one needs a cross-origin isolated page. Default: as many as there are processors. */
  readonly threads?: number | undefined;
  /** How to start a thread, if a page's policy refuses workers from Blobs. */
  readonly startWorker?: StartWorker | undefined;
  /** Records where the device's time goes. */
  readonly profiler?: Profiler | undefined;
}

/**
 * Opens a device of the browser that this runs in. Dispose it on every path. Throws InputError if `webgpu` is asked for and
 * cannot be had.
 */
export async function openDevice(
  choice: DeviceChoice = 'auto',
  options: OpenDeviceOptions = {},
): Promise<OpenedDevice> {
  const { gpu = browser()?.gpu, threads = browser()?.hardwareConcurrency ?? 1, startWorker, profiler } = options;
  const onCpu = (reason: string) =>
    disposable(new CpuBackend({ threads, profiler, ...(startWorker && { startWorker }) }), reason);
  if (choice === 'cpu') return onCpu('asked for');
  const adapter = gpu ? await findAdapter(gpu) : null;
  if (choice === 'webgpu') {
    if (!adapter) throw new InputError('WebGPU was asked for, and this browser has no adapter for it');
    return disposable(await WebGpuBackend.create(adapter, { profiler }), 'asked for');
  }
  const auto = chooseDevice(adapter);
  if (!auto.adapter) return onCpu(auto.reason);
  try {
    return disposable(await WebGpuBackend.create(auto.adapter, { profiler }), auto.reason);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return onCpu(error.message);
  }
}

/** What `auto` makes of the adapter that a machine has, or has not. */
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
