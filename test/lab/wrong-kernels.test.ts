/** Wrong kernels, every one of which the laboratory must refuse: where one passes, the kernel's suite lacks a case. */
import { describe, expect, it } from 'vitest';
import { kernelNamed, suiteOf, WebGpuBackend } from '../../src/kernels/index.js';
import { attemptOf, checkParity, faultOf, readUserKernel, starterText, tryKernel } from '../../src/lab/index.js';
import { describeOn } from '../support/devices.js';
import { WRONG, type Wrong } from './wrong-kernels.js';

/** A shipped variant with these changes. Throws Error if it has nothing to change: then the table is out of date. */
function textOf({ what, kernel, variant, changes }: Wrong): string {
  let text = starterText(kernelNamed(kernel), variant);
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`${kernel}, ${what}: its text has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

describe('wrong kernels', () => {
  it('are of every kind that was ever taken for right', () => {
    expect(WRONG.length).toBeGreaterThanOrEqual(26);
  });
});

describeOn('webgpu', 'wrong kernels', (device) => {
  const webgpu = () => {
    const backend = device();
    if (!(backend instanceof WebGpuBackend)) throw new Error('not WebGPU');
    return backend;
  };
  const tried = (wrong: Wrong) => readUserKernel(kernelNamed(wrong.kernel), 'mine.wgsl', textOf(wrong));

  for (const wrong of WRONG.filter(({ sizes }) => !sizes)) {
    it(`${wrong.kernel}: ${wrong.what}`, async () => {
      const user = tried(wrong);
      for (const test of suiteOf(user.kernel)) {
        const parity = await checkParity(webgpu(), [test], attemptOf(webgpu(), user));
        if (parity.wrong.length > 0 || parity.unstable.length > 0) return;
      }
      throw new Error(`right on all cases of ${wrong.kernel}`);
    });
  }

  for (const wrong of WRONG.filter(({ sizes }) => sizes)) {
    it(`${wrong.kernel}: ${wrong.what}, on the case that is timed`, async () => {
      const trial = await tryKernel(webgpu(), tried(wrong), wrong.sizes!);
      expect(trial.parity).toMatchObject({ wrong: [], unstable: [] });
      expect(faultOf(trial)).toBe('it is wrong on the case that is timed');
      expect(trial.judged!.wrong).toMatchObject([{ name: 'mine.wgsl' }]);
      expect(trial.notTimed).toBe(faultOf(trial));
    });
  }
});
