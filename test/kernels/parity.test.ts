/** Every kernel on every device, in every variant, against its twin in float64. */
import { expect, it } from 'vitest';
import { attentionVariants, type Backend, CpuBackend } from '../../src/kernels/index.js';
import { describeOn, describeOnAll } from '../support/devices.js';
import { type KernelCase, relativeError, runCase } from '../support/kernel-case.js';
import { attentionCases, kernelCases } from './cases.js';

const oracle = new CpuBackend({ precision: 'f64', poison: true });

function suite(device: () => Backend, cases: readonly KernelCase[]): void {
  for (const [i, test] of cases.entries()) {
    it(test.name, async () => {
      const expected = await runCase(oracle, test, i);
      expect(relativeError(await runCase(device(), test, i), expected)).toBeLessThan(2e-6);
    });
  }
}

describeOnAll('kernel parity', (device) => suite(device, kernelCases));

for (const attentionVariant of attentionVariants) {
  describeOn('webgpu', `attention ${attentionVariant}`, (device) => suite(device, attentionCases), {
    poison: true,
    attentionVariant,
  });
}
