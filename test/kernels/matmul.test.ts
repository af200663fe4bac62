/** Every variant of the matrix product against the twin in float64: odd shapes, all operand orders, all epilogues. */
import { describe, expect, it } from 'vitest';
import { type MatmulArgs, shapeClass } from '../../src/kernels/families/matmul.js';
import {
  alwaysUse,
  anyKernel,
  type Backend,
  caseOf,
  kernels,
  runCase,
  type Sizes,
  type Tuning,
  type WebGpuBackend,
} from '../../src/kernels/index.js';
import { launchOf } from '../../src/kernels/webgpu/launch.js';
import { chooseVariant } from '../../src/kernels/webgpu/tuning.js';
import { TOLERANCE } from '../../src/lab/compare.js';
import { describeOn, relaxedBuilds } from '../support/devices.js';
import { compareWithTwin, paritySuite } from '../support/parity.js';

const anyCase = (sizes: Sizes) => caseOf(anyKernel(kernels.matmul), sizes);

const suite = (device: () => Backend, tolerance?: number) =>
  paritySuite(device, [anyKernel(kernels.matmul)], tolerance);

describeOn('cpu', 'matmul twin', suite, { poison: true, wasm: false });
for (const build of ['plain', ...relaxedBuilds] as const) {
  describeOn('cpu', `matmul WebAssembly, ${build}`, suite, { poison: true, build });
}
for (const { name, tolerance } of kernels.matmul.variants) {
  const own = (device: () => Backend) => suite(device, tolerance);
  describeOn('webgpu', `matmul ${name}`, own, { poison: true, matmulVariant: name });
}

describeOn('webgpu', 'variants of the matrix product', (device) => {
  const variants = kernels.matmul.variants.filter(({ sums }) => sums === kernels.matmul.variants[0]!.sums);
  const names = variants.map(({ name }) => name);

  it.each([{ half: 1, bias: 1, activation: 1, residual: 1 }, { transposeB: 0 }])(
    'give the same bits where they say that they add up alike, so that choosing one never changes a result: %j',
    async (options) => {
      expect(names).toEqual(expect.arrayContaining(['naive', 'fewRows', 'blocks32x32', 'blocks128x64']));
      const test = caseOf(kernels.matmul, { m: 67, n: 68, k: 148, ...options });
      const backend = device() as WebGpuBackend;
      const results: Record<string, readonly number[]> = {};
      for (const variant of variants) {
        const launched = (args: Parameters<typeof test.kernel.units>[0]) =>
          backend.dispatch(launchOf(kernels.matmul, variant, args));
        const [output] = await runCase(backend, test, 1, launched);
        results[variant.name] = [...output!.values];
      }
      for (const name of names) expect(results[name], name).toEqual(results.naive);
    },
  );
});

describeOn(
  'webgpu',
  'a variant that rounds the left operand to halves',
  (device) => {
    const { tolerance } = kernels.matmul.variants.find(({ name }) => name === 'halves')!;

    it('is off by no more than that where it is asked for, and does not touch weights in single precision', async () => {
      const errorOf = async (half: number) => {
        const test = anyCase({ m: 64, n: 128, k: 768, half });
        return (await compareWithTwin(device(), test, 1, tolerance)).error;
      };
      expect(await errorOf(0)).toBeLessThan(TOLERANCE);
      const error = await errorOf(1);
      // Of 768 terms, each off by 2^-12 of itself on average: errors of either sign, most of which cancel.
      expect(error).toBeGreaterThan(1e-5);
      expect(error).toBeLessThan(tolerance!);
    });
  },
  { poison: true, matmulVariant: 'halves' },
);

describe('choice of a variant', () => {
  const buffer = { dtype: 'f32', length: 1 } as const;
  const product = { a: buffer, b: buffer, out: buffer, m: 9, n: 8, k: 8, alpha: 1, transposeB: true };
  const choose = (tuning: Tuning, args: MatmulArgs, subgroupSize: number, software = true) =>
    chooseVariant(kernels.matmul, args, { tuning, software, subgroupSize, features: ['shader-f16'] }).name;

  it('takes the table by class, else the default', () => {
    expect(shapeClass(product)).toBe('nt f32 8x8');
    const half = { ...product, b: { dtype: 'f16', length: 1 } } as const;
    expect(shapeClass({ ...half, n: 9, k: 3072, transposeB: false })).toBe('nn f16 16x4096');
    expect(shapeClass({ ...half, transposeA: true })).toBe('tt f16 8x8');
    const tuning = { matmul: { fallback: 'tiled', byClass: { 'nt f32 8x8': 'naive' } } };
    expect(choose(tuning, product, 8)).toBe('naive');
    expect(choose(tuning, { ...product, k: 9 }, 8)).toBe('tiled');
  });

  it('takes the largest tile on hardware of which there are enough to keep a GPU busy', () => {
    const sized = (m: number, n: number, more = {}) => choose({}, { ...product, m, n, ...more }, 32, false);
    expect([sized(1728, 2048), sized(1728, 512), sized(512, 512)]).toEqual([
      'blocks128x64',
      'blocks64x64',
      'blocks32x32',
    ]);
    for (const odd of [{ k: 6 }, { n: 2046 }, { transposeA: true }]) expect(sized(1728, 2048, odd)).toBe('tiled');
  });

  it('is the same for any number of rows, so that results do not depend on the batch', () => {
    const tuning = { matmul: { fallback: 'tiled', byClass: { [shapeClass(product)]: 'naive' } } };
    for (const m of [1, 32, 96, 97, 768, 769, 5000]) expect(choose(tuning, { ...product, m }, 8)).toBe('naive');
  });

  it('may depend on the number of rows among variants that give the same bits', () => {
    const chosenFor = (byClass: Record<string, string>) => {
      const tuning = { matmul: { fallback: 'tiled', byClass } };
      return [1, 16, 17, 5000].map((m) => choose(tuning, { ...product, m }, 8));
    };
    const few = { 'nt f32 8x8, m 8': 'fewRows', 'nt f32 8x8, m 32': 'subgroup' };
    expect(chosenFor({ ...few, 'nt f32 8x8': 'blocks64x64' })).toEqual([
      ...['fewRows', 'fewRows', 'blocks64x64', 'blocks64x64'],
    ]);
    expect(chosenFor({ ...few, 'nt f32 8x8': 'splitK' })).toEqual(['splitK', 'splitK', 'splitK', 'splitK']);
    expect(chosenFor({ ...few, 'nt f32 8x8': 'subgroup' })).toEqual(['subgroup', 'subgroup', 'subgroup', 'subgroup']);
  });

  it('never rounds operands unless asked to by name', () => {
    const half = { ...product, b: { ...buffer, dtype: 'f16' } } as const;
    const names = [true, false].flatMap((software) =>
      [1, 512, 8192].map((m) => choose({}, { ...half, m }, 32, software)),
    );
    expect(names).not.toContain('halves');
    const halves = alwaysUse('halves', anyKernel(kernels.matmul));
    expect(choose(halves, half, 32)).toBe('halves');
    expect(choose(halves, product, 32)).toBe('tiled');
    const { name } = chooseVariant(kernels.matmul, half, {
      ...{ tuning: halves, software: false, subgroupSize: 32, features: [] },
    });
    expect(name).toBe('tiled');
  });

  it('uses subgroups only where adapter and product allow', () => {
    expect(choose({}, product, 8)).toBe('subgroup');
    expect(choose({}, product, 0)).toBe('registers');
    expect(choose({}, product, 4)).toBe('registers');
    for (const odd of [{ n: 12 }, { k: 5 }, { transposeA: true }]) {
      expect(choose({}, { ...product, ...odd }, 8)).toBe('registers');
    }
  });
});
