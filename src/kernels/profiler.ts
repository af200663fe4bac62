/** Adds up where a device's time goes, by kernel. A backend that is given one fills it in. */
import type { KernelName } from './contract.js';
import type { KernelCost } from './cost.js';

/** What the calls of one kernel took. */
export interface KernelProfile {
  calls: number;
  seconds: number;
  flops: number;
  bytes: number;
}

/** Adds up what kernels took. */
export class Profiler {
  readonly kernels = new Map<KernelName, KernelProfile>();
  /** The matrix products by their sizes (see `KernelCost.shape`). */
  readonly products = new Map<string, KernelProfile>();
  readonly #pending = new Set<Promise<void>>();

  /** One call of a kernel took so long. */
  add(kernel: KernelName, cost: KernelCost, seconds: number): void {
    addTo(this.kernels, kernel, cost, seconds);
    if (cost.shape) addTo(this.products, cost.shape, cost, seconds);
  }

  /** Times that will be added when a device has told them. */
  await(times: Promise<void>): void {
    this.#pending.add(times);
    times.finally(() => this.#pending.delete(times)).catch(() => {});
  }

  /** Resolves when all times known to be on their way are there. */
  async settle(): Promise<void> {
    await Promise.all(this.#pending);
  }
}

function addTo<K>(profiles: Map<K, KernelProfile>, key: K, { flops, bytes }: KernelCost, seconds: number): void {
  const profile = profiles.get(key) ?? { calls: 0, seconds: 0, flops: 0, bytes: 0 };
  profile.calls++;
  profile.seconds += seconds;
  profile.flops += flops;
  profile.bytes += bytes;
  profiles.set(key, profile);
}
