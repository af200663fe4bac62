/** What a device can do at best: arithmetic in registers, and copying. Measured, since data sheets do not tell of this machine. */
import { openDevice } from '../../kernels/webgpu/device.js';
import { closeGpu, nodeAdapter } from '../gpu.js';
import { hardwareThreads } from '../wasm-threads.js';
import { cpuCeiling, cpuCopyCeiling } from './cpu.js';
import { webGpuCeiling, webGpuCopyCeiling } from './webgpu.js';

export interface DeviceCeilings {
  gflops: number;
  /** Bytes read and bytes written, in GB/s. */
  gbytes: number;
}

/** Takes about a second. No WebGPU device may be open. */
export async function measureCeilings(kind: 'cpu' | 'webgpu'): Promise<DeviceCeilings> {
  if (kind === 'cpu') return { gflops: await cpuCeiling(hardwareThreads()), gbytes: cpuCopyCeiling() };
  return onAdapter(async (device) => ({
    gflops: await webGpuCeiling(device),
    gbytes: await webGpuCopyCeiling(device),
  }));
}

/** A device of its own on the machine's adapter, closed afterwards. Throws Error where there is none. */
export async function onAdapter<T>(measure: (device: GPUDevice) => Promise<T>): Promise<T> {
  const adapter = await nodeAdapter();
  if (!adapter) throw new Error('no WebGPU adapter');
  const device = await openDevice(adapter);
  try {
    return await measure(device);
  } finally {
    device.destroy();
    closeGpu();
  }
}
