/** The laboratory's suite of a kernel as tests: every case against its twin in float64. */
import { expect, it } from 'vitest';
import { type Backend, CpuBackend, type Kernel, type KernelCase, runCase, suiteOf } from '../../src/kernels/index.js';
import { type Comparison, compareOutputs } from '../../src/lab/index.js';

const oracle = new CpuBackend({ precision: 'f64', poison: true });

/** One test for each case of these kernels' suites. */
export function paritySuite(device: () => Backend, kernels: readonly Kernel[], tolerance?: number): void {
  for (const kernel of kernels) {
    for (const [i, test] of suiteOf(kernel).entries()) {
      it(test.name, async () => expectParity(await compareWithTwin(device(), test, i, tolerance)));
    }
  }
}

/** A case on a device beside its twin in float64. */
export async function compareWithTwin(
  device: Backend,
  test: KernelCase,
  seed = 1,
  tolerance?: number,
): Promise<Comparison> {
  return compareOutputs(await runCase(device, test, seed), await runCase(oracle, test, seed), tolerance);
}

/** Fails with the worst element where one is off by more than rounding, or was not written. */
export function expectParity({ wrong, error, worst }: Comparison): void {
  expect({ wrong, ...(wrong > 0 && { error, worst }) }).toEqual({ wrong: 0 });
}
