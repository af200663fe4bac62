/**
 * Faults of a device after it was opened. Each kind is a one-line error that names the fault and the adapter; its backend
 * can no longer be used, but a new one may work. docs/webgpu-kernels.md ("When a device fails") describes how a caller continues.
 */
import { InputError, isError } from '../../errors.js';

/** The device refused a command (which no input should bring about), or one of the kinds below. */
export class DeviceError extends InputError {}

/** The device has no memory left. */
export class DeviceMemoryError extends DeviceError {}

/** The device is gone, reset or removed by its driver, with everything that it held. */
export class DeviceLostError extends DeviceError {}

/** Listens to a device and keeps its first fault: later ones (invalid buffers, dropped commands) are only consequences. */
export class DeviceFaults {
  readonly #adapter: string;
  #first: DeviceError | undefined;
  #ended = false;
  /** Resolves when the device reports its end, or a fault. */
  readonly #news: Promise<unknown>;

  /** `adapter` is for the messages. */
  constructor(device: GPUDevice, adapter: string) {
    this.#adapter = adapter;
    const uncaptured = new Promise<void>((resolve) => {
      device.addEventListener('uncapturederror', (event) => {
        // A browser would print it as well.
        event.preventDefault();
        this.#note(event.error);
        resolve();
      });
    });
    const lost = device.lost.then(
      ({ message, reason }) => {
        if (!this.#ended) this.#first ??= this.#lost(message || reason || 'the driver does not say why');
      },
      () => {},
    );
    this.#news = Promise.race([uncaptured, lost]);
  }

  /** From now on the end of the device is not a fault. */
  expectEnd(): void {
    this.#ended = true;
  }

  /** Throws the first fault that is known, if any. Faults are reported through the event loop, so late. */
  check(): void {
    if (this.#first) throw this.#first;
  }

  /**
   * Why waiting for the device ended in `error`. The fault behind it may become known after that: browsers unmap a lost device's buffers
   * some time before they report the loss.
   */
  async behind(error: unknown): Promise<DeviceError> {
    if (!this.#first && !this.#ended) await within(this.#news, LATEST_NEWS_MILLISECONDS);
    if (!this.#first && this.#ended) return this.#lost('it was closed before it had answered');
    return this.thrown(error);
  }

  /** The fault that a call to the device threw. */
  thrown(error: unknown): DeviceError {
    return this.#note(isError(error) ? error : new Error(String(error)));
  }

  #note(error: GPUError | Error): DeviceError {
    this.#first ??= OUT_OF_MEMORY.has(error.constructor.name)
      ? new DeviceMemoryError(`WebGPU ran out of memory on ${this.#adapter}: ${gist(error.message)}`)
      : new DeviceError(`WebGPU failed on ${this.#adapter}: ${gist(error.message) || error.constructor.name}`);
    return this.#first;
  }

  #lost(reason: string): DeviceLostError {
    return new DeviceLostError(`WebGPU lost its device on ${this.#adapter}: ${gist(reason)}`);
  }
}

/** A fault that is not reported within this time is not reported at all. */
const LATEST_NEWS_MILLISECONDS = 1000;

/** Waits for a promise, with a time limit. */
async function within(pending: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([pending, late]);
  clearTimeout(timer);
}

/** The classes of such errors; Node has no globals of these names. A buffer to be mapped at its creation throws a RangeError. */
const OUT_OF_MEMORY: ReadonlySet<string> = new Set(['GPUOutOfMemoryError', 'RangeError']);

/** The first line of an implementation's message, and its subject: the label (as of a shader) that a later line names. */
function gist(message: string): string {
  const [first = '', ...context] = message.trim().split('\n');
  const label = /"([^"]+)"/.exec(context.join(' '))?.[1];
  return label === undefined ? first : `${first} (${label})`;
}
