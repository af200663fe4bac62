/** Every rung of the ladders (docs/kernels/ladders) is right, as `ptdpc lab run` would say, and its page names it. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kernelNamed, suiteOf, WebGpuBackend } from '../../src/kernels/index.js';
import { compileAndCheck, readUserKernel } from '../../src/lab/index.js';
import { describeOn } from '../support/devices.js';

const pages = new URL('../../docs/kernels/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, pages), 'utf8');

/** How many cases of its suite each rung takes at least: one that took none, or fewer than it did, would prove little. */
const RUNGS: Readonly<Record<string, number>> = {
  'matmul-2-four-columns.wgsl': 65,
  'matmul-4-broadcasts.wgsl': 19,
  'attention-1-three-passes.wgsl': 31,
  'attention-2-online.wgsl': 31,
  'attention-4-two-queries.wgsl': 17,
  'attention-6-both.wgsl': 17,
  'attention-tiles.wgsl': 17,
};

const kernelOf = (file: string) => file.slice(0, file.indexOf('-')) as 'matmul' | 'attention';

describe('ladders', () => {
  it('has no file that is not tested', () => {
    expect(readdirSync(new URL('ladders/', pages)).sort()).toEqual(Object.keys(RUNGS).sort());
  });

  it.each(Object.keys(RUNGS))('%s is on its page', (file) => {
    expect(read(`ladder-${kernelOf(file)}.md`)).toContain(`](ladders/${file})`);
  });
});

describeOn('webgpu', 'ladders', (device) => {
  for (const [file, cases] of Object.entries(RUNGS)) {
    it(`${file} is right`, async () => {
      const backend = device();
      if (!(backend instanceof WebGpuBackend)) throw new Error('not WebGPU');
      const kernel = kernelNamed(kernelOf(file));
      const user = readUserKernel(kernel, file, read(`ladders/${file}`));
      const suite = suiteOf(kernel);
      const { compilation, parity } = await compileAndCheck(backend, user, suite);
      expect(compilation.messages.filter(({ type }) => type === 'error')).toEqual([]);
      expect(parity).toMatchObject({ wrong: [], unstable: [] });
      expect(parity?.cases).toBeGreaterThanOrEqual(cases);
    });
  }
});
