/** The laboratory's suite of a kernel as tests: every case against its twin in float64. */
import { expect, it } from 'vitest';
import {
  type Backend,
  CpuBackend,
  type Kernel,
  type KernelCase,
  type KernelOutput,
  runCase,
  suiteOf,
} from '../../src/kernels/index.js';
import { type Comparison, compareOutputs } from '../../src/lab/index.js';

const oracle = new CpuBackend({ precision: 'f64', poison: true });

/** One test for each case of these kernels' suites. */
export function paritySuite(device: () => Backend, kernels: readonly Kernel[]): void {
  for (const kernel of kernels) {
    for (const [i, test] of suiteOf(kernel).entries()) {
      it(test.name, async () => expectParity(await compareWithTwin(device(), test, i)));
    }
  }
}

/** What the twin in float64 gives, by kernel, case and seed: the same for every device and variant. */
const expected = new Map<string, Promise<KernelOutput[]>>();

/** A case on a device beside its twin in float64. */
async function compareWithTwin(device: Backend, test: KernelCase, seed: number): Promise<Comparison> {
  const key = `${test.kernel.name} ${test.name} ${seed}`;
  let twin = expected.get(key);
  if (!twin) {
    twin = runCase(oracle, test, seed);
    expected.set(key, twin);
  }
  return compareOutputs(await runCase(device, test, seed), await twin);
}

/** Fails with the worst element where one is off by more than rounding, or was not written. */
export function expectParity({ wrong, error, worst }: Comparison): void {
  expect({ wrong, ...(wrong > 0 && { error, worst }) }).toEqual({ wrong: 0 });
}
