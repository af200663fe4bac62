/** Work that survives the loss of its device: it is repeated on a new one. */
import { DeviceLostError } from '../kernels/index.js';
import type { OpenedDevice } from './device.js';
import type { Events } from './events.js';

/**
 * Opens a device, works on it, and closes it. If it is lost, `work` is called once more with a new one and continues from what it has
 * kept (a checkpoint, a cache), or starts again. Throws DeviceLostError if the second device is lost too, or none of the same description
 * can be had: another would round differently.
 */
export async function onDevice<T>(
  open: () => Promise<OpenedDevice>,
  events: Pick<Events, 'say'>,
  work: (device: OpenedDevice) => Promise<T>,
): Promise<T> {
  let lost: DeviceLostError;
  let description: string;
  {
    using device = await open();
    try {
      return await work(device);
    } catch (error) {
      if (!(error instanceof DeviceLostError)) throw error;
      lost = error;
      description = device.backend.description;
    }
  }
  events.say(`${lost.message}; opening it again`);
  using device = await open().catch((error: unknown) => {
    throw new DeviceLostError(`${lost.message}, and no other could be opened: ${(error as Error).message}`);
  });
  if (device.backend.description !== description) {
    throw new DeviceLostError(`${lost.message}, and now there is another: ${device.backend.description}`);
  }
  return await work(device);
}
