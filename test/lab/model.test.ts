/** The model of kernels on GPUs: WGSL in lockstep gives what the twins give, accesses cost what they are known to cost, and bounds follow. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.js';
import {
  allKernels,
  CpuBackend,
  type Kernel,
  kernelNamed,
  runCase,
  sizedArgs,
  suiteOf,
} from '../../src/kernels/index.js';
import { unmetNeed } from '../../src/kernels/needs.js';
import type { Launch } from '../../src/kernels/webgpu/launch.js';
import { reflectShader } from '../../src/kernels/webgpu/reflect.js';
import {
  bankRequest,
  boundText,
  bufferRequest,
  compareOutputs,
  GPUS,
  type MemoryShape,
  type Model,
  modelKernel,
  modelledVariant,
  peakOf,
  variantText,
} from '../../src/lab/index.js';
import { LockstepDevice } from '../../src/lab/lockstep/device.js';

const gpu = (name: string) => GPUS.find((one) => one.name === name)!;
const H100 = gpu('h100');

const variants = allKernels().flatMap((kernel) => kernel.variants.map((variant) => ({ kernel, variant })));
const named = variants.map((one) => ({ ...one, name: `${one.kernel.name}, ${one.variant.name}` }));

const takesMatrices = ({ variant: { needs } }: (typeof variants)[number]) => needs?.startsWith('matrix') ?? false;

/** An adapter that has everything a variant may need. */
const EVERYTHING = { subgroupSize: 32, features: ['shader-f16'], matrices: ['f32x8', 'f16x16'] };

/** Cases of the suite that a variant takes, the smallest first. */
function smallCases({ kernel, variant }: (typeof variants)[number]) {
  const size = (args: object) =>
    Object.values(args).reduce(
      (sum: number, arg) => sum + (arg?.length ?? 0) + (arg?.length ? 0 : Number(arg) || 0),
      0,
    );
  return suiteOf(kernel)
    .filter((test) => unmetNeed(variant, sizedArgs(test), EVERYTHING) === undefined)
    .sort((a, b) => size(sizedArgs(a)) - size(sizedArgs(b)));
}

describe('WGSL in lockstep', () => {
  const oracle = new CpuBackend({ precision: 'f64', poison: true });

  it.each(named)('$name gives what the twin gives', async (one) => {
    const cases = smallCases(one);
    expect(cases.length).toBeGreaterThan(0);
    for (const test of [...cases.slice(0, 2), cases[Math.floor(cases.length / 3)]!]) {
      const device = new LockstepDevice(32, one.variant.name);
      const found = compareOutputs(await runCase(device, test), await runCase(oracle, test), one.variant.tolerance);
      expect([found.wrong, found.overrun], `${test.name}: ${found.error}`).toEqual([0, 0]);
      expect(device.memory.buffers).toBe(0);
    }
  });

  /** What the lanes of a workgroup write, one number each. */
  function written(body: string, lanes = 8, rest = ''): number[] {
    const text = `@group(0) @binding(0) var<uniform> params: Params;
      struct Params { length: u32, }
      @group(0) @binding(1) var<storage, read_write> out: array<f32>;
      @compute @workgroup_size(${lanes}) fn main(@builtin(local_invocation_index) lane: u32) { ${body} }
      ${rest}`;
    const device = new LockstepDevice(4);
    const out = device.allocate('f32', lanes);
    device.prepare(launchOf(text, { out }, { length: lanes })).run(0, 0);
    return Array.from((out as unknown as { memory: { f32: Float32Array } }).memory.f32);
  }

  function launchOf(text: string, buffers: Launch['buffers'], params: Launch['params']): Launch {
    const shader = { id: 0, text, interface: reflectShader(text) };
    return { label: '', shader, entryPoint: 'main', constants: {}, params, buffers, workgroups: [1, 1] };
  }

  it.each([
    [
      'a loop that lanes leave at different times',
      'var n = 0.0; for (var i = 0u; i < lane; i++) { n += 2.0; } out[lane] = n;',
      [0, 2, 4, 6, 8, 10, 12, 14],
    ],
    [
      'break and continue',
      'var n = 0.0; for (var i = 0u; ; i++) { if (i == lane) { break; } if (i % 2u == 1u) { continue; } n += 1.0; } out[lane] = n;',
      [0, 1, 1, 2, 2, 3, 3, 4],
    ],
    [
      'loop, continuing, break if',
      'var n = 0u; loop { n += 2u; continuing { n += 1u; break if n > lane * 2u; } } out[lane] = f32(n);',
      [3, 3, 6, 9, 9, 12, 15, 15],
    ],
    ['an early return', 'if (lane > 5u) { return; } out[lane] = 1.0;', [1, 1, 1, 1, 1, 1, 0, 0]],
    [
      'returns of a function in branches',
      'out[lane] = pick(lane, 3u);',
      [7, 7, 7, 3, 3, 3, 3, 3],
      'fn pick(a: u32, b: u32) -> f32 { if (a < b) { return 7.0; } return f32(b); }',
    ],
    [
      'calls within calls',
      'out[lane] = less(less(f32(lane), 1.0), less(10.0, 4.0));',
      [-7, -6, -5, -4, -3, -2, -1, 0],
      'fn less(a: f32, b: f32) -> f32 { return a - b; }',
    ],
    [
      'a let that outlives a change of its variable',
      'var a = array<f32, 2>(1.0, 2.0); let b = a; let c = a[1]; a[1] = f32(lane); out[lane] = b[1] + 10.0 * c;',
      Array(8).fill(22),
    ],
    [
      'what all lanes have alike until a branch',
      'var n = 1.0; if (lane < 2u) { n = 5.0; } n += 1.0; out[lane] = n;',
      [6, 6, 2, 2, 2, 2, 2, 2],
    ],
    [
      'pointers',
      'var a = array<vec2<f32>, 2>(); set(&a, lane % 2u); out[lane] = a[1].y;',
      [0, 3, 0, 3, 0, 3, 0, 3],
      'fn set(to: ptr<function, array<vec2<f32>, 2>>, at: u32) { (*to)[at].y += 3.0; }',
    ],
    [
      'wrapping and shifts',
      'let n = 0u - 1u; out[lane] = f32((n >> 28u) + (0x10u << 1u) + (n * n)) + f32(-7 / 2);',
      Array(8).fill(45),
    ],
    [
      'constants after their use',
      'var t: array<f32, N>; t[N - 1u] = 2.0; out[lane] = t[3];',
      Array(8).fill(2),
      'const N = M / 2u; const M = 8u;',
    ],
    [
      'what the left operand decides',
      'var n = 0.0; if (lane < 4u && touch(lane)) { n = 1.0; } out[lane] = n + f32(seen[0]);',
      [4, 5, 4, 5, 4, 4, 4, 4],
      'var<workgroup> seen: array<atomic<u32>, 1>; fn touch(lane: u32) -> bool { atomicAdd(&seen[0], 1u); return lane % 2u == 1u; }',
    ],
    [
      'lanes of a subgroup',
      'out[lane] = subgroupAdd(f32(lane)) + subgroupShuffleXor(f32(lane), 1u) + 100.0 * subgroupBroadcast(f32(lane), 2u);',
      [207, 206, 209, 208, 627, 626, 629, 628],
    ],
    [
      'swizzles and vectors of parts',
      'let v = vec4<f32>(vec2<f32>(1.0, f32(lane)), 3.0, 4.0); out[lane] = v.wy.x + dot(v.xy, vec2(1.0)) + v[lane % 4u];',
      [6, 7, 10, 12, 10, 15, 14, 16],
    ],
    [
      'halves',
      'let a = f16(0.1) + 1.0h; tile[lane] = vec4<f16>(a); out[lane] = f32(tile[7u - lane].z);',
      Array(8).fill(1.099609375),
      'var<workgroup> tile: array<vec4<f16>, 8>;',
    ],
    [
      'a struct, by value',
      'var p = Pair(1.0, vec2<u32>(2u, lane)); p.n += 1.0; out[lane] = sum(p);',
      [4, 5, 6, 7, 8, 9, 10, 11],
      'struct Pair { n: f32, v: vec2<u32>, } fn sum(p: Pair) -> f32 { return p.n + f32(p.v.x + p.v.y); }',
    ],
  ])('%s', (_, body, expected, rest = '') => {
    expect(written(body, 8, rest)).toEqual(expected);
  });

  it.each([
    ['switch (lane) { default: {} }', /^line \d+: expected WGSL that the model reads, found switch$/],
    ['out[lane] = unknown(1.0);', /^line 4: unknown: expected a declared function, or a type/],
    ['out[lane] = nowhere;', /^line 4: nowhere is not declared$/],
    ['if (lane > 1u) {\n\n nowhere = 1.0; }', /^line 6: nowhere is not declared$/],
    ['lane = 1u;', /^line 4: lane: expected a variable$/],
    ['out[lane] = 1.0 + 1u;', /^line 4: expected f32, found u32$/],
    ['out[lane] = f32(lane', /^line \d+: expected/],
    ['out[lane] = outer(1.0);', /^line 6: inner is not declared$/, '\nfn outer(x: f32) -> f32 { return x + inner; }'],
    ['out[lane] = twice;', /^line 5: nowhere is not declared$/, 'const twice = 2.0 * nowhere;'],
    ['out[lane] = f(1.0);', /^line 5: f calls itself: WGSL has no recursion$/, 'fn f(x: f32) -> f32 { return f(x); }'],
  ])('refuses %s', (body, message, rest = '') => {
    expect(() => written(body, 8, rest)).toThrow(InputError);
    expect(() => written(body, 8, rest)).toThrow(message);
  });
});

describe('accesses', () => {
  const shape: MemoryShape = { subgroup: 32, sector: 8, line: 32, banks: 32, loads: 32 };
  const lanes = Array.from({ length: 32 }, (_, lane) => lane);
  const banks = (at: (lane: number) => number, words = 1) => bankRequest(lanes.map(at), lanes, words, shape);
  const buffer = (at: (lane: number) => number, words = 1) => bufferRequest(lanes.map(at), words, shape);

  it.each([
    ['neighbours', (lane: number) => lane, 1],
    ['one word for all', () => 7, 1],
    ['a column of 32', (lane: number) => 32 * lane, 32],
    ['a column of 33', (lane: number) => 33 * lane, 1],
    ['every second word', (lane: number) => 2 * lane, 2],
    ['rows of 64 by sixteen, two columns', (lane: number) => 64 * (lane % 16) + Math.floor(lane / 16), 16],
    ['rows of 65 by sixteen, two columns', (lane: number) => 65 * (lane % 16) + Math.floor(lane / 16), 2],
    ['two words of one bank', (lane: number) => 32 * (lane % 2), 2],
  ])('of workgroup memory: %s', (_, at, cycles) => {
    expect(banks(at).cycles).toBe(cycles);
  });

  it('of quads: a quarter of the lanes at a time', () => {
    expect(banks((lane) => 4 * lane, 4)).toMatchObject({ cycles: 4, least: 4 });
    expect(banks((lane) => 32 * lane, 4)).toMatchObject({ cycles: 32, least: 4 });
    expect(banks((lane) => 36 * lane, 4)).toMatchObject({ cycles: 4, least: 4 });
    expect(banks(() => 0, 4)).toMatchObject({ cycles: 4, words: 4 });
  });

  it.each([
    ['neighbours', (lane: number) => lane, 1, { sectors: 4, words: 32, cycles: 1 }],
    ['neighbours from the middle of a sector', (lane: number) => lane + 4, 1, { sectors: 5, words: 32, cycles: 2 }],
    ['neighbours with quads', (lane: number) => 4 * lane, 4, { sectors: 16, words: 128, cycles: 4 }],
    ['rows that are 8 KB apart', (lane: number) => 2048 * lane, 1, { sectors: 32, words: 32, cycles: 32 }],
    ['one word for all', () => 5, 1, { sectors: 1, words: 1, cycles: 1 }],
  ])('of buffers: %s', (_, at, words, expected) => {
    expect(buffer(at, words)).toMatchObject(expected);
  });
});

const matmul = kernelNamed('matmul');
const modelOf = (kernel: Kernel, name: string, sizes = {}, on = H100): Model =>
  modelKernel(kernel, modelledVariant(kernel, kernel.variants.find((one) => one.name === name)!), sizes, [on])[0]!;

describe('the model', () => {
  const FORWARD = { m: 128, n: 128, k: 32 };
  const stores = ({ accesses }: Model) =>
    Object.fromEntries(
      accesses
        .filter(({ memory, store }) => memory === 'workgroup memory' && store)
        .map(({ text, conflict }) => [text.slice(0, 6), conflict]),
    );

  it('tiled: stores conflict sixteen ways along k, two ways with a stride of 65', () => {
    const model = modelOf(matmul, 'tiled', FORWARD);
    expect(stores(model)).toEqual({ a_tile: 16, b_tile: 16 });
    expect(stores(modelOf(matmul, 'tiled', { ...FORWARD, transposeB: 0 }))).toEqual({ a_tile: 16, b_tile: 1 });
    const tiled = matmul.variants.find(({ name }) => name === 'tiled')!;
    const wgsl = variantText(matmul, tiled)
      .replaceAll('* TILE +', '* 65u +')
      .replaceAll('array<f32, 1024>', 'array<f32, 1040>');
    const padded = modelledVariant(matmul, { ...tiled, name: 'padded', wgsl });
    const [mended] = modelKernel(matmul, padded, FORWARD, [H100]);
    expect(stores(mended!)).toEqual({ a_tile: 2, b_tile: 2 });
    expect(mended!.cycles['workgroup memory']).toBeLessThan(0.7 * model.cycles['workgroup memory']);
  });

  it('tiled: each step of k loads eight numbers for sixteen multiply-adds, which bounds it to a quarter of the peak', () => {
    const model = modelOf(matmul, 'tiled', { m: 1024, n: 1024, k: 64 });
    const loads = model.accesses.filter(({ memory, store }) => memory === 'workgroup memory' && !store);
    const requests = loads.reduce((sum, one) => sum + one.requests, 0);
    // 8 subgroups; besides the products, alpha.
    expect(requests).toBe(8 * 64 * 8);
    expect(model.counts.arithmetic).toBe(8 * (64 * 16 + 16));
    expect(model.bound).toBe('workgroup memory');
    expect(model.share).toBeGreaterThan(0.2);
    expect(model.share).toBeLessThan(0.25);
    expect(boundText(model)).toMatch(
      /^bound by workgroup memory: [\d,]+ cycles a workgroup, [\d,]+ of them for bank conflicts, for [\d,]+ accesses, beside [\d,]+ of arithmetic; at most 2\d % of the peak rate/,
    );
  });

  it('attention by workgroup: lanes walk rows of keys that lie in sectors of their own', () => {
    const model = modelOf(kernelNamed('attention'), 'workgroup', { sequences: 2, prefix: 64, heads: 2 });
    const keys = model.accesses.find(({ text }) => text === 'k[k_at + c]')!;
    expect(keys).toMatchObject({ sectors: 32, used: 0.125, bytes: 4 });
    expect(model.bound).toBe('loads and stores');
  });

  it('knows no rates of matrices', () => {
    for (const one of named.filter(takesMatrices)) {
      const variant = modelledVariant(one.kernel, one.variant);
      expect(() => modelKernel(one.kernel, variant, { m: 64, n: 64, k: 64, half: 1 }, GPUS)).toThrow(
        /it needs matrixF/,
      );
    }
  });

  it.each(named.filter((one) => !takesMatrices(one)))('$name is bounded on every GPU', (one) => {
    const [test] = smallCases(one);
    const sizes = one.kernel.cases.suite[suiteOf(one.kernel).findIndex(({ name }) => name === test!.name)]!;
    for (const model of modelKernel(one.kernel, modelledVariant(one.kernel, one.variant), sizes, GPUS)) {
      expect(model.least).toBeGreaterThan(0);
      expect(model.least).toBe(Math.max(...Object.values(model.seconds)));
      expect(model.share).toBeLessThan(1 + 1e-9);
      expect(model.occupancy.share).toBeGreaterThan(0);
      expect(model.occupancy.share).toBeLessThanOrEqual(1);
      for (const { used, conflict } of model.accesses) {
        expect(used).toBeLessThanOrEqual(1);
        expect(conflict).toBeGreaterThanOrEqual(1);
      }
    }
  });

  it('does not say that a GPU is slower than it was measured to be', () => {
    const page = readFileSync(new URL('../../bench/gpu/nvidia-h100.md', import.meta.url), 'utf8');
    const measured = /^\| 1728 \| 512 \| 2048 \| true \| f32 \|(.*)$/m.exec(page)![1]!.split('|').map(Number);
    const head = /^\| m \| k \| n \| transposeB \| weights \|(.*)$/m
      .exec(page)![1]!
      .split('|')
      .map((cell) => cell.trim());
    for (const name of ['naive', 'tiled', 'blocks32x32']) {
      const model = modelOf(matmul, name, { m: 1728, n: 2048, k: 512 });
      const share = (1e9 * measured[head.indexOf(name)]!) / (model.flops / model.least);
      expect(share, name).toBeGreaterThan(0.8);
      expect(share, name).toBeLessThan(1.05);
    }
  });

  it('occupancy is limited by what there is least of', () => {
    const grown = (words: number) => {
      const softmax = kernelNamed('softmax');
      const wgsl = variantText(softmax, softmax.variants[0]!).replace(
        'reduce_scratch: array<f32, LANES>;',
        `reduce_scratch: array<f32, ${words}>;`,
      );
      const variant = modelledVariant(softmax, { ...softmax.variants[0]!, name: 'grown', wgsl });
      return (on: string) => modelKernel(softmax, variant, { rows: 5000, columns: 64 }, [gpu(on)])[0]!.occupancy;
    };
    expect(grown(8192)('rtx-4090')).toMatchObject({
      workgroups: 3,
      invocations: 192,
      share: 0.125,
      limit: 'workgroup memory',
    });
    expect(grown(64)('rtx-4090')).toMatchObject({ workgroups: 24, share: 1, limit: 'invocations' });
    expect(() => grown(8193)('m4-max')).toThrow(
      /^grown: it has 32772 bytes of workgroup memory; Apple M4 Max, 40 cores gives 32768$/,
    );
  });

  it('refuses what a variant does not take, and what lies beyond a buffer', () => {
    expect(() => modelOf(matmul, 'blocks64x64', { m: 8, n: 8, k: 7 })).toThrow(/^blocks64x64: it needs k % 4 == 0$/);
    const affine = kernelNamed('affine');
    const wgsl = variantText(affine, affine.variants[0]!).replace('x[at]', 'x[at + params.length]');
    const off = modelledVariant(affine, { ...affine.variants[0]!, name: 'off', wgsl });
    expect(() => modelKernel(affine, off, {}, [H100])).toThrow(/^off: it reads or writes beyond the end/);
  });

  it('the figures of the GPUs are whole', () => {
    expect(new Set(GPUS.map(({ name }) => name)).size).toBe(GPUS.length);
    for (const one of GPUS) {
      expect(one.sources.length).toBeGreaterThan(0);
      expect(peakOf(one)).toBeGreaterThan(1e12);
      for (const field of one.assumed) expect(one).toHaveProperty(field);
    }
    // The makers' own figures.
    expect(['h100', 'rtx-4090', 'rx-7900-xtx'].map((name) => Math.round(peakOf(gpu(name)) / 1e11))).toEqual([
      669, 826, 614,
    ]);
  });
});
