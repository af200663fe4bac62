/** The devices of this machine, to be certified. */
import { arch, cpus } from 'node:os';
import { InputError } from '../errors.js';
import type { Subject } from '../lab/index.js';
import { measureCeilings } from './ceilings.js';
import { installHint, openCpu, openWebGpu } from './device.js';
import { type GpuOptions, nodeAdapter } from './gpu.js';
import { packageVersion } from './package.js';

/** A device of this machine for `certify` of ptdpc/lab. Opening it throws InputError if there is no WebGPU adapter. Call `closeGpu` at the end. */
export function certifiable(device: 'cpu' | 'webgpu', options: GpuOptions = {}): Subject {
  return {
    host: {
      ptdpc: packageVersion(),
      node: process.version,
      platform: `${process.platform} ${arch()}`,
      processor: cpus()[0]?.model.trim() ?? 'unknown',
    },
    open: async (tuning) => {
      if (device === 'cpu') return openCpu({ poison: true });
      const adapter = await nodeAdapter(options);
      if (!adapter) throw new InputError(`--device webgpu: no WebGPU adapter on this machine; ${installHint()}`);
      return openWebGpu(adapter, { poison: true, tuning, ...options });
    },
    ceilings: () => measureCeilings(device),
  };
}
