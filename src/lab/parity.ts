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
 * Runs one case's kernel on its arguments; or returns why it does not take them. If `folded`, with workgroups that are counted on in a grid of
 * two axes where one would do: so they are counted in calls of more than 65,535, which are too large for a suite.
 */
export type Attempt<D extends Declaration> = (args: ArgsOf<D>, folded: boolean) => string | undefined;

/** WGSL lets a device assume that there is no NaN and no infinity. */
const LOST = 'this device loses NaN and infinities there, with the shipped variant too';

/** Of a case that is right otherwise. */
const FOLDED = 'its workgroups in a grid of two axes, as in calls of more than 65,535';

/** An oracle of one's own for each suite, so that nothing is shared. */
const oracleOptions = { precision: 'f64', poison: true } as const;

/**
 * Runs each case twice on the device, by `attempt`, the second time folded. `onCase` is called after each with the number done. A case with NaN or
 * infinities in its results that `shipped` gets wrong on this device too is left out. Throws what the device throws.
 */
export async function checkParity<D extends Declaration>(
  device: Backend,
  cases: readonly KernelCase<D>[],
  attempt: Attempt<D>,
  onCase: (done: number, all: number) => void = () => {},
  shipped?: Attempt<D>,
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
      shipped,
    );
    if (verdict.kind === 'left out') {
      leftOut.set(verdict.reason, (leftOut.get(verdict.reason) ?? 0) + 1);
    } else {
      run++;
      if (verdict.kind === 'unstable') unstable.push(test.name);
      else if (verdict.kind === 'wrong') wrong.push({ name: verdict.name, comparison: verdict.comparison });
      if (verdict.kind !== 'wrong' || verdict.folded) error = Math.max(error, verdict.error);
    }
    onCase(seed + 1, cases.length);
  }
  return { cases: run, wrong, unstable, leftOut, error, tolerance: TOLERANCE };
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
  /** `folded`: only with its workgroups in a grid of two axes. */
  | (WrongCase & { readonly kind: 'wrong'; readonly folded: boolean; readonly error: number });

/** Runs one case as `checkParity` does all. */
export async function checkCase<D extends Declaration>(
  { device, test, seed, expected: twin }: CaseRun<D>,
  attempt: Attempt<D>,
  shipped?: Attempt<D>,
): Promise<CaseVerdict> {
  const outputs = await attempted(device, test, attempt, seed);
  if (typeof outputs === 'string') return { kind: 'left out', reason: outputs };
  const expected = await twin();
  const comparison = compareOutputs(outputs, expected);
  const { error } = comparison;
  if (comparison.wrong > 0) {
    if (shipped && comparison.overrun === 0 && !expected.every(hasFinite)) {
      const others = await attempted(device, test, shipped, seed);
      if (typeof others !== 'string' && compareOutputs(others, expected).wrong > 0)
        return { kind: 'left out', reason: LOST };
    }
    return { kind: 'wrong', name: test.name, comparison, folded: false, error };
  }
  const folded = await attempted(device, test, attempt, seed, true);
  if (sameBits(outputs, folded)) return { kind: 'right', error };
  const inFolds = compareOutputs(folded as KernelOutput[], expected);
  const again = await attempted(device, test, attempt, seed);
  return inFolds.wrong > 0 && sameBits(outputs, again)
    ? { kind: 'wrong', name: `${test.name}, ${FOLDED}`, comparison: inFolds, folded: true, error }
    : { kind: 'unstable', error };
}

async function attempted<D extends Declaration>(
  device: Backend,
  test: KernelCase<D>,
  attempt: Attempt<D>,
  seed: number,
  folded = false,
): Promise<string | KernelOutput[]> {
  using open = openCase(device, test, seed);
  return attempt(open.args, folded) ?? (await open.read());
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
