/** Every variant of the matrix product against the twin in float64: odd shapes, all operand orders, all epilogues. */
import { describe, expect, it } from 'vitest';
import { type Backend, CpuBackend, type MatmulVariantName, matmulVariants } from '../../src/kernels/index.js';
import { chooseMatmul, defaultMatmul, shapeClass } from '../../src/kernels/webgpu/matmul.js';
import { describeOn } from '../support/devices.js';
import { type KernelCase, kernelCase, relativeError, runCase } from '../support/kernel-case.js';

const oracle = new CpuBackend({ precision: 'f64', poison: true });

const SHAPES = [
  [1, 1, 1],
  [1, 67, 5],
  [37, 1, 64],
  [7, 13, 1],
  [31, 33, 17],
  [64, 64, 64],
  [65, 129, 67],
  [130, 71, 19],
  // Multiples of 8, which some variants ask for: within a tile, just past one, and a single row.
  [9, 264, 24],
  [3, 8, 8],
  [33, 520, 40],
  [1, 520, 16],
] as const;

const orders = [false, true].flatMap((transposeA) => [false, true].map((transposeB) => ({ transposeA, transposeB })));

const plainCases = SHAPES.flatMap(([m, n, k]) =>
  orders.map((order) =>
    kernelCase('matmul', `${m}x${n}x${k} a${order.transposeA ? "'" : ''} b${order.transposeB ? "'" : ''}`, (d) => ({
      ...order,
      a: d.real(m * k),
      b: d.real(k * n),
      out: d.output(m * n),
      m,
      n,
      k,
      alpha: 0.7,
    })),
  ),
);

const epilogueCases = (
  [
    [5, 7, 3],
    [33, 65, 18],
    [35, 264, 24],
  ] as const
).flatMap(([m, n, k]): KernelCase<'matmul'>[] => {
  const name = `${m}x${n}x${k}`;
  const base = (d: Parameters<KernelCase<'matmul'>['args']>[0]) => ({
    a: d.real(m * k),
    b: d.real(n * k),
    transposeB: true,
    out: d.output(m * n),
    m,
    n,
    k,
  });
  return [
    kernelCase('matmul', `${name} bias`, (d) => ({ ...base(d), bias: d.real(n) })),
    kernelCase('matmul', `${name} residual`, (d) => ({ ...base(d), residual: d.real(m * n) })),
    kernelCase('matmul', `${name} bias residual`, (d) => ({ ...base(d), bias: d.real(n), residual: d.real(m * n) })),
    ...(['quick_gelu', 'gelu'] as const).flatMap((activation) => [
      kernelCase('matmul', `${name} ${activation} stored`, (d) => ({
        ...base(d),
        bias: d.real(n),
        activation,
        preActivation: d.output(m * n),
      })),
      kernelCase('matmul', `${name} ${activation} residual`, (d) => ({
        ...base(d),
        activation,
        residual: d.real(m * n),
      })),
      kernelCase('matmul', `${name} ${activation} gradient`, (d) => ({
        ...base(d),
        activationGrad: { activation, preActivation: d.real(m * n) },
      })),
      kernelCase('matmul', `${name} ${activation} gradient residual`, (d) => ({
        ...base(d),
        activationGrad: { activation, preActivation: d.real(m * n) },
        residual: d.real(m * n),
      })),
    ]),
  ];
});

/** The same products with `b` in half precision: every shape in both orders, and one with all of an epilogue. */
const halfCases = [
  ...SHAPES.flatMap(([m, n, k]) =>
    [false, true].map((transposeB) =>
      kernelCase('matmul', `${m}x${n}x${k} half b${transposeB ? "'" : ''}`, (d) => ({
        transposeB,
        a: d.real(m * k),
        b: d.half(k * n),
        out: d.output(m * n),
        m,
        n,
        k,
        alpha: 0.7,
      })),
    ),
  ),
  kernelCase('matmul', 'half b, transposed a', (d) => ({
    transposeA: true,
    a: d.real(37 * 19),
    b: d.half(19 * 24),
    out: d.output(37 * 24),
    m: 37,
    n: 24,
    k: 19,
  })),
  kernelCase('matmul', 'half b with bias, activation and residual', (d) => ({
    transposeB: true,
    a: d.real(37 * 16),
    b: d.half(16 * 72),
    out: d.output(37 * 72),
    bias: d.real(72),
    activation: 'quick_gelu',
    preActivation: d.output(37 * 72),
    residual: d.real(37 * 72),
    m: 37,
    n: 72,
    k: 16,
  })),
];

const cases = [...plainCases, ...epilogueCases, ...halfCases];

/** One suite for all. */
function suite(device: () => Backend): void {
  for (const [i, test] of cases.entries()) {
    it(test.name, async () => {
      expect(relativeError(await runCase(device(), test, i), await runCase(oracle, test, i))).toBeLessThan(2e-6);
    });
  }
}

describeOn('cpu', 'matmul twin', suite, { poison: true, wasm: false });
describeOn('cpu', 'matmul WebAssembly', suite, { poison: true, wasm: true });
for (const matmulVariant of Object.keys(matmulVariants) as MatmulVariantName[]) {
  describeOn('webgpu', `matmul ${matmulVariant}`, suite, { poison: true, matmulVariant });
}

describe('choice of a variant', () => {
  const buffer = { dtype: 'f32', length: 1 } as const;
  const product = { a: buffer, b: buffer, out: buffer, m: 9, n: 8, k: 8, transposeB: true };
  const software = defaultMatmul(true);

  it('takes the table by class, else the default', () => {
    expect(shapeClass(product)).toBe('nt f32 32x8x8');
    const half = { ...product, b: { dtype: 'f16', length: 1 } } as const;
    expect(shapeClass({ ...half, m: 97, n: 9, k: 3072, transposeB: false })).toBe('nn f16 256x16x4096');
    expect(shapeClass({ ...half, m: 769, transposeA: true })).toBe('tt f16 2048x8x8');
    const tuning = { fallback: 'tiled', byClass: { 'nt f32 32x8x8': 'naive' } } as const;
    expect(chooseMatmul(tuning, product, 8)).toBe('naive');
    expect(chooseMatmul(tuning, { ...product, m: 97 }, 8)).toBe('tiled');
    expect(chooseMatmul(defaultMatmul(false), product, 32)).toBe('tiled');
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
