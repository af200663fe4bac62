/**
 * Dawn's WebGPU for Node, an optional dependency. Two facts of dawn.node decide the shape of this file: the object that `create` returns
 * must stay referenced as long as any device lives (the process aborts otherwise), and importing it costs a 60 MB library, so that it is
 * loaded only when WebGPU is asked for.
 *
 * On drivers with generous limits Dawn prints two lines to standard error whenever an adapter is requested ("Warning:
 * maxDynamicUniformBuffersPerPipelineLayout artificially reduced ..."). They mean nothing here, and no toggle or flag of
 * `create` silences them: the native code (dawn/native/Limits.cpp) writes them unconditionally.
 */
import { InputError, messageOf } from '../errors.js';
import { findAdapter } from '../kernels/webgpu/device.js';

/** Not written if it is imported, so that bundlers leave it: it finds its native library from where it is installed. */
const WEBGPU: string = 'webgpu';

/** How Dawn is set up. */
export interface GpuOptions {
  /**
   * Compile shaders without Dawn's safeguards: bounds checks of every access, and zeros in new buffers and in workgroup memory. A shader that
   * relies on one of them is then wrong, or reads and writes other memory of this process. Default: false.
   */
  readonly trustShaders?: boolean | undefined;
}

/**
 * Dawn would round timestamps to 100 microseconds, as browsers do to keep pages apart; and it shows the matrices of subgroups only to those who allow
 * what is experimental.
 */
const FLAGS = ['disable-dawn-features=timestamp_quantization', 'enable-dawn-features=allow_unsafe_apis'];
const TRUSTING_FLAGS = [
  'disable-dawn-features=timestamp_quantization,lazy_clear_resource_on_first_use',
  'enable-dawn-features=allow_unsafe_apis,disable_robustness,disable_workgroup_init',
];

/** This process's GPU objects, by whether they trust shaders. */
const gpus = new Map<boolean, GPU>();

/** Throws InputError if the `webgpu` package is not installed or has no binary for this platform. */
async function openGpu({ trustShaders = false }: GpuOptions): Promise<GPU> {
  const open = gpus.get(trustShaders);
  if (open) return open;
  try {
    const { create } = (await import(WEBGPU)) as typeof import('webgpu');
    const gpu = create(trustShaders ? TRUSTING_FLAGS : FLAGS);
    gpus.set(trustShaders, gpu);
    return gpu;
  } catch (error) {
    const reason = messageOf(error).split('\n')[0]!;
    if (/^Cannot find (?:package|module) 'webgpu'/.test(reason))
      throw new InputError(
        'WebGPU needs the optional package webgpu, which is not installed: npm install webgpu, or use --device cpu',
      );
    throw new InputError(`WebGPU is not available on this platform: ${reason}`);
  }
}

/** The machine's adapter, or null. */
export async function nodeAdapter(options: GpuOptions = {}): Promise<GPUAdapter | null> {
  return findAdapter(await openGpu(options));
}

const asleep = new Int32Array(new SharedArrayBuffer(4));

/**
 * Waits for a promise of a device on a software adapter. dawn.node polls such a promise once in every turn of the event loop, which on an
 * otherwise idle loop takes a whole core from the threads that compute the result. So this thread sleeps for a
 * millisecond in every turn.
 */
export async function waitAsleep<T>(pending: Promise<T>): Promise<T> {
  let waiting = true;
  const turn = (): void => {
    if (!waiting) return;
    Atomics.wait(asleep, 0, 0, 1);
    setImmediate(turn);
  };
  setImmediate(turn);
  try {
    return await pending;
  } finally {
    waiting = false;
  }
}

/** Forgets the GPU objects, so that the process can end. Every device must have been destroyed. */
export function closeGpu(): void {
  gpus.clear();
}
