/**
 * Measures the variants of every kernel that has several, for the sizes that a model uses: see `Kernel.tuning`. The cases of one class, such
 * as a product with few, some and many rows, share a variant, since an image's features may not depend on how many others are computed with it.
 * Variants that give the same bits compete as one, each case with the best of them.
 *
 * What is far too slow on the cases so far is not tried on the next: the plainest product would take minutes on a software adapter.
 */
import { caseOf, openCase } from '../cases.js';
import { kernelCost } from '../cost.js';
import type { AnyArgs, Kernel, Sizes, TuningWork, Variant } from '../definition.js';
import { allKernels } from '../families/index.js';
import { unmetNeed } from '../needs.js';
import { type Clock, Stopwatch } from '../stopwatch.js';
import type { WebGpuBackend } from './backend.js';
import { launchOf } from './launch.js';
import { type KernelTuning, sumsOf, type Tuning, workClass } from './tuning.js';

/** One variant on one piece of work. */
export interface Timing {
  /** The kernel's name and, if it has several classes of calls, the class, with the number of rows where that makes a difference. */
  readonly work: string;
  readonly variant: string;
  /** Best time of a call; where a class has several cases that are not told apart, of one call of each. */
  readonly seconds: number;
  readonly gflops: number;
  /** The device's own clock, or the host's, which counts what it takes to queue a call. */
  readonly clock?: Clock;
}

/** What is this many times slower than the best is tried no more. */
const HOPELESS = 3;
/** Least duration of a variant's turn, and number of turns after the one that compiles. */
const TURN_SECONDS = 0.02;
const TURNS = 2;

/** How many pieces of work `measureTuning` will report on. */
export function tuningSteps(work: TuningWork, kernels?: readonly Kernel[]): number {
  return withChoice(kernels).reduce((sum, kernel) => {
    const classes = classesOf(kernel, work);
    return sum + (kernel.rowsClassOf ? classes.flat() : classes).length;
  }, 0);
}

/** Measures these kernels, by default all; `onMeasured` is called with the timings of each piece of work. */
export async function measureTuning(
  backend: WebGpuBackend,
  work: TuningWork,
  onMeasured: (timings: readonly Timing[]) => void = () => {},
  kernels?: readonly Kernel[],
): Promise<Tuning> {
  const tuning: Record<string, KernelTuning> = {};
  for (const kernel of withChoice(kernels)) {
    const byClass: Record<string, string> = {};
    const seconds = new Map<string, number>();
    for (const cases of classesOf(kernel, work)) {
      const { name, choices } = await measureClass(backend, kernel, cases, onMeasured);
      byClass[name] = choices.reduce((one, other) =>
        other.best.seconds > one.best.seconds ? other : one,
      ).best.variant;
      for (const { rows, best } of choices) {
        if (rows !== undefined) byClass[workClass(name, rows)] = best.variant;
        seconds.set(best.variant, (seconds.get(best.variant) ?? 0) + best.seconds);
      }
    }
    // For other classes: the variant that was best for the largest part of the measured time.
    const [fallback] = [...seconds].sort(([, a], [, b]) => b - a)[0]!;
    tuning[kernel.name] = { fallback, byClass };
  }
  return tuning;
}

/** Those that have more than one variant. */
function withChoice(kernels: readonly Kernel[] = allKernels()): Kernel[] {
  return kernels.filter(({ variants }) => variants.length > 1);
}

function classesOf(kernel: Kernel, work: TuningWork): readonly (readonly Sizes[])[] {
  return kernel.tuning?.(work) ?? [[{}]];
}

function fastest(timings: readonly Timing[]): Timing {
  return timings.reduce((best, one) => (one.seconds < best.seconds ? one : best));
}

/** The best variant of one way to add up on one case. */
interface Choice {
  /** Its class of row numbers, if the kernel has any. */
  readonly rows: string | undefined;
  readonly best: Timing;
}

/** Of the ways to add up that are not far too slow on the first cases, the one that takes the least time on all of them, with its choices for each. */
async function measureClass(
  backend: WebGpuBackend,
  kernel: Kernel,
  cases: readonly Sizes[],
  onMeasured: (timings: readonly Timing[]) => void,
): Promise<{ name: string; choices: readonly Choice[] }> {
  let hopeful = kernel.variants.filter(({ tolerance }) => tolerance === undefined);
  const totals = new Map<string, Timing>();
  let name = '';
  // The best of each way on each case.
  const ways = new Map<string, Choice[]>();
  for (const sizes of cases) {
    using open = openCase(backend, caseOf(kernel, sizes));
    name = kernel.classOf?.(open.args) ?? '';
    const rows = kernel.rowsClassOf?.(open.args);
    const work = [kernel.name, workClass(name, rows)].filter(Boolean).join(' ');
    const measured = await measureVariants(backend, kernel, open.args, hopeful, work);
    if (kernel.rowsClassOf) onMeasured(measured);
    for (const timing of measured) totals.set(timing.variant, together(timing, totals.get(timing.variant)));
    const sums = (timing: Timing) => sumsOf(hopeful.find((variant) => variant.name === timing.variant)!);
    for (const way of new Set(hopeful.map(sumsOf))) {
      const own = measured.filter((timing) => sums(timing) === way);
      if (own.length > 0) ways.set(way, [...(ways.get(way) ?? []), { rows, best: fastest(own) }]);
      else ways.delete(way);
    }
    const limit = HOPELESS * Math.min(...[...ways.values()].map(secondsOf));
    for (const [way, choices] of ways) if (secondsOf(choices) > limit) ways.delete(way);
    hopeful = hopeful.filter((variant) => ways.has(sumsOf(variant)));
  }
  if (!kernel.rowsClassOf) onMeasured(hopeful.map((variant) => totals.get(variant.name)!));
  const choices = [...ways.values()].reduce((one, other) => (secondsOf(other) < secondsOf(one) ? other : one));
  return { name, choices };
}

function secondsOf(choices: readonly Choice[]): number {
  return choices.reduce((sum, { best }) => sum + best.seconds, 0);
}

/** One call after the other. */
function together(one: Timing, other: Timing = { ...one, seconds: 0, gflops: 0 }): Timing {
  const seconds = one.seconds + other.seconds;
  return { ...one, seconds, gflops: (one.gflops * one.seconds + other.gflops * other.seconds) / seconds };
}

/** The variants that take these arguments, in turns. */
async function measureVariants(
  backend: WebGpuBackend,
  kernel: Kernel,
  args: AnyArgs,
  variants: readonly Variant[],
  work: string,
): Promise<Timing[]> {
  let launches = variants
    .filter((variant) => unmetNeed(variant, args, backend.adapter) === undefined)
    .map((variant) => ({ variant: variant.name, launch: launchOf(kernel, variant, args) }));
  const best = new Map<string, { seconds: number; clock: Clock }>();
  using stopwatch = new Stopwatch(backend);
  for (let turn = 0; turn <= TURNS; turn++) {
    for (const { variant, launch } of launches) {
      const known = best.get(variant);
      const calls = known === undefined ? 1 : Math.min(1000, Math.ceil(TURN_SECONDS / known.seconds));
      const { seconds, clock } = await stopwatch.time(() => backend.dispatch(launch), calls);
      // The first turn compiles; it only gives an upper bound for a turn.
      best.set(variant, { seconds: turn <= 1 ? seconds : Math.min(seconds, known?.seconds ?? seconds), clock });
    }
    const limit = HOPELESS * Math.min(...[...best.values()].map(({ seconds }) => seconds));
    if (turn > 0) launches = launches.filter(({ variant }) => best.get(variant)!.seconds <= limit);
  }
  const { flops } = kernelCost(kernel, args);
  return [...best].map(([variant, { seconds, clock }]) => ({
    ...{ work, variant, seconds, clock },
    gflops: flops / seconds / 1e9,
  }));
}
