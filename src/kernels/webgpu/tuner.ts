/**
 * Measures the variants of every kernel that has several, for the sizes that a model uses: see `Kernel.tuning`. The cases of one class, such
 * as a product with few, some and many rows, share a variant, since an image's features may not depend on how many others are computed with it.
 *
 * A variant that is far too slow on one case is not tried on the next: the plainest product would take minutes on a software adapter.
 */
import { caseOf, openCase } from '../cases.js';
import { kernelCost } from '../cost.js';
import type { AnyArgs, Kernel, Sizes, TuningWork, Variant } from '../definition.js';
import { allKernels } from '../families/index.js';
import { unmetNeed } from '../needs.js';
import { type Clock, Stopwatch } from '../stopwatch.js';
import type { WebGpuBackend } from './backend.js';
import { launchOf } from './launch.js';
import type { KernelTuning, Tuning } from './tuning.js';

/** One variant on one piece of work. */
export interface Timing {
  /** The kernel's name and, if it has several classes of calls, the class. */
  readonly work: string;
  readonly variant: string;
  /** Best time of a call; where a class has several cases, of one call of each. */
  readonly seconds: number;
  readonly gflops: number;
  /** The device's own clock, or the host's, which counts what it takes to queue a call. */
  readonly clock?: Clock;
}

/** A variant this many times slower than the best is not tried on more cases. */
const HOPELESS = 3;
/** Least duration of a variant's turn, and number of turns. */
const TURN_SECONDS = 0.02;
const TURNS = 3;

/** How many pieces of work `measureTuning` will report on. */
export function tuningSteps(work: TuningWork, kernels?: readonly Kernel[]): number {
  return withChoice(kernels).reduce((sum, kernel) => sum + classesOf(kernel, work).length, 0);
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
      const { name, timings } = await measureClass(backend, kernel, cases);
      onMeasured(timings);
      const best = fastest(timings);
      byClass[name] = best.variant;
      seconds.set(best.variant, (seconds.get(best.variant) ?? 0) + best.seconds);
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

/** The variants that are not far too slow on any case, each with its time on all of them. */
async function measureClass(
  backend: WebGpuBackend,
  kernel: Kernel,
  cases: readonly Sizes[],
): Promise<{ name: string; timings: Timing[] }> {
  let hopeful = kernel.variants;
  let name = '';
  const total = new Map<string, Timing>();
  for (const sizes of cases) {
    using open = openCase(backend, caseOf(kernel, sizes));
    name = kernel.classOf?.(open.args) ?? '';
    const measured = await measureVariants(
      backend,
      kernel,
      open.args,
      hopeful,
      [kernel.name, name].filter(Boolean).join(' '),
    );
    const best = fastest(measured);
    hopeful = hopeful.filter((variant) =>
      measured.some((timing) => timing.variant === variant.name && timing.seconds <= HOPELESS * best.seconds),
    );
    for (const timing of measured) total.set(timing.variant, together(timing, total.get(timing.variant)));
  }
  return { name, timings: hopeful.map((variant) => total.get(variant.name)!) };
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
  const { subgroupSize } = backend.adapter;
  const launches = variants
    .filter((variant) => unmetNeed(variant, args, subgroupSize) === undefined)
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
  }
  const { flops } = kernelCost(kernel, args);
  return launches.map(({ variant }) => {
    const { seconds, clock } = best.get(variant)!;
    return { work, variant, seconds, gflops: flops / seconds / 1e9, clock };
  });
}
