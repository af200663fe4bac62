/**
 * A backend that notes how long each kernel of the one inside it takes. Only for the CPU, whose kernels run at once.
 *
 * It counts processor time of the process, which other programs on the machine do not inflate. That is also the time that
 * passes on an idle machine, provided that the backend inside has one thread.
 */
import type { Backend, KernelName, Kernels } from '../src/kernels/index.js';
import { MeteredBackend } from './metered-backend.js';

export interface KernelTime {
  calls: number;
  seconds: number;
  flops: number;
}

export class KernelClock extends MeteredBackend {
  readonly times = new Map<KernelName, KernelTime>();

  constructor(inner: Backend) {
    super(inner);
    if (inner.kind !== 'cpu') throw new Error('kernels of this device do not run when they are called');
  }

  override run<K extends KernelName>(kernel: K, args: Kernels[K]): void {
    const time = this.times.get(kernel) ?? { calls: 0, seconds: 0, flops: 0 };
    const flops = this.flops;
    const start = processorSeconds();
    super.run(kernel, args);
    time.seconds += processorSeconds() - start;
    time.flops += this.flops - flops;
    time.calls++;
    this.times.set(kernel, time);
  }
}

/** Processor time that this process has used, on all its threads. */
export function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
