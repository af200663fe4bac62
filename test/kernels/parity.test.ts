/** Every kernel on every device against its twin in float64. */
import { expect, it } from 'vitest';
import { CpuBackend } from '../../src/kernels/index.js';
import { describeOnAll } from '../support/devices.js';
import { relativeError, runCase } from '../support/kernel-case.js';
import { kernelCases } from './cases.js';

const oracle = new CpuBackend({ precision: 'f64', poison: true });

describeOnAll('kernel parity', (device) => {
  for (const [i, test] of kernelCases.entries()) {
    it(test.name, async () => {
      const expected = await runCase(oracle, test, i);
      expect(relativeError(await runCase(device(), test, i), expected)).toBeLessThan(2e-6);
    });
  }
});
