/** How fast each kernel is at its usual sizes, as a device runs it. */
import {
  type AnyArgs,
  type Backend,
  caseOf,
  type Declaration,
  type Kernel,
  kernels,
  sizedArgs,
} from '../../kernels/index.js';
import { type DeviceCeilings, shareOfCeiling } from '../ceilings.js';
import { type Contestant, type ContestantTime, type Timings, timeContestants } from '../timing.js';

/** One kernel at its usual sizes. */
export interface KernelRate extends Omit<ContestantTime, 'name'>, Pick<Timings, 'clock' | 'cost'> {
  readonly kernel: string;
  /** The implementation that the device chooses for this case. */
  readonly variant: string;
  /** The kernel and its sizes. */
  readonly name: string;
  /** Of the device's ceiling that is nearer, arithmetic or copying. More than 1 where operands stay in a cache. */
  readonly share: number;
}

/** The kernels that are timed: quickly, those that encoding and tuning use. */
export function timedKernels(all: readonly Kernel[], quick: boolean): readonly Kernel[] {
  return quick ? all.filter(({ name }) => Object.hasOwn(kernels, name)) : all;
}

/** Times one kernel. Throws InputError if its usual sizes do not fit, and what the device throws. */
export async function rateOf(backend: Backend, kernel: Kernel, ceilings: DeviceCeilings): Promise<KernelRate> {
  const test = caseOf(kernel, {});
  const variant = backend.variant?.(kernel, sizedArgs(test)) ?? backend.kind;
  const run = (args: AnyArgs) => backend.run(kernel, args);
  const contestant: Contestant<Declaration> = { name: variant, device: backend, run };
  const { cost, clock, times } = await timeContestants(test, [contestant]);
  const { name: _, ...time } = times[0]!;
  return { kernel: kernel.name, variant, name: test.name, ...time, clock, cost, share: shareOfCeiling(time, ceilings) };
}
