/** Which device computes, and the choice of another. */
import type { DeviceChoice } from '../../src/kernels/device-choice.js';
import { useEngine } from './engine-state.js';

const NAMES: Readonly<Record<DeviceChoice, string>> = { auto: 'Automatic', webgpu: 'WebGPU', cpu: 'CPU' };

export function DeviceLine() {
  const { opened, opening, choice, choose } = useEngine();
  const device = opened?.device;
  return (
    <div class="device">
      <label for="device">Device</label>
      <select
        id="device"
        value={choice}
        disabled={opening}
        onChange={({ currentTarget }) => void choose(currentTarget.value as DeviceChoice)}
      >
        {Object.entries(NAMES).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <p role="status" data-kind={device?.kind}>
        {opening && !device ? 'Opening a device …' : device ? lineOf(device.description, device.reason) : 'No device'}
      </p>
    </div>
  );
}

function lineOf(description: string, reason: string): string {
  return reason === 'asked for' ? description : `${description} (${reason})`;
}
