/** Every variant of the matrix product against the twin in float64: odd shapes, all operand orders, all epilogues. */
import { describe, expect, it } from 'vitest';
import { type Backend, type MatmulVariantName, matmulVariants, type WebGpuBackend } from '../../src/kernels/index.js';
import { chooseMatmul, defaultMatmul, launchMatmul, shapeClass } from '../../src/kernels/webgpu/matmul.js';
import { labKernels, runCase } from '../../src/lab/index.js';
import { describeOn } from '../support/devices.js';
import { paritySuite } from '../support/parity.js';

const suite = (device: () => Backend) => paritySuite(device, ['matmul']);

describeOn('cpu', 'matmul twin', suite, { poison: true, wasm: false });
describeOn('cpu', 'matmul WebAssembly', suite, { poison: true, wasm: true });
describeOn('cpu', 'matmul WebAssembly, fixed-width SIMD', suite, { poison: true, relaxed: false });
for (const matmulVariant of Object.keys(matmulVariants) as MatmulVariantName[]) {
  describeOn('webgpu', `matmul ${matmulVariant}`, suite, { poison: true, matmulVariant });
}

describeOn('webgpu', 'variants of the matrix product', (device) => {
  const sizes = { m: 67, n: 68, k: 36, half: 1, bias: 1 };

  it('give the same bits where the sum runs along k in order, so that choosing one never changes a result', async () => {
    const test = labKernels.matmul.caseOf(sizes);
    const backend = device() as WebGpuBackend;
    const names = (Object.keys(matmulVariants) as MatmulVariantName[]).filter((name) => name !== 'subgroup');
    const results: Record<string, readonly number[]> = {};
    for (const name of names) {
      const [output] = await runCase(device(), test, 1, (args) => backend.dispatch(launchMatmul(name, args)));
      results[name] = [...output!.values];
    }
    expect(names).toHaveLength(6);
    for (const name of names) expect(results[name], name).toEqual(results.naive);
  });
});

describe('choice of a variant', () => {
  const buffer = { dtype: 'f32', length: 1 } as const;
  const product = { a: buffer, b: buffer, out: buffer, m: 9, n: 8, k: 8, transposeB: true };
  const software = defaultMatmul(true);

  it('takes the table by class, else the default', () => {
    expect(shapeClass(product)).toBe('nt f32 8x8');
    const half = { ...product, b: { dtype: 'f16', length: 1 } } as const;
    expect(shapeClass({ ...half, n: 9, k: 3072, transposeB: false })).toBe('nn f16 16x4096');
    expect(shapeClass({ ...half, transposeA: true })).toBe('tt f16 8x8');
    const tuning = { fallback: 'tiled', byClass: { 'nt f32 8x8': 'naive' } } as const;
    expect(chooseMatmul(tuning, product, 8)).toBe('naive');
    expect(chooseMatmul(tuning, { ...product, k: 9 }, 8)).toBe('tiled');
  });

  it('takes the largest tile on hardware of which there are enough to keep a GPU busy', () => {
    const hardware = defaultMatmul(false);
    const sized = (m: number, n: number, more = {}) => chooseMatmul(hardware, { ...product, m, n, ...more }, 32);
    expect([sized(1728, 2048), sized(1728, 512), sized(512, 512)]).toEqual([
      'blocks128x64',
      'blocks64x64',
      'blocks32x32',
    ]);
    for (const odd of [{ k: 6 }, { n: 2046 }, { transposeA: true }]) expect(sized(1728, 2048, odd)).toBe('tiled');
  });

  it('is the same for any number of rows, so that results do not depend on the batch', () => {
    const tuning = { fallback: 'tiled', byClass: { [shapeClass(product)]: 'naive' } } as const;
    for (const m of [1, 32, 96, 97, 768, 769, 5000]) expect(chooseMatmul(tuning, { ...product, m }, 8)).toBe('naive');
  });

  it('uses subgroups only where adapter and product allow', () => {
    expect(chooseMatmul(software, product, 8)).toBe('subgroup');
    expect(chooseMatmul(software, product, 0)).toBe('registers');
    expect(chooseMatmul(software, product, 4)).toBe('registers');
    for (const odd of [{ n: 12 }, { k: 5 }, { transposeA: true }]) {
      expect(chooseMatmul(software, { ...product, ...odd }, 8)).toBe('registers');
    }
  });
});
