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

let gpu: GPU | undefined;

/** This process's GPU object. Throws InputError if the `webgpu` package is not installed or has no binary for this platform. */
async function openGpu(): Promise<GPU> {
  if (gpu) return gpu;
  try {
    const { create } = (await import(WEBGPU)) as typeof import('webgpu');
    // Without the toggle, Dawn rounds timestamps to 100 microseconds, as browsers do to keep pages apart.
    gpu = create(['disable-dawn-features=timestamp_quantization']);
  } catch (error) {
    const reason = messageOf(error).split('\n')[0]!;
    if (/^Cannot find (?:package|module) 'webgpu'/.test(reason))
      throw new InputError(
        'WebGPU needs the optional package webgpu, which is not installed: npm install webgpu, or use --device cpu',
      );
    throw new InputError(`WebGPU is not available on this platform: ${reason}`);
  }
  return gpu;
}

/** The machine's adapter, or null. */
export async function nodeAdapter(): Promise<GPUAdapter | null> {
  return findAdapter(await openGpu());
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

/** Forgets the GPU object, so that the process can end. Every device must have been destroyed. */
export function closeGpu(): void {
  gpu = undefined;
}
