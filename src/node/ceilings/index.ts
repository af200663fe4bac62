/** What a device can do at best: arithmetic in registers, and copying. Measured, since data sheets do not tell of this machine. */
import { openDevice } from '../../kernels/webgpu/device.js';
import { type DeviceCeilings, webGpuCeilings } from '../../lab/index.js';
import { closeGpu, nodeAdapter, waitAsleep } from '../gpu.js';
import { hardwareThreads } from '../wasm-threads.js';
import { cpuCeiling, cpuCopyCeiling } from './cpu.js';

/** Takes about a second. No WebGPU device may be open. */
export async function measureCeilings(kind: 'cpu' | 'webgpu'): Promise<DeviceCeilings> {
  if (kind === 'cpu') return { gflops: await cpuCeiling(hardwareThreads()), gbytes: cpuCopyCeiling() };
  return onAdapter((device) => webGpuCeilings(device, waitAsleep));
}

/** A device of its own on the machine's adapter, closed afterwards. Throws Error if there is none. */
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
