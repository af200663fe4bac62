/**
 * Loaded into the program before it starts (`node --import`): its GPU devices fail at chosen moments. FAILING_GPU has one entry for each
 * device in the order in which they are opened, separated by commas: `<fault>@<n>`, at the n-th read-back, while that is pending. Faults:
 * `lose`, `fill` (out of memory), `interrupt` (Ctrl-C).
 */
import { globals } from 'webgpu';

const { GPUAdapter, GPUBuffer, GPUOutOfMemoryError, GPUUncapturedErrorEvent } = globals;
const plan = (process.env.FAILING_GPU ?? '').split(',');

const FAULTS = {
  lose: (device) => device.destroy(),
  fill: (device) =>
    device.dispatchEvent(
      new GPUUncapturedErrorEvent('uncapturederror', { error: new GPUOutOfMemoryError('no memory left') }),
    ),
  interrupt: () => process.kill(process.pid, 'SIGINT'),
};

const { requestDevice } = GPUAdapter.prototype;
const { mapAsync } = GPUBuffer.prototype;
let failing;

GPUAdapter.prototype.requestDevice = async function (...args) {
  const device = await requestDevice.apply(this, args);
  const [fault, left] = plan.shift()?.split('@') ?? [];
  failing = { device, fault, left: Number(left) };
  return device;
};

GPUBuffer.prototype.mapAsync = function (...args) {
  const pending = mapAsync.apply(this, args);
  if (--failing.left === 0) FAULTS[failing.fault](failing.device);
  return pending;
};
