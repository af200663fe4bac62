/** Every variant of the matrix product against the twin in float64: odd shapes, all operand orders, all epilogues. */
import { describe, expect, it } from 'vitest';
import { type Backend, type MatmulVariantName, matmulVariants } from '../../src/kernels/index.js';
import { chooseMatmul, defaultMatmul, shapeClass } from '../../src/kernels/webgpu/matmul.js';
import { describeOn } from '../support/devices.js';
import { paritySuite } from '../support/parity.js';

const suite = (device: () => Backend) => paritySuite(device, ['matmul']);

describeOn('cpu', 'matmul twin', suite, { poison: true, wasm: false });
describeOn('cpu', 'matmul WebAssembly', suite, { poison: true, wasm: true });
describeOn('cpu', 'matmul WebAssembly, fixed-width SIMD', suite, { poison: true, relaxed: false });
for (const matmulVariant of Object.keys(matmulVariants) as MatmulVariantName[]) {
  describeOn('webgpu', `matmul ${matmulVariant}`, suite, { poison: true, matmulVariant });
}

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
    expect(chooseMatmul(defaultMatmul(false), product, 32)).toBe('tiled');
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
