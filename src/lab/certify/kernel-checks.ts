/** Every kernel on a device, in every variant, over its suite against its twin in float64. */
import {
  type Backend,
  type Declaration,
  type Kernel,
  type KernelCase,
  sizedArgs,
  suiteOf,
  WebGpuBackend,
} from '../../kernels/index.js';
import { unmetNeed } from '../../kernels/needs.js';
import { folded, launchOf } from '../../kernels/webgpu/launch.js';
import { variantNamed } from '../../kernels/webgpu/tuning.js';
import { type Attempt, checkParity, type Parity } from '../parity.js';

/** A variant of a kernel to be checked, and on what. */
export interface CheckedVariant {
  readonly kernel: Kernel;
  readonly variant: string;
  /** Cases that it takes on this device; if quickly, some of them. */
  readonly cases: readonly KernelCase[];
  /** How many cases of the suite are not tried, by the reason. */
  readonly leftOut: Readonly<Record<string, number>>;
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
export function variantsOn(backend: Backend, kernels: readonly Kernel[], quick: boolean): CheckedVariant[] {
  return kernels.flatMap((kernel) => {
    if (backend instanceof WebGpuBackend) {
      return kernel.variants.map((variant) => {
        const need = (test: KernelCase) => unmetNeed(variant, sizedArgs(test), backend.adapter);
        return { kernel, variant: variant.name, ...chosenCases(kernel, need, quick) };
      });
    }
    const variant = backend.variant?.(kernel, {}) ?? backend.kind;
    return [{ kernel, variant, ...chosenCases(kernel, () => undefined, quick) }];
  });
}

/** Cases without an unmet `need`; quickly, some of them, spread from the first to the last. */
function chosenCases(
  kernel: Kernel,
  need: (test: KernelCase) => string | undefined,
  quick: boolean,
): Pick<CheckedVariant, 'cases' | 'leftOut'> {
  const leftOut: Record<string, number> = {};
  const cases = suiteOf(kernel).filter((test) => {
    const unmet = need(test);
    if (unmet === undefined) return true;
    const reason = `the variant needs ${unmet}`;
    leftOut[reason] = (leftOut[reason] ?? 0) + 1;
    return false;
  });
  if (!quick || cases.length <= QUICK_CASES) return { cases, leftOut };
  leftOut[NOT_IN_QUICK] = cases.length - QUICK_CASES;
  const last = cases.length - 1;
  const some = Array.from({ length: QUICK_CASES }, (_, i) => cases[Math.round((i * last) / (QUICK_CASES - 1))]!);
  return { cases: some, leftOut };
}

/** Checks one variant. `onCase` is called after each case with the number done. Throws what the device throws. */
export async function checkVariant(
  backend: Backend,
  { kernel, variant, cases, leftOut: notTried }: CheckedVariant,
  onCase: (done: number) => void,
): Promise<KernelCheck> {
  const plainest = attemptOn(backend, kernel, kernel.variants[0]!.name);
  const { leftOut, ...parity } = await checkParity(backend, cases, attemptOn(backend, kernel, variant), onCase, {
    shipped: plainest,
    tolerance: variantNamed(kernel, variant)?.tolerance,
  });
  const suite = kernel.cases.suite.length;
  return { kernel: kernel.name, variant, suite, ...parity, leftOut: { ...notTried, ...Object.fromEntries(leftOut) } };
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
    const launch = launchOf(kernel, variant, args);
    backend.dispatch(inFolds && countsOn ? folded(launch) : launch);
    return undefined;
  };
}
