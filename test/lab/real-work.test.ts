import { expect, it } from 'vitest';
import { parseShape } from '../../src/cli/lab.js';
import { ARCHITECTURES } from '../../src/clip/config.js';
import { sizeNames } from '../../src/kernels/cases.js';
import { kernelNamed } from '../../src/kernels/index.js';
import { recordJob } from '../../src/lab/index.js';

const config = ARCHITECTURES.get('ViT-B/32')!;

it('records the arithmetic that the towers do: multiplications of ViT-B/32, counted by hand', async () => {
  const shapes = await recordJob('embed', config);
  const products = shapes.filter(({ kernel }) => kernel === 'matmul');
  const flops = products.reduce((sum, { calls, cost }) => sum + calls * cost.flops, 0);
  // 49 patches; 11 blocks on 50 rows of width 768; in the last, keys and values of all rows, the rest for one row; the projection.
  const block = 12 * 768 ** 2;
  const byHand = 49 * 768 * 3072 + 11 * 50 * block + 50 * 2 * 768 ** 2 + 10 * 768 ** 2 + 768 * 512;
  expect(flops).toBe(2 * 32 * byHand);
});

it('names shapes as --shape takes them', async () => {
  const shapes = await recordJob('train', config);
  expect(shapes.length).toBeGreaterThan(20);
  for (const { kernel, shape, calls } of shapes) {
    expect(calls).toBeGreaterThan(0);
    if (kernel.startsWith('attention')) continue;
    const sizes = Object.keys(parseShape(shape));
    const { extents, options } = sizeNames(kernelNamed(kernel));
    expect(Object.keys({ ...extents, ...options }), `${kernel} ${shape}`).toEqual(expect.arrayContaining(sizes));
  }
  expect(shapes.map(({ shape }) => shape)).toContain('m=1728,n=2048,k=512,activation=1,half=1,bias=1,preActivation=1');
});
