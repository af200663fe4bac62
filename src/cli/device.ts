/** Opens a command's device and says on standard error which one it is and why. */
import type { OpenedDevice } from '../node/device.js';
import type { DeviceChoice } from '../node/device-choice.js';
import { commandLine } from './command-line.js';
import { say } from './output.js';
import { newProfiler, profileDevice } from './profile.js';

let reported: string | undefined;

/**
 * As `openDevice`, reported (once, if a command opens the same one again). If the work that follows is `resumable`, says how: a signal
 * ends the process at once, without a last word. `using` it closes the device on every path.
 */
export async function openReportedDevice(choice: DeviceChoice, resumable = false): Promise<OpenedDevice> {
  const { WebGpuBackend } = await import('../kernels/index.js');
  const { openDevice } = await import('../node/device.js');
  const profiler = await newProfiler();
  const device = await openDevice(choice, { profiler, warn: say });
  const { backend } = device;
  if (profiler) {
    const counters = backend instanceof WebGpuBackend ? backend.counters : undefined;
    profileDevice({ kind: backend.kind, description: backend.description, profiler, counters });
  }
  const line = `device: ${backend.description}; ${choice === 'auto' ? `auto: ${device.reason}` : device.reason}`;
  if (line !== reported) {
    say(line);
    if (resumable) say(`if interrupted, resume with: ${commandLine()}`);
  }
  reported = line;
  return device;
}
