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
    const outputs = await attempted(device, test, attempt, seed);
    if (typeof outputs === 'string') {
      leftOut.set(outputs, (leftOut.get(outputs) ?? 0) + 1);
    } else {
      const expected = await runCase(oracle, test, seed);
      const comparison = compareOutputs(outputs, expected);
      const lost = async () => {
        if (!shipped || comparison.overrun > 0 || expected.every(hasFinite)) return false;
        const others = await attempted(device, test, shipped, seed);
        return typeof others !== 'string' && compareOutputs(others, expected).wrong > 0;
      };
      if (comparison.wrong > 0 && (await lost())) {
        leftOut.set(LOST, (leftOut.get(LOST) ?? 0) + 1);
        onCase(seed + 1, cases.length);
        continue;
      }
      run++;
      if (comparison.wrong > 0) {
        wrong.push({ name: test.name, comparison });
      } else {
        error = Math.max(error, comparison.error);
        const folded = await attempted(device, test, attempt, seed, true);
        if (!sameBits(outputs, folded)) {
          const inFolds = compareOutputs(folded as KernelOutput[], expected);
          const again = await attempted(device, test, attempt, seed);
          if (inFolds.wrong > 0 && sameBits(outputs, again))
            wrong.push({ name: `${test.name}, ${FOLDED}`, comparison: inFolds });
          else unstable.push(test.name);
        }
      }
    }
    onCase(seed + 1, cases.length);
  }
  return { cases: run, wrong, unstable, leftOut, error, tolerance: TOLERANCE };
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
