/** A WebGPU device that fails: every call that waits ends in one line, and the process goes on. */

import { describe, expect, it } from 'vitest';
import { globals } from 'webgpu';
import { InputError } from '../../src/errors.js';
import {
  type Backend,
  DeviceError,
  DeviceLostError,
  DeviceMemoryError,
  type WebGpuBackend,
} from '../../src/kernels/index.js';
import { DeviceFaults } from '../../src/kernels/webgpu/faults.js';
import { shaderOf } from '../../src/kernels/webgpu/launch.js';
import { affine, Engine } from '../../src/tensor/index.js';
import { hasAdapter, openFragileDevice } from '../support/devices.js';

/** What is thrown, at once or later. */
async function thrownBy(body: () => unknown): Promise<unknown> {
  try {
    return await body();
  } catch (error) {
    return error;
  }
}

/** The failure of a result that was asked for on a device that `harm` is done to. */
async function failureAfter(harm: (device: GPUDevice, backend: Backend) => unknown): Promise<unknown> {
  const { backend, device } = await openFragileDevice();
  const engine = new Engine(backend);
  const doubled = affine(engine.tensor([1], [1]), 2);
  try {
    await harm(device, backend);
    return await thrownBy(() => doubled.read());
  } finally {
    backend.dispose();
  }
}

/** Launches a text with something wrong in it. */
function launch(backend: Backend, workgroups: readonly [number, number], wgsl: string): void {
  const x = backend.allocate('f32', 1);
  const out = backend.allocate('f32', 1);
  const params = { length: 1, scale: 1, shift: 0 };
  const shader = shaderOf(wgsl);
  const made = { label: 'mine', shader, entryPoint: 'main', constants: {}, params, buffers: { x, out }, workgroups };
  (backend as WebGpuBackend).dispatch(made);
}

/** Makes an event of the device's own kind, as its implementation does for an error that nobody captured. */
function raise(device: GPUDevice, kind: 'GPUOutOfMemoryError' | 'GPUInternalError', message: string): void {
  const { GPUUncapturedErrorEvent: Event, [kind]: Kind } = globals as unknown as {
    [name: string]: new (...args: unknown[]) => Event;
  };
  device.dispatchEvent(new Event!('uncapturederror', { error: new Kind!(message) }));
}

const LOST = /^WebGPU lost its device on .+: device was destroyed$/;

describe.skipIf(!hasAdapter)('a lost device', () => {
  it('ends a read-back that is pending', async () => {
    const { backend, device } = await openFragileDevice();
    const pending = affine(new Engine(backend).tensor([1], [1]), 2).read();
    device.destroy();
    const failure = await thrownBy(() => pending);
    expect(failure).toBeInstanceOf(DeviceLostError);
    expect(String(failure)).toMatch(/^InputError: WebGPU lost its device/);
    expect((failure as Error).message).toMatch(LOST);
    backend.dispose();
  });

  it.each([
    ['before commands are recorded', () => {}],
    ['and the loss is known', () => new Promise((resolve) => setTimeout(resolve, 20))],
  ])('fails a later read-back (%s)', async (_, wait) => {
    const failure = await failureAfter((device) => {
      device.destroy();
      return wait();
    });
    expect(failure).toBeInstanceOf(DeviceLostError);
  });

  it('is told by every call that needs it, once it is known, and by none as a crash', async () => {
    const { backend, device } = await openFragileDevice();
    const engine = new Engine(backend);
    const x = engine.tensor([1], [1]);
    device.destroy();
    // Not known yet: commands go nowhere.
    const y = affine(x, 2);
    backend.write(x.buffer, [3]);
    await device.lost;
    expect(() => affine(x, 2)).toThrow(DeviceLostError);
    expect(() => engine.tensor([1], [1])).toThrow(DeviceLostError);
    backend.write(x.buffer, [3]);
    backend.limitMemory(0);
    for (const tensor of [x, y]) tensor.dispose();
    expect(backend.memory.buffers).toBe(0);
    backend.dispose();
  });

  it('is no fault when the backend is disposed of; a read-back then says so', async () => {
    const { backend, device } = await openFragileDevice();
    const pending = affine(new Engine(backend).tensor([1], [1]), 2).read();
    backend.dispose();
    expect(((await thrownBy(() => pending)) as Error).message).toMatch(/ it was closed before it had answered$/);
    expect((await device.lost).reason).toBe('destroyed');
  });

  it('can be replaced: a new backend computes', async () => {
    await failureAfter((device) => device.destroy());
    const { backend } = await openFragileDevice();
    expect([...(await affine(new Engine(backend).tensor([1, 2], [2]), 2).read())]).toEqual([2, 4]);
    backend.dispose();
  });
});

describe.skipIf(!hasAdapter)('out of memory', () => {
  it('as an error of the device', async () => {
    const failure = await failureAfter((device) => raise(device, 'GPUOutOfMemoryError', 'no room\nfor "more"'));
    expect(failure).toBeInstanceOf(DeviceMemoryError);
    expect((failure as Error).message).toMatch(/^WebGPU ran out of memory on .+: no room \(more\)$/);
  });

  it('as a buffer for a host write that cannot be mapped', async () => {
    const { backend, device } = await openFragileDevice();
    const engine = new Engine(backend);
    const x = engine.tensor([1], [1]);
    affine(x, 2);
    const createBuffer = device.createBuffer.bind(device);
    device.createBuffer = (descriptor) => {
      if (descriptor.mappedAtCreation) throw new RangeError('createBuffer failed');
      return createBuffer(descriptor);
    };
    expect(() => backend.write(x.buffer, [3])).toThrow(DeviceMemoryError);
    expect(await thrownBy(() => x.read())).toBeInstanceOf(DeviceMemoryError);
    backend.dispose();
  });

  it('as a tensor larger than any buffer, which leaves the device as it is', async () => {
    const { backend } = await openFragileDevice();
    const allocate = () => backend.allocate('f32', 2 ** 31);
    expect(allocate).toThrow(InputError);
    expect(allocate).toThrow(/^a tensor of \d+ bytes does not fit on this WebGPU adapter/);
    expect([...(await affine(new Engine(backend).tensor([1], [1]), 2).read())]).toEqual([2]);
    backend.dispose();
  });
});

describe.skipIf(!hasAdapter)('a refused command', () => {
  it('a grid beyond the limit', async () => {
    const failure = await failureAfter((_, backend) => launch(backend, [70_000, 1], 'affine'));
    expect(failure).toBeInstanceOf(DeviceError);
    expect(failure).not.toBeInstanceOf(DeviceLostError);
    expect((failure as Error).message).toMatch(/^WebGPU failed on .+: [^\n]*70000[^\n]*65535[^\n]*$/);
  });

  it('a shader that does not compile, named', async () => {
    const broken = [
      'struct Params { length: u32, scale: f32, shift: f32 } @group(0) @binding(1) var<storage> x: array<f32>;',
      '@group(0) @binding(2) var<storage, read_write> out: array<f32>; @compute @workgroup_size(1) fn main() { let y: u32 = 1.5; }',
    ].join('\n');
    const failure = await failureAfter((_, backend) => launch(backend, [1, 1], broken));
    expect((failure as Error).message).toMatch(
      /^WebGPU failed on .+: Error while parsing WGSL: :2:\d+ error: cannot convert .* \(mine\)$/,
    );
  });

  it('an error of the implementation', async () => {
    const failure = await failureAfter((device) => raise(device, 'GPUInternalError', 'a bug in the driver'));
    expect((failure as Error).message).toMatch(/^WebGPU failed on .+: a bug in the driver$/);
  });

  it('the first one is told, whatever follows from it', async () => {
    const failure = await failureAfter(async (device) => {
      raise(device, 'GPUInternalError', 'the first');
      raise(device, 'GPUOutOfMemoryError', 'the second');
      device.destroy();
    });
    expect((failure as Error).message).toMatch(/: the first$/);
  });
});

describe('news of a fault', () => {
  it('is waited for: browsers unmap the buffers of a lost device before they tell of its loss', async () => {
    let lose = (_: { message: string; reason: string }): void => {};
    const lost = new Promise<{ message: string; reason: string }>((resolve) => {
      lose = resolve;
    });
    const faults = new DeviceFaults(Object.assign(new EventTarget(), { lost }) as unknown as GPUDevice, 'a card');
    const pending = faults.behind(new Error('Buffer was unmapped before mapping was resolved.'));
    // Later than the rest of this turn of the event loop.
    await new Promise((resolve) => setTimeout(resolve, 20));
    lose({ message: 'unplugged', reason: 'unknown' });
    const error = await pending;
    expect(error).toBeInstanceOf(DeviceLostError);
    expect(error.message).toBe('WebGPU lost its device on a card: unplugged');
  });
});
