/** Times calls on a device: by its own clock if it has one, since the host's counts what it takes to queue a call. */
import type { Backend } from './backend.js';
import type { DeviceBuffer } from './definition.js';

/** Whose clock a time is by: see `Backend.secondsOf`. */
export type Clock = 'device' | 'host';

/** Dispose it. */
export class Stopwatch implements Disposable {
  /** Whose clock it reads. */
  clock: Clock;
  readonly #device: Backend;
  /** A read of it waits for everything that was queued before. */
  readonly #fence: DeviceBuffer;

  constructor(device: Backend) {
    this.#device = device;
    this.#fence = device.allocate('f32', 1);
    this.clock = device.secondsOf ? 'device' : 'host';
  }

  /** Seconds of a call, of as many as are given one after the other. */
  async time(call: () => void, calls = 1): Promise<{ seconds: number; clock: Clock }> {
    const all = (): void => {
      for (let i = 0; i < calls; i++) call();
    };
    const { secondsOf } = this.#device;
    if (this.clock === 'device' && secondsOf) {
      const seconds = await secondsOf(all);
      if (seconds > 0) return { seconds: seconds / calls, clock: 'device' };
      // A clock that stands still, or that is too coarse, is none.
      this.clock = 'host';
    }
    const start = performance.now();
    all();
    await this.#device.read(this.#fence);
    return { seconds: (performance.now() - start) / 1000 / calls, clock: 'host' };
  }

  [Symbol.dispose](): void {
    this.#device.free(this.#fence);
  }
}
