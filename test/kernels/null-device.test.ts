/**
 * Dawn's null backend, which has every feature and runs nothing: its compiler's front end accepts all variants of all kernels, those too that no adapter at
 * hand can run.
 */

import { expect, it } from 'vitest';
import { LockstepSubject } from '../../mutate/lockstep.js';
import { allKernels, sizedArgs, suiteOf } from '../../src/kernels/index.js';
import { unmetNeed } from '../../src/kernels/needs.js';
import { launchOf } from '../../src/kernels/webgpu/launch.js';

const subject = await LockstepSubject.open();

const variants = allKernels().flatMap((kernel) => kernel.variants.map((variant) => ({ kernel, variant })));

it.each(variants.map((one) => ({ ...one, name: `${one.kernel.name}, ${one.variant.name}` })))(
  '$name',
  async ({ kernel, variant }) => {
    const args = suiteOf(kernel)
      .map(sizedArgs)
      .filter((args) => unmetNeed(variant, args, subject.adapter) === undefined);
    // The first, and the one with the most options: other constants, and so other code.
    for (const one of [args[0]!, args.at(-1)!]) {
      const { messages } = await subject.compile(launchOf(kernel, variant, one));
      expect(messages).toEqual([]);
    }
  },
);

it('refuses what is wrong', async () => {
  const { kernel, variant } = variants.at(-1)!;
  const launch = launchOf(kernel, variant, sizedArgs(suiteOf(kernel)[0]!));
  const wrong = { ...launch.shader, id: -1, text: `${launch.shader.text}\nfn more() -> u32 { return 1.5; }` };
  const { messages } = await subject.compile({ ...launch, shader: wrong });
  expect(messages.map(({ type }) => type)).toContain('error');
});
