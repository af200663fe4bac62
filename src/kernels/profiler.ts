/** Adds up where a device's time goes, by kernel. A backend that is given one adds to it. */
import type { KernelCost } from './cost.js';

/** Totals of one kernel's calls. */
export interface KernelProfile {
  calls: number;
  seconds: number;
  flops: number;
  bytes: number;
}

/** Adds up the times of kernels. */
export class Profiler {
  readonly kernels = new Map<string, KernelProfile>();
  /** The matrix products by their sizes (see `KernelCost.shape`). */
  readonly products = new Map<string, KernelProfile>();

  /** Adds one call of a kernel. */
  add(kernel: string, cost: KernelCost, seconds: number): void {
    addTo(this.kernels, kernel, cost, seconds);
    if (cost.shape) addTo(this.products, cost.shape, cost, seconds);
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
