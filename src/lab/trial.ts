/** A user's kernel on trial: compiled, compared with its twin, and timed beside the shipped variants. */
import { InputError } from '../errors.js';
import {
  type AnyArgs,
  caseOf,
  type Declaration,
  type KernelCase,
  type Sizes,
  sizedArgs,
  suiteOf,
  type WebGpuBackend,
} from '../kernels/index.js';
import type { Launch } from '../kernels/webgpu/launch.js';
import type { Compilation } from '../kernels/webgpu/programs.js';
import { compareOutputs } from './compare.js';
import { launchUserKernel, type UserKernel } from './contract.js';
import { checkParity, type Parity } from './parity.js';
import { launchShipped, variantNames } from './shipped.js';
import { type Contestant, type ContestantTime, type OnTiming, type Timings, timeContestants } from './timing.js';

/** What became of a kernel on trial. */
export interface Trial {
  readonly compilation: Compilation;
  /** Undefined if it does not compile. */
  readonly parity?: Parity;
  /** Undefined if it does not compile, is wrong, or does not take these sizes. */
  readonly timings?: TimedVariants;
  /** Why it was not timed. */
  readonly notTimed?: string;
}

/** Variants of a kernel on one case. */
export interface TimedVariants extends Timings {
  readonly times: readonly VariantTime[];
}

/** How long one variant took to compile and to run. */
export interface VariantTime extends ContestantTime {
  /** From its text to a pipeline, in seconds. */
  readonly compileSeconds: number;
  /** The largest difference from the first variant's result, relative to the largest number. */
  readonly difference: number;
}

/** What happens, for a progress bar. What it throws ends the trial. */
export type OnStep = (step: 'parity' | Parameters<OnTiming>[0], done: number, all: number) => void;

/** Tries a kernel. Throws InputError if the case does not fit the device, what the device throws, and what `onStep` throws. */
export async function tryKernel(
  device: WebGpuBackend,
  user: UserKernel,
  sizes: Sizes,
  onStep: OnStep = () => {},
): Promise<Trial> {
  const { kernel } = user;
  const test = caseOf(kernel, { ...sizes, ...(user.reads[0] === 'f16' && { half: 1 }) });
  const checked = await compileAndCheck(device, user, suiteOf(kernel), onStep, test);
  const { compilation, parity } = checked;
  if (!parity) return checked;
  if (parity.wrong.length > 0) return { ...checked, notTimed: 'it is wrong' };
  if (parity.unstable.length > 0) return { ...checked, notTimed: 'its results change from run to run' };
  const { subgroupSize } = device.adapter;
  const launch = launchUserKernel(user, sizedArgs(test), subgroupSize);
  if (typeof launch === 'string') return { ...checked, notTimed: `${test.name}: ${launch}` };
  const own = {
    name: user.file,
    launch: (args: AnyArgs) => launchUserKernel(user, args, subgroupSize) as Launch,
    compileSeconds: compilation.seconds,
  };
  const timings = await timeVariants(device, test, [own], onStep);
  return { ...checked, timings };
}

/**
 * Compiles a kernel, for the first case that it takes (`first`, if given, before the suite), and holds it against the twin. Throws InputError
 * if it takes none.
 */
export async function compileAndCheck(
  device: WebGpuBackend,
  user: UserKernel,
  suite: readonly KernelCase[],
  onStep: OnStep = () => {},
  first?: KernelCase,
): Promise<Pick<Trial, 'compilation' | 'parity'>> {
  const compilation = await device.compile(firstLaunch(device, user, first ? [first, ...suite] : suite));
  if (compilation.messages.some(({ type }) => type === 'error')) return { compilation };
  onStep('parity', 0, suite.length);
  const attempt = (args: AnyArgs): string | undefined => {
    const launch = launchUserKernel(user, args, device.adapter.subgroupSize);
    if (typeof launch === 'string') return launch;
    device.dispatch(launch);
    return undefined;
  };
  return { compilation, parity: await checkParity(device, suite, attempt, (done, all) => onStep('parity', done, all)) };
}

/** The launch of the first case that the kernel takes. Throws InputError if it takes none. */
function firstLaunch({ adapter }: WebGpuBackend, user: UserKernel, cases: readonly KernelCase[]): Launch {
  let reason: string | undefined;
  for (const test of cases) {
    const launch = launchUserKernel(user, sizedArgs(test), adapter.subgroupSize);
    if (typeof launch !== 'string') return launch;
    reason ??= launch;
  }
  throw new InputError(`${user.file}: it takes no case of ${user.kernel.name}: ${reason}`);
}

/** A variant to be timed beside the shipped ones. */
export interface Entrant {
  readonly name: string;
  /** The launch for these arguments. */
  launch(args: AnyArgs): Launch;
  /** Where it was compiled before: a second time, the driver's cache would answer. */
  readonly compileSeconds?: number;
}

/** Times the shipped variants that take this case, and `entrants` after them. */
export async function timeVariants(
  device: WebGpuBackend,
  test: KernelCase,
  entrants: readonly Entrant[] = [],
  onStep: OnTiming = () => {},
): Promise<TimedVariants> {
  const all = [...shippedEntrants(device, test), ...entrants];
  const compileSeconds: number[] = [];
  const sized = sizedArgs(test);
  for (const { launch, compileSeconds: known } of all) {
    compileSeconds.push(known ?? (await device.compile(launch(sized))).seconds);
  }
  const contestants = all.map(
    ({ name, launch }): Contestant<Declaration> => ({ name, device, run: (args) => device.dispatch(launch(args)) }),
  );
  const { cost, times } = await timeContestants(test, contestants, onStep);
  const reference = times[0]!.outputs;
  return {
    cost,
    times: times.map((time, i) => ({
      ...time,
      compileSeconds: compileSeconds[i]!,
      difference: compareOutputs(time.outputs, reference).error,
    })),
  };
}

function shippedEntrants({ adapter }: WebGpuBackend, test: KernelCase): Entrant[] {
  const { kernel } = test;
  const args = sizedArgs(test);
  return variantNames(kernel)
    .filter((name) => launchShipped(kernel, name, args, adapter.subgroupSize) !== undefined)
    .map((name) => ({ name, launch: (args) => launchShipped(kernel, name, args, adapter.subgroupSize)! }));
}
