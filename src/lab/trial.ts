/** A user's kernel on trial: compiled, compared with its twin, and timed beside the shipped variants. */
import { InputError } from '../errors.js';
import {
  type AnyArgs,
  caseOf,
  type Declaration,
  type Kernel,
  type KernelCase,
  type Sizes,
  sizedArgs,
  suiteOf,
  type WebGpuBackend,
} from '../kernels/index.js';
import { folded, type Launch } from '../kernels/webgpu/launch.js';
import type { Compilation } from '../kernels/webgpu/programs.js';
import { assembled } from '../kernels/webgpu/wgsl-text.js';
import { type Comparison, compareOutputs, TOLERANCE } from './compare.js';
import { launchUserKernel, type UserKernel } from './contract.js';
import type { Duel } from './duel.js';
import { reversedLanes } from './lanes.js';
import { type Attempt, checkParity, type Parity } from './parity.js';
import { referenceOf } from './reference.js';
import { launchShipped } from './shipped.js';
import { shippedVariant } from './starter.js';
import { type Contestant, type ContestantTime, type OnTiming, Race, type Timings } from './timing.js';

/** What became of a kernel on trial. */
export interface Trial {
  readonly compilation: Compilation;
  /** Undefined if it does not compile. */
  readonly parity?: Parity;
  /** The case that is timed. Undefined if it came to that neither. */
  readonly judged?: JudgedCase;
  /** Undefined if it does not compile, is wrong, or does not take these sizes. */
  readonly timings?: TimedVariants;
  /** Why it was not timed. */
  readonly notTimed?: string;
}

/** How variants did on the case that is timed, which may be larger than any of the suite. */
export interface JudgedCase {
  /** What they were held against, for people. */
  readonly reference: string;
  /** Whether there was such a thing; otherwise `reference` says why not. */
  readonly known: boolean;
  readonly tolerance: number;
  readonly wrong: readonly WrongVariant[];
}

/** A variant that is off by more than the tolerance. */
export interface WrongVariant {
  readonly name: string;
  readonly comparison: Comparison;
  /** After the timing, compared with what its first call wrote. */
  readonly later: boolean;
}

/** Variants of a kernel on one case. */
export interface TimedVariants extends Timings {
  readonly times: readonly VariantTime[];
  /** The entrant against a shipped variant; undefined without an entrant. */
  readonly duel?: Duel | undefined;
}

/** How long one variant took to compile and to run. */
export interface VariantTime extends ContestantTime {
  /** From its text to a pipeline, in seconds. */
  readonly compileSeconds: number;
  /** The largest difference from the reference, relative to the largest number; without one, from the plainest variant. */
  readonly difference: number;
}

/** What happens, for a progress bar. What it throws ends the trial. */
export type OnStep = (step: 'parity' | 'reference' | Parameters<OnTiming>[0], done: number, all: number) => void;

/** Why a trial is a failure, in a few words; undefined if it is none. */
export function faultOf({ parity, judged, timings }: Pick<Trial, 'parity' | 'judged' | 'timings'>): string | undefined {
  if (!parity) return 'it does not compile';
  if (parity.wrong.length > 0) return 'it is wrong';
  if (parity.unstable.length > 0) return 'its results change from run to run';
  return judged && !timings ? 'it is wrong on the case that is timed' : undefined;
}

/**
 * Tries a kernel, and compares its speed with the shipped variant `against`, by default the fastest. Throws InputError if that variant does not
 * take the case, if the case does not fit the device, what the device throws, and what `onStep` throws.
 */
export async function tryKernel(
  device: WebGpuBackend,
  user: UserKernel,
  sizes: Sizes,
  onStep: OnStep = () => {},
  against?: string,
): Promise<Trial> {
  const { kernel } = user;
  const test = caseOf(kernel, { ...sizes, ...(user.reads[0] === 'f16' && { half: 1 }) });
  if (against !== undefined) requireRival(device, test, against);
  const checked = await compileAndCheck(device, user, suiteOf(kernel), onStep, test);
  const { compilation, parity } = checked;
  if (!parity) return checked;
  const fault = faultOf(checked);
  if (fault !== undefined) return { ...checked, notTimed: fault };
  const { adapter } = device;
  const launch = launchUserKernel(user, sizedArgs(test), adapter);
  if (typeof launch === 'string') return { ...checked, notTimed: `${test.name}: ${launch}` };
  const own = {
    name: user.file,
    launch: (args: AnyArgs) => launchUserKernel(user, args, adapter) as Launch,
    compileSeconds: compilation.seconds,
  };
  const timed = await timeVariants(device, test, [own], onStep, against);
  return { ...checked, ...timed, ...(!timed.timings && { notTimed: faultOf({ parity, ...timed }) ?? '' }) };
}

/** Throws InputError if there is no such variant, or if it does not take the case. */
function requireRival(device: WebGpuBackend, test: KernelCase, against: string): void {
  const { name } = shippedVariant(test.kernel, against, '--against');
  if (!shippedEntrants(device, test).some((one) => one.name === name))
    throw new InputError(`--against ${against}: it does not take ${test.name} on this adapter`);
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
  const onCase = (done: number, all: number) => onStep('parity', done, all);
  const shipped = shippedAttempt(device, user.kernel);
  const parity = await checkParity(device, suite, attemptOf(device, user), onCase, {
    shipped,
    tolerance: user.variant.tolerance,
  });
  return { compilation, parity };
}

/** Runs a user's kernel on a case, for `checkParity`. */
export function attemptOf(device: WebGpuBackend, user: UserKernel): Attempt<Declaration> {
  const countsOn = typeof user.variant.covers === 'number';
  const wgsl = reversedLanes(assembled(user.text));
  const reversed = wgsl === undefined ? undefined : { ...user, variant: { ...user.variant, wgsl } };
  const attempt: Attempt<Declaration> = (args, way) => {
    const launch = launchUserKernel(way === 'reversed' ? reversed! : user, args, device.adapter);
    if (typeof launch === 'string') return launch;
    device.dispatch(way === 'folded' && countsOn ? folded(launch) : launch);
    return undefined;
  };
  return Object.assign(attempt, { reverses: reversed !== undefined });
}

/** Runs the plainest shipped variant on a case. */
export function shippedAttempt(device: WebGpuBackend, kernel: Kernel): Attempt<Declaration> {
  const { name } = kernel.variants[0]!;
  return (args) => {
    device.dispatch(launchShipped(kernel, name, args, device.adapter)!);
    return undefined;
  };
}

/** The launch of the first case that the kernel takes. Throws InputError if it takes none. */
function firstLaunch({ adapter }: WebGpuBackend, user: UserKernel, cases: readonly KernelCase[]): Launch {
  let reason: string | undefined;
  for (const test of cases) {
    const launch = launchUserKernel(user, sizedArgs(test), adapter);
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

/**
 * Times the shipped variants that take this case, and `entrants` after them; but first holds what they write against a reference. If an entrant is
 * wrong, nothing is timed. The last entrant is compared with `against`, by default the fastest shipped variant.
 */
export async function timeVariants(
  device: WebGpuBackend,
  test: KernelCase,
  entrants: readonly Entrant[] = [],
  onStep: OnStep = () => {},
  against?: string,
): Promise<{ judged: JudgedCase; timings?: TimedVariants }> {
  const shipped = shippedEntrants(device, test);
  const all = [...shipped, ...entrants];
  const compileSeconds: number[] = [];
  const sized = sizedArgs(test);
  for (const { launch, compileSeconds: known } of all) {
    compileSeconds.push(known ?? (await device.compile(launch(sized))).seconds);
  }
  const contestants = all.map(
    ({ name, launch }): Contestant<Declaration> => ({ name, device, run: (args) => device.dispatch(launch(args)) }),
  );
  using race = await Race.start(test, contestants, onStep);
  onStep('reference', 0, 1);
  const { judged, differences } = await judge(test, all, shipped.length, race);
  if (judged.wrong.some(({ name }) => entrants.some((one) => one.name === name))) return { judged };
  const { cost, times, clock } = await race.run();
  const rival =
    against === undefined ? fastest(times.slice(0, shipped.length)) : all.findIndex(({ name }) => name === against);
  const duel = entrants.length > 0 && rival >= 0 ? await race.duel(all.length - 1, rival) : undefined;
  const later: WrongVariant[] = [];
  for (const [i, { name }] of entrants.entries()) {
    const comparison = await changed(test, race, shipped.length + i);
    if (comparison) later.push({ name, comparison, later: true });
  }
  if (later.length > 0) return { judged: { ...judged, wrong: [...judged.wrong, ...later] } };
  const timed = times.map((time, i) => ({
    ...time,
    compileSeconds: compileSeconds[i]!,
    difference: differences[i]!,
  }));
  return { judged, timings: { cost, times: timed, clock, duel } };
}

/** Holds what the first calls wrote against a reference. */
async function judge(
  test: KernelCase,
  all: readonly Entrant[],
  shippedCount: number,
  race: Race,
): Promise<{ judged: JudgedCase; differences: readonly number[] }> {
  const written = all.map(({ name }, i) => ({ name, outputs: race.first[i]! }));
  const reference = await referenceOf(test, written.slice(0, shippedCount));
  const known = typeof reference !== 'string';
  const { outputs, tolerance } = known ? reference : { outputs: written[0]!.outputs, tolerance: TOLERANCE };
  const compared = written.map(({ name, outputs: own }) => ({
    name,
    comparison: compareOutputs(own, outputs, tolerance),
    later: false,
  }));
  return {
    judged: {
      ...{ reference: known ? reference.from : reference, known, tolerance },
      wrong: known ? compared.filter(({ comparison }) => comparison.wrong > 0) : [],
    },
    differences: compared.map(({ comparison }) => comparison.error),
  };
}

/** How what a contestant's buffers hold after many calls differs from what the first wrote: not at all, unless it updates operands. */
async function changed(test: KernelCase, race: Race, at: number): Promise<Comparison | undefined> {
  const first = race.first[at]!;
  const after = await race.after(at);
  const { operands } = test.kernel;
  const kept = (name: string) => operands[name]?.access !== 'update';
  // Of what is updated, only what lies behind it must be as it was.
  const expected = first.map((one, i) => (kept(one.name) ? one : { ...one, values: after[i]!.values }));
  const comparison = compareOutputs(after, expected, 0);
  return comparison.wrong > 0 ? comparison : undefined;
}

function fastest(times: readonly ContestantTime[]): number {
  return times.reduce((best, { seconds }, i) => (best < 0 || seconds < times[best]!.seconds ? i : best), -1);
}

function shippedEntrants({ adapter }: WebGpuBackend, test: KernelCase): Entrant[] {
  const { kernel } = test;
  const args = sizedArgs(test);
  return kernel.variants
    .filter(({ tolerance }) => tolerance === undefined)
    .map(({ name }) => name)
    .filter((name) => launchShipped(kernel, name, args, adapter) !== undefined)
    .map((name) => ({ name, launch: (args) => launchShipped(kernel, name, args, adapter)! }));
}
