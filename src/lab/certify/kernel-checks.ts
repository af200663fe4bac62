/** Every kernel on a device, in every variant, over its suite against its twin in float64. */
import { type Backend, type Declaration, type Kernel, suiteOf, WebGpuBackend } from '../../kernels/index.js';
import { unmetNeed } from '../../kernels/needs.js';
import { folded, launchOf } from '../../kernels/webgpu/launch.js';
import { type Attempt, checkParity, type Parity } from '../parity.js';

/** A variant of a kernel to be checked. */
export interface CheckedVariant {
  readonly kernel: Kernel;
  readonly variant: string;
}

/** What the suite of a kernel showed of one variant. */
export interface KernelCheck extends Omit<Parity, 'leftOut'> {
  readonly kernel: string;
  readonly variant: string;
  /** Cases that its suite has. */
  readonly suite: number;
  /** How many cases were not run, by the reason. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** What the device threw, which ended the check of this variant. */
  readonly fault?: string;
}

/** A quick check takes so many cases of each variant. */
const QUICK_CASES = 10;
const NOT_IN_QUICK = 'left out by the quick check';

/** The variants of these kernels on a device: all that WebGPU has, and on the CPU those that it runs. */
export function variantsOn(backend: Backend, kernels: readonly Kernel[]): CheckedVariant[] {
  return kernels.flatMap((kernel) => {
    if (backend instanceof WebGpuBackend) return kernel.variants.map(({ name }) => ({ kernel, variant: name }));
    return [{ kernel, variant: backend.variant?.(kernel, {}) ?? backend.kind }];
  });
}

/** How many cases are tried of a kernel. */
export function casesOf({ cases }: Kernel, quick: boolean): number {
  return quick ? Math.min(QUICK_CASES, cases.suite.length) : cases.suite.length;
}

/** Checks one variant. `onCase` is called after each case with the number done. Throws what the device throws. */
export async function checkVariant(
  backend: Backend,
  { kernel, variant }: CheckedVariant,
  quick: boolean,
  onCase: (done: number) => void,
): Promise<KernelCheck> {
  const suite = suiteOf(kernel);
  const count = casesOf(kernel, quick);
  // Spread over the suite, its first and last included.
  const cases = Array.from(
    { length: count },
    (_, i) => suite[Math.round((i * (suite.length - 1)) / (count - 1 || 1))]!,
  );
  const attempt = attemptOn(backend, kernel, variant);
  const plainest = attemptOn(backend, kernel, kernel.variants[0]!.name);
  const { leftOut, ...parity } = await checkParity(backend, cases, attempt, onCase, plainest);
  const reasons = {
    ...Object.fromEntries(leftOut),
    ...(count < suite.length && { [NOT_IN_QUICK]: suite.length - count }),
  };
  return { kernel: kernel.name, variant, suite: suite.length, ...parity, leftOut: reasons };
}

/** Runs a variant on a case. */
function attemptOn(backend: Backend, kernel: Kernel, name: string): Attempt<Declaration> {
  const variant = kernel.variants.find((one) => one.name === name);
  if (!(backend instanceof WebGpuBackend) || !variant) {
    return (args) => {
      backend.run(kernel, args);
      return undefined;
    };
  }
  const countsOn = typeof variant.covers === 'number';
  return (args, inFolds) => {
    const need = unmetNeed(variant, args, backend.adapter.subgroupSize);
    if (need !== undefined) return `it needs ${need}`;
    const launch = launchOf(kernel, variant, args);
    backend.dispatch(inFolds && countsOn ? folded(launch) : launch);
    return undefined;
  };
}
