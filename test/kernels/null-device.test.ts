/**
 * Dawn's null backend, which has every feature and runs nothing: its compiler's front end accepts all variants of all kernels, those too that no adapter at
 * hand can run.
 */

import { afterAll, expect, it } from 'vitest';
import { create } from 'webgpu';
import { allKernels, sizedArgs, suiteOf } from '../../src/kernels/index.js';
import { unmetNeed } from '../../src/kernels/needs.js';
import { findAdapter, openDevice } from '../../src/kernels/webgpu/device.js';
import { launchOf } from '../../src/kernels/webgpu/launch.js';
import { ProgramCache } from '../../src/kernels/webgpu/programs.js';

// It must live as long as its devices.
const gpu = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
const adapter = (await findAdapter(gpu))!;
const device = await openDevice(adapter);
const programs = new ProgramCache(device);
afterAll(() => {
  device.destroy();
  // The mention keeps it.
  expect(gpu).toBeDefined();
});

/** Every need can be met. */
const FACTS = { subgroupSize: 128, features: [...adapter.features], matrices: ['f32x8', 'f16x16'] };

const variants = allKernels().flatMap((kernel) => kernel.variants.map((variant) => ({ kernel, variant })));

it.each(variants.map((one) => ({ ...one, name: `${one.kernel.name}, ${one.variant.name}` })))(
  '$name',
  async ({ kernel, variant }) => {
    const args = suiteOf(kernel)
      .map(sizedArgs)
      .filter((args) => unmetNeed(variant, args, FACTS) === undefined);
    // The first, and the one with the most options: other constants, and so other code.
    for (const one of [args[0]!, args.at(-1)!]) {
      const { messages } = await programs.compile(launchOf(kernel, variant, one));
      expect(messages).toEqual([]);
    }
  },
);

it('refuses what is wrong', async () => {
  const { kernel, variant } = variants.at(-1)!;
  const launch = launchOf(kernel, variant, sizedArgs(suiteOf(kernel)[0]!));
  const wrong = { ...launch.shader, id: -1, text: `${launch.shader.text}\nfn more() -> u32 { return 1.5; }` };
  const { messages } = await programs.compile({ ...launch, shader: wrong });
  expect(messages.map(({ type }) => type)).toContain('error');
});
