/** Adds up where a device's time goes, by kernel and by operation, and keeps each dispatch for a trace. A backend that is given one adds to it. */
import type { Origin } from './backend.js';
import type { KernelCost } from './cost.js';

/** Totals of one kernel's calls. */
export interface KernelProfile {
  calls: number;
  seconds: number;
  flops: number;
  bytes: number;
}

/** Totals of one operation. */
export interface OperationProfile {
  readonly forward: KernelProfile;
  readonly backward: KernelProfile;
}

/** What is dispatched, and for what. */
export interface Dispatched {
  readonly kernel: string;
  readonly cost: KernelCost;
  /** Undefined: no operation, but a direct call. */
  readonly origin: Origin | undefined;
}

/** One call of a kernel. Times in milliseconds of `DispatchClock`. */
export interface Dispatch extends Dispatched {
  readonly begin: number;
  readonly end: number;
}

/** Whose times dispatches have, and what to add to them to get `performance.now` of the host. */
export interface DispatchClock {
  /** `gpu`: timestamps in the queue. `host`: when the host ran the kernel, or if it only records it, recorded it. */
  readonly source: 'gpu' | 'host';
  readonly shift: number;
  /** By how much the shift may be too small, in milliseconds. */
  readonly uncertainty: number;
}

/** Adds up the times of kernels. */
export class Profiler {
  readonly kernels = new Map<string, KernelProfile>();
  /** The matrix products by their sizes (see `KernelCost.shape`). */
  readonly products = new Map<string, KernelProfile>();
  /** By operation: a kernel that was called directly counts as one of its own name. */
  readonly operations = new Map<string, OperationProfile>();
  /** The first `mostDispatches` dispatches, in order. */
  readonly dispatches: Dispatch[] = [];
  clock: DispatchClock = { source: 'host', shift: 0, uncertainty: 0 };
  /** Dispatches that were not kept. */
  left = 0;

  constructor(readonly mostDispatches = 0) {}

  /** Adds one call of a kernel. */
  add(dispatch: Dispatch): void {
    const { kernel, cost, origin, begin, end } = dispatch;
    const seconds = (end - begin) / 1000;
    addTo(entryOf(this.kernels, kernel, totals), cost, seconds);
    if (cost.shape) addTo(entryOf(this.products, cost.shape, totals), cost, seconds);
    const operation = entryOf(this.operations, origin?.operation ?? kernel, () => ({
      forward: totals(),
      backward: totals(),
    }));
    addTo(origin?.backward ? operation.backward : operation.forward, cost, seconds);
    this.keep(dispatch);
  }

  /** Keeps one call of a kernel for a trace; its time counts nowhere. */
  keep(dispatch: Dispatch): void {
    if (this.dispatches.length < this.mostDispatches) this.dispatches.push(dispatch);
    else this.left++;
  }
}

const totals = (): KernelProfile => ({ calls: 0, seconds: 0, flops: 0, bytes: 0 });

function entryOf<V>(map: Map<string, V>, key: string, make: () => V): V {
  let entry = map.get(key);
  if (entry === undefined) {
    entry = make();
    map.set(key, entry);
  }
  return entry;
}

function addTo(profile: KernelProfile, { flops, bytes }: KernelCost, seconds: number): void {
  profile.calls++;
  profile.seconds += seconds;
  profile.flops += flops;
  profile.bytes += bytes;
}
