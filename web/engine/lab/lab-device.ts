/**
 * The laboratory's own device, apart from the one that the models are on: a kernel that someone is writing may take its device with it.
 */
import { InputError } from '../../../src/errors.js';
import { DeviceError, describeAdapter, findAdapter, WebGpuBackend } from '../../../src/kernels/index.js';
import { openDevice } from '../../../src/kernels/webgpu/device.js';
import { type DeviceCeilings, webGpuCeilings } from '../../../src/lab/index.js';
import type { LabAdapter } from '../../protocol-lab.js';

export class LabDevice {
  #backend: WebGpuBackend | undefined;
  #ceilings: DeviceCeilings | undefined;

  /** The adapter that kernels would run on; undefined if the browser has none. */
  async adapter(): Promise<LabAdapter | undefined> {
    const adapter = await newAdapter();
    if (!adapter) return undefined;
    const { description, software } = describeAdapter(adapter);
    return { description, software };
  }

  /** Works with the device, which is opened on first use, and again after a fault. Throws InputError if there is none. */
  async use<T>(work: (backend: WebGpuBackend) => Promise<T>): Promise<T> {
    this.#backend ??= await WebGpuBackend.create(await requireAdapter(), { poison: true });
    try {
      return await work(this.#backend);
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      this.#backend.dispose();
      this.#backend = undefined;
      throw new InputError(
        `${error.message}. A kernel that does not end can do that; the next run opens the device again.`,
      );
    }
  }

  /** Measured once, on a separate device. */
  async ceilings(): Promise<DeviceCeilings> {
    if (!this.#ceilings) {
      const device = await openDevice(await requireAdapter());
      try {
        this.#ceilings = await webGpuCeilings(device);
      } finally {
        device.destroy();
      }
    }
    return this.#ceilings;
  }
}

async function newAdapter(): Promise<GPUAdapter | null> {
  const gpu: GPU | undefined = navigator.gpu;
  return gpu ? findAdapter(gpu) : null;
}

/** Throws InputError if there is none. */
export async function requireAdapter(): Promise<GPUAdapter> {
  const adapter = await newAdapter();
  if (!adapter) throw new InputError('the laboratory needs WebGPU, and this browser has no adapter for it');
  return adapter;
}
