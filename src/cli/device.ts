/** Opens a command's device and says on standard error which one it is and why. */
import { type OpenedDevice, openDevice } from '../node/device.js';
import type { DeviceChoice } from '../node/device-choice.js';
import { say } from './output.js';

let reported: string | undefined;

/** As `openDevice`, reported (once, where a command opens the same one again). `using` it ends the device on every path. */
export async function openReportedDevice(choice: DeviceChoice): Promise<OpenedDevice> {
  const device = await openDevice(choice);
  const line = `device: ${device.backend.description}; ${choice === 'auto' ? `auto: ${device.reason}` : device.reason}`;
  if (line !== reported) say(line);
  reported = line;
  return device;
}
