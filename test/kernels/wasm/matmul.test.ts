import { afterAll, describe, expect, it } from 'vitest';
import { CpuHeap, type WasmBuild, WasmEngine } from '../../../src/kernels/cpu/wasm/index.js';
import { startNodeWorker } from '../../../src/node/wasm-threads.js';
import { relaxedBuilds } from '../../support/devices.js';
import { type Case, distance, operands, random, runTwin, runWasm, sameBits } from './oracle.js';

/** A sum of k products of numbers below 1, each addition rounded by up to 6e-8 of a sum that stays around sqrt(k) / 3. */
const tolerance = ({ k }: Case) => 1.2e-7 * (k + 16);

const kinds: { name: string; shared: boolean; build: WasmBuild }[] = [
  { name: 'plain, unshared memory', shared: false, build: 'plain' },
  ...(['plain', ...relaxedBuilds] as const).map((build) => ({ name: `${build}, shared memory`, shared: true, build })),
];

function check(heap: CpuHeap, engine: WasmEngine, c: Case): void {
  const inputs = operands(c);
  const got = runWasm(heap, engine, c, inputs);
  const want = runTwin(c, inputs);
  for (const [i, result] of got.entries())
    expect(distance(result, want[i]!), JSON.stringify(c)).toBeLessThan(tolerance(c));
}

const SIZES = [1, 2, 4, 5, 6, 7, 8, 9, 13, 16, 31, 61, 127];
const transposes = [false, true].flatMap((transposeA) =>
  [false, true].map((transposeB) => ({ transposeA, transposeB })),
);

describe.each(kinds)('matrix product: $name', ({ shared, build }) => {
  const heap = new CpuHeap({ shared });
  const blocksBefore = heap.blocks;
  const engine = WasmEngine.create({ heap, threads: 2, build, startWorker: startNodeWorker });
  afterAll(() => {
    engine.dispose();
    expect(heap.blocks - blocksBefore).toBe(1);
  });

  it.each(transposes)('agrees with the twin at the edges of tiles: %o', (transpose) => {
    const next = random(1);
    for (const m of SIZES) {
      for (const n of SIZES) check(heap, engine, { m, n, k: SIZES[Math.floor(next() * SIZES.length)]!, ...transpose });
    }
  });

  it.each(transposes)('agrees with the twin at the edges of blocks: %o', (transpose) => {
    for (const [m, n, k] of [
      [60, 128, 384],
      [61, 129, 385],
      [241, 137, 3],
      [299, 293, 307],
      [3, 1031, 769],
      [1, 517, 389],
      [517, 1, 389],
      [125, 1033, 130],
    ] as const) {
      check(heap, engine, { m, n, k, ...transpose });
    }
  });

  it.each(transposes)('widens a right operand in half precision: %o', (transpose) => {
    for (const [m, n, k] of [
      [1, 67, 390],
      [7, 39, 13],
      [60, 128, 384],
      [61, 129, 385],
      [299, 293, 307],
      [3, 1031, 769],
      [517, 1, 389],
      [125, 1033, 130],
    ] as const) {
      check(heap, engine, { m, n, k, halfB: true, ...transpose });
    }
  });

  const epilogues: Omit<Case, 'm' | 'n' | 'k'>[] = [
    { alpha: -0.37 },
    { bias: true },
    { residual: true },
    { activation: 'quick_gelu' },
    { activation: 'gelu' },
    { preActivation: true },
    { activationGrad: 'quick_gelu' },
    { activationGrad: 'gelu' },
    { bias: true, activation: 'quick_gelu', preActivation: true },
    { bias: true, activation: 'gelu', preActivation: true, residual: true },
    { alpha: 0.5, bias: true, activation: 'gelu', preActivation: true, activationGrad: 'quick_gelu', residual: true },
    { alpha: 2, bias: true, activation: 'quick_gelu', preActivation: true, activationGrad: 'gelu', residual: true },
  ];
  it.each(epilogues)('applies the epilogue %o', (epilogue) => {
    for (const [m, n, k] of [
      [5, 8, 4],
      [1, 7, 5],
      [1, 300, 40],
      [13, 11, 6],
      [67, 70, 390],
    ] as const) {
      for (const transpose of transposes) check(heap, engine, { m, n, k, ...transpose, ...epilogue });
    }
  });

  it('sums nothing for k = 0 and writes nothing for m = 0', () => {
    for (const m of [1, 7]) check(heap, engine, { m, n: 9, k: 0, bias: true });
    check(heap, engine, { m: 0, n: 3, k: 2 });
  });
});

describe('activations', () => {
  const heap = new CpuHeap({ shared: false });
  const engine = WasmEngine.create({ heap, build: 'plain' });

  /** Values of `activation` (or of its derivative) at `points`, as epilogues of the product of a column and [1]. */
  function at(points: Float32Array, c: Pick<Case, 'activation' | 'activationGrad'>): [Float32Array, Float64Array] {
    const ones = new Float32Array(points.length).fill(1);
    const inputs = new Map([
      ['a', c.activationGrad ? ones : points],
      ['b', Float32Array.of(1)],
      ['gradAt', points],
    ]);
    const full: Case = { m: points.length, n: 1, k: 1, ...c };
    return [runWasm(heap, engine, full, inputs)[0]!, runTwin(full, inputs)[0]!];
  }

  const points = Float32Array.from({ length: 40_001 }, (_, i) => (i - 20_000) / 1000);
  it.each(['quick_gelu', 'gelu'] as const)('%s and its derivative are within 1e-6 on [-20, 20]', (activation) => {
    const [value, wantValue] = at(points, { activation });
    // Relative to the value where it is large: 20 itself has a spacing of 2e-6.
    const error = Math.max(...value.map((v, i) => Math.abs(v - wantValue[i]!) / Math.max(1, Math.abs(wantValue[i]!))));
    expect(error).toBeLessThan(1e-6);
    expect(distance(...at(points, { activationGrad: activation }))).toBeLessThan(1e-6);
  });

  it.each(['quick_gelu', 'gelu'] as const)('%s passes NaN on and saturates for huge arguments', (activation) => {
    const [value] = at(Float32Array.of(Number.NaN, 1e30, -1e30, 0), { activation });
    expect([...value]).toEqual([Number.NaN, Math.fround(1e30), expect.closeTo(0, 5), 0]);
  });
});

it('does without packed panels of B where the heap has no room for them', () => {
  const c: Case = { m: 130, n: 310, k: 500, transposeB: true };
  const [small, large] = [2 << 20, 2 ** 30].map((maximumBytes) => new CpuHeap({ shared: false, maximumBytes }));
  const [one, other] = [small!, large!].map((heap) => {
    const engine = WasmEngine.create({ heap, build: 'plain' });
    check(heap, engine, c);
    return runWasm(heap, engine, c, operands(c));
  });
  expect([small!.blocks, large!.blocks]).toEqual([3, 4]);
  // And to the same bits.
  expect(sameBits(one!, other!)).toBe(true);
});

it('refuses operands that are too small or aliased', () => {
  const heap = new CpuHeap({ shared: false });
  const engine = WasmEngine.create({ heap });
  const [a, b] = [heap.allocate(64), heap.allocate(64)];
  const tooLarge = { a, b, out: heap.allocate(64), m: 5, n: 4, k: 4 };
  expect(() => engine.matmul(tooLarge)).toThrow(`matmul: expected a of 80 bytes or more, found 64 at address ${a}`);
  expect(() => engine.matmul({ a, b, out: a, m: 4, n: 4, k: 4 })).toThrow('matmul: out is also an input, a');
  expect(() => engine.matmul({ a, b, out: 12345, m: 4, n: 4, k: 4 })).toThrow(
    'matmul: expected out of 64 bytes or more, found 0 at address 12345',
  );
});
