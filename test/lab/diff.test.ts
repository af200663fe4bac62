/** A training step on two devices: small differences everywhere, and the first call that parts by more than a bound. */
import { expect, it } from 'vitest';
import { CpuBackend } from '../../src/kernels/index.js';
import { diffStep } from '../../src/lab/index.js';
import { randomClip, SMALL_CLIP } from '../support/random-clip.js';

const oracle = () => new CpuBackend({ precision: 'f64', poison: true });

it('all kernels of a step differ from the oracle by rounding only', async () => {
  const { calls, first, worst } = await diffStep(
    [oracle(), new CpuBackend({ wasm: false, poison: true })],
    randomClip(),
    SMALL_CLIP,
    1e-4,
  );
  expect(first).toBeUndefined();
  expect(calls).toBeGreaterThan(50);
  expect(worst.map(({ kernel }) => kernel)).toEqual(
    expect.arrayContaining([
      'matmul',
      'attention',
      'layerNorm',
      'compose',
      'composeGradWeights',
      'crossEntropy',
      'sgd',
    ]),
  );
  for (const { comparison } of worst) expect(comparison.error).toBeLessThan(1e-4);
  expect(worst.some(({ comparison }) => comparison.error > 0)).toBe(true);
});

it('the first kernel that is wrong is named, with its operation, though all after it differ too', async () => {
  const wrong = new CpuBackend({ precision: 'f64', poison: true });
  const run = wrong.run.bind(wrong);
  let seen = 0;
  // The third layer norm scales its result.
  wrong.run = (kernel, args) => {
    const third = kernel.name === 'layerNorm' && ++seen === 3;
    run(kernel, third ? { ...args, epsilon: 0.5 } : args);
  };
  const { first } = await diffStep([oracle(), wrong], randomClip(), SMALL_CLIP, 1e-4);
  expect(first).toMatchObject({ kernel: 'layerNorm', origin: { operation: 'layerNorm', backward: false } });
  expect(first!.comparison.wrong).toBeGreaterThan(0);
});
