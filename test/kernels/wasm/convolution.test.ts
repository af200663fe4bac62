/** An image's convolution has the same bits alone and among others, and with any number of threads, whichever way it is computed. */
import { expect, it } from 'vitest';
import { CpuBackend, caseOf, kernels, openCase, type Sizes } from '../../../src/kernels/index.js';
import { startNodeWorker } from '../../../src/node/wasm-threads.js';

const IMAGES = 3;

it.each<[string, Sizes]>([
  ['windows of 3 x 3 by squares', { height: 37, width: 41, channels: 36, n: 64, window: 3 }],
  ['windows of 3 x 3 by panels', { height: 37, width: 41, channels: 20, n: 64, window: 3 }],
  ['windows of the first layer', { height: 61, width: 57, channels: 3, n: 40, window: 7, stride: 2, padding: 3 }],
])('%s', async (_, sizes) => {
  const results: Float64Array[] = [];
  for (const threads of [1, 3]) {
    const cpu = new CpuBackend({ threads, startWorker: startNodeWorker });
    using all = openCase(cpu, caseOf(kernels.convolution, { ...sizes, images: IMAGES, bias: 1, relu: 1 }));
    cpu.run(kernels.convolution, all.args);
    const whole = (await all.read())[0]!.values;
    const length = whole.length / IMAGES;
    for (let image = 0; image < IMAGES; image++) {
      const { args } = all;
      const pixels = args.height * args.width * args.channels;
      const a = cpu.allocate('f32', pixels);
      const out = cpu.allocate('f32', length);
      cpu.write(a, (await cpu.read(args.a)).slice(image * pixels, (image + 1) * pixels));
      cpu.run(kernels.convolution, { ...args, a, out, images: 1 });
      expect(Float64Array.from(await cpu.read(out))).toEqual(whole.slice(image * length, (image + 1) * length));
      cpu.free(a);
      cpu.free(out);
    }
    results.push(whole);
    cpu.dispose();
  }
  expect(results[1]).toEqual(results[0]);
});
