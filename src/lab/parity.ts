/** A kernel's suite: every case on a device against the twin in float64. */
import {
  type ArgsOf,
  type Backend,
  CpuBackend,
  type Declaration,
  type KernelCase,
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

/** Runs one case's kernel on its arguments; or returns why it does not take them. */
export type Attempt<D extends Declaration> = (args: ArgsOf<D>) => string | undefined;

/** An oracle of one's own for each suite, so that nothing is shared. */
const oracleOptions = { precision: 'f64', poison: true } as const;

/**
 * Runs each case twice on the device, by `attempt`. `onCase` is called after each with the number done. Throws what the device throws.
 */
export async function checkParity<D extends Declaration>(
  device: Backend,
  cases: readonly KernelCase<D>[],
  attempt: Attempt<D>,
  onCase: (done: number, all: number) => void = () => {},
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
      run++;
      const comparison = compareOutputs(outputs, await runCase(oracle, test, seed));
      if (comparison.wrong > 0) wrong.push({ name: test.name, comparison });
      else error = Math.max(error, comparison.error);
      const again = await attempted(device, test, attempt, seed);
      if (typeof again === 'string' || !sameBits(outputs, again)) unstable.push(test.name);
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
): Promise<string | Awaited<ReturnType<typeof runCase<D>>>> {
  using open = openCase(device, test, seed);
  return attempt(open.args) ?? (await open.read());
}

function sameBits(one: readonly { values: Float64Array }[], other: readonly { values: Float64Array }[]): boolean {
  return one.every(({ values }, i) => values.every((value, at) => Object.is(value, other[i]!.values[at])));
}
