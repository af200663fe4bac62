/** A kernel's suite: every case on a device against the twin in float64. */
import {
  type ArgsOf,
  type Backend,
  CpuBackend,
  type Declaration,
  type KernelCase,
  type KernelOutput,
  openCase,
  runCase,
} from '../kernels/index.js';
import { type Comparison, compareOutputs, TOLERANCE } from './compare.js';

/** A case whose outputs are off by more than rounding. */
export interface WrongCase {
  readonly name: string;
  readonly comparison: Comparison;
}

/** What a suite showed. */
export interface Parity {
  /** How many cases were run. */
  readonly cases: number;
  readonly wrong: readonly WrongCase[];
  /** Cases that gave other bits when they were run again: invocations race for the same memory. */
  readonly unstable: readonly string[];
  /** Cases that were not run: how many, for each reason. */
  readonly leftOut: ReadonlyMap<string, number>;
  /** The largest error of a right case, relative to the largest number of its output. */
  readonly error: number;
  readonly tolerance: number;
}

/** Fewer cases than that say little of a kernel that left others out. */
const FEW_CASES = 10;

/** How many cases the suite has. */
export function suiteSize({ cases, leftOut }: Pick<Parity, 'cases' | 'leftOut'>): number {
  return [...leftOut.values()].reduce((sum, count) => sum + count, cases);
}

/** Whether so much was left out that the verdict says little. */
export function saysLittle(parity: Pick<Parity, 'cases' | 'leftOut'>): boolean {
  return parity.cases < FEW_CASES && suiteSize(parity) > parity.cases;
}

/**
 * How a case is run: as it is; `folded`, with workgroups that are counted on in a grid of two axes where one would do, so that they are counted
 * as in calls of more than 65,535, which are too large for a suite; or `reversed`, with invocations in reverse order (lanes.ts).
 */
export type Way = 'as it is' | 'folded' | 'reversed';

/** Runs one case's kernel on its arguments; or returns why it does not take them. */
export interface Attempt<D extends Declaration> {
  (args: ArgsOf<D>, way: Way): string | undefined;
  /** Whether it can be run in reverse. */
  readonly reverses?: boolean;
}

/** What outputs are held to, beside the twin. */
export interface Standard<D extends Declaration> {
  /** A case with NaN or infinities in its results that this gets wrong on the same device is left out. */
  readonly shipped?: Attempt<D> | undefined;
  /** What they may be off by, relative to the largest number. Default: rounding of float32. */
  readonly tolerance?: number | undefined;
}

/** WGSL lets a device assume that there is no NaN and no infinity. */
const LOST = 'this device loses NaN and infinities there, with the shipped variant too';

/** Of a case that is right as it is. */
const WAYS = {
  folded: 'its workgroups in a grid of two axes, as in calls of more than 65,535',
  reversed: 'its invocations in reverse order: they race for memory that they share',
} as const;

/** An oracle of one's own for each suite, so that nothing is shared. */
const oracleOptions = { precision: 'f64', poison: true } as const;

/**
 * Runs each case on the device, by `attempt`, as it is and in the other ways. `onCase` is called after each with the number done. Throws what the device throws.
 */
export async function checkParity<D extends Declaration>(
  device: Backend,
  cases: readonly KernelCase<D>[],
  attempt: Attempt<D>,
  onCase: (done: number, all: number) => void = () => {},
  standard: Standard<D> = {},
): Promise<Parity> {
  const oracle = new CpuBackend(oracleOptions);
  const wrong: WrongCase[] = [];
  const unstable: string[] = [];
  const leftOut = new Map<string, number>();
  let run = 0;
  let error = 0;
  using _end = { [Symbol.dispose]: () => oracle.dispose() };
  for (const [seed, test] of cases.entries()) {
    const verdict = await checkCase(
      { device, test, seed, expected: () => runCase(oracle, test, seed) },
      attempt,
      standard,
    );
    if (verdict.kind === 'left out') {
      leftOut.set(verdict.reason, (leftOut.get(verdict.reason) ?? 0) + 1);
    } else {
      run++;
      if (verdict.kind === 'unstable') unstable.push(test.name);
      else if (verdict.kind === 'wrong') wrong.push({ name: verdict.name, comparison: verdict.comparison });
      if (verdict.kind !== 'wrong' || verdict.way !== 'as it is') error = Math.max(error, verdict.error);
    }
    onCase(seed + 1, cases.length);
  }
  return { cases: run, wrong, unstable, leftOut, error, tolerance: standard.tolerance ?? TOLERANCE };
}

/** One case on one device. */
export interface CaseRun<D extends Declaration> {
  readonly device: Backend;
  readonly test: KernelCase<D>;
  readonly seed: number;
  /** What the twin in float64 writes. */
  expected(): Promise<readonly KernelOutput[]>;
}

/** What one case showed; `error` is that of its first call. */
export type CaseVerdict =
  | { readonly kind: 'left out'; readonly reason: string }
  | { readonly kind: 'right' | 'unstable'; readonly error: number }
  /** `way`: the first in which it is wrong. */
  | (WrongCase & { readonly kind: 'wrong'; readonly way: Way; readonly error: number });

/** Runs one case as `checkParity` does all. */
export async function checkCase<D extends Declaration>(
  { device, test, seed, expected: twin }: CaseRun<D>,
  attempt: Attempt<D>,
  { shipped, tolerance }: Standard<D> = {},
): Promise<CaseVerdict> {
  const outputs = await attempted(device, test, attempt, seed);
  if (typeof outputs === 'string') return { kind: 'left out', reason: outputs };
  const expected = await twin();
  const comparison = compareOutputs(outputs, expected, tolerance);
  const { error } = comparison;
  if (comparison.wrong > 0) {
    if (shipped && comparison.overrun === 0 && !expected.every(hasFinite)) {
      const others = await attempted(device, test, shipped, seed);
      if (typeof others !== 'string' && compareOutputs(others, expected).wrong > 0)
        return { kind: 'left out', reason: LOST };
    }
    return { kind: 'wrong', name: test.name, comparison, way: 'as it is', error };
  }
  for (const way of ['folded', 'reversed'] as const) {
    if (way === 'reversed' && !attempt.reverses) continue;
    const others = await attempted(device, test, attempt, seed, way);
    if (sameBits(outputs, others)) continue;
    const otherwise = compareOutputs(others as KernelOutput[], expected, tolerance);
    const again = await attempted(device, test, attempt, seed);
    return otherwise.wrong > 0 && sameBits(outputs, again)
      ? { kind: 'wrong', name: `${test.name}, ${WAYS[way]}`, comparison: otherwise, way, error }
      : { kind: 'unstable', error };
  }
  return { kind: 'right', error };
}

async function attempted<D extends Declaration>(
  device: Backend,
  test: KernelCase<D>,
  attempt: Attempt<D>,
  seed: number,
  way: Way = 'as it is',
): Promise<string | KernelOutput[]> {
  using open = openCase(device, test, seed);
  return attempt(open.args, way) ?? (await open.read());
}

function hasFinite({ values }: KernelOutput): boolean {
  return values.every(Number.isFinite);
}

function sameBits(one: readonly KernelOutput[], other: string | readonly KernelOutput[]): boolean {
  if (typeof other === 'string') return false;
  return one.every(
    ({ values, overrun }, i) =>
      overrun === other[i]!.overrun && values.every((value, at) => Object.is(value, other[i]!.values[at])),
  );
}
