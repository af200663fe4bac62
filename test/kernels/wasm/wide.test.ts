/** The wide build against the relaxed one, bit for bit, with the code that the engine makes of them once it has optimised it. */
import { setFlagsFromString } from 'node:v8';
import { afterAll, describe, expect, it } from 'vitest';
import { compareTiles } from '../../../src/kernels/cpu/wasm/index.js';
import { anyKernel, CpuBackend, kernels, runCase, suiteOf } from '../../../src/kernels/index.js';
import { attentionKernels, relaxedBuilds } from '../../support/devices.js';

// Functions are optimised soon after their first calls, which the suites would else seldom see.
setFlagsFromString('--wasm-tiering-budget=1000');

describe.runIf(relaxedBuilds.length > 0)('the wide build', () => {
  const [relaxed, wide] = [
    new CpuBackend({ build: 'relaxed', poison: true }),
    new CpuBackend({ build: 'wide', poison: true }),
  ];
  afterAll(() => {
    relaxed.dispose();
    wide.dispose();
  });
  const compiled = [
    anyKernel(kernels.matmul),
    anyKernel(kernels.layerNorm),
    anyKernel(kernels.layerNormGrad),
    anyKernel(kernels.convolution),
    anyKernel(kernels.maxPool),
    anyKernel(kernels.averagePool),
  ];

  for (const kernel of [...compiled, ...attentionKernels]) {
    it(`gives the same bits as the relaxed one: ${kernel.name}`, async () => {
      for (let turn = 0; turn < 3; turn++) {
        for (const test of suiteOf(kernel))
          expect(await runCase(wide, test), test.name).toEqual(await runCase(relaxed, test));
      }
    });
  }

  it('needs the memory of the others: what fits into a budget does not depend on the build', () => {
    const plain = new CpuBackend({ build: 'plain', poison: true });
    expect(wide.memory.fixedBytes).toBe(plain.memory.fixedBytes);
    expect(relaxed.memory.fixedBytes).toBe(plain.memory.fixedBytes);
    plain.dispose();
  });

  it('has an inner kernel that agrees with the narrow one', () => {
    expect(compareTiles()).toMatchObject({ equal: true });
  });

  it('counts as the same arithmetic, so that features in the cache and records of runs serve both', () => {
    expect(wide.arithmetic).toBe(relaxed.arithmetic);
    expect(wide.description).toBe(relaxed.description);
  });
});
