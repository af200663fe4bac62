/** A family from outside the library: registered, it is known to the suites, the laboratory, the profiler and the tuner as the shipped ones are. */
import { afterAll, expect, it } from 'vitest';
import {
  allKernels,
  alwaysUse,
  anyKernel,
  CpuBackend,
  caseOf,
  kernel,
  kernelNamed,
  measureTuning,
  optional,
  Profiler,
  parseTuning,
  reads,
  registerKernels,
  runCase,
  suiteOf,
  type TuningWork,
  tuningSteps,
  WebGpuBackend,
  writes,
} from '../../src/kernels/index.js';
import {
  bindingContract,
  compileAndCheck,
  launchShipped,
  readUserKernel,
  starterText,
  variantNames,
} from '../../src/lab/index.js';
import { describeOn, describeOnAll, FULL_TUNING, openTestDevice } from '../support/devices.js';
import { paritySuite } from '../support/parity.js';

/** Elements that an invocation computes, by a text that says so in its workgroup's share. */
const NO_FACTS = { subgroupSize: 0, features: [] };

const text = (each: number) => `
// #include "grid.wgsl"

struct Params { length: u32, scale: f32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> shift: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

override HAS_SHIFT: bool = false;
override CUBE: bool = false;

@compute @workgroup_size(64)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  for (var i = 0u; i < ${each}u; i++) {
    let at = (group_number(grid) * ${each}u + i) * LANES + lane;
    if (at < params.length) {
      var v = params.scale * x[at] * x[at];
      if (CUBE) {
        v *= x[at];
      }
      if (HAS_SHIFT) {
        v += shift[at];
      }
      out[at] = v;
    }
  }
}
`;

const power = kernel({
  name: 'power',
  formula: 'out = scale * x^2 + shift, or of x^3',
  operands: { x: reads('...length'), shift: optional(reads('...length')), out: writes('...length') },
  scalars: { scale: 0.5 },
  options: { cube: 0 },
  twin({ x, shift, out, length, scale, cube }) {
    for (let i = 0; i < length; i++) out[i] = scale * x[i]! ** (cube ? 3 : 2) + (shift ? shift[i]! : 0);
  },
  variants: [
    { name: 'one', wgsl: text(1), covers: 64 },
    { name: 'four', wgsl: text(4), covers: 256, needs: 'length >= 100' },
  ],
  unit: 'element',
  units: ({ length }) => length,
  classOf: ({ length }) => (length < 1000 ? 'short' : 'long'),
  tuning: () => [[{ length: 100 }, { length: 500 }], [{ length: 2000 }]],
  cases: {
    sizes: { length: 1000 },
    suite: [1, 63, 65, 257, 1000].flatMap((length) => [{ length }, { length, shift: 1, cube: 1 }]),
  },
});
const others = allKernels().map(({ name }) => name);
const registered = registerKernels(power);
// Files share the list of kernels.
afterAll(() => {
  registered[Symbol.dispose]();
  expect(allKernels().map(({ name }) => name)).toEqual(others);
});
const own = anyKernel(power);

it('is listed behind those of the library', () => {
  expect(allKernels().map(({ name }) => name)).toEqual([...others, 'power']);
  expect(kernelNamed('power')).toBe(own);
  expect(variantNames(own)).toEqual(['one', 'four']);
  expect([...bindingContract(own).constants]).toEqual(['HAS_SHIFT', 'CUBE']);
  expect(starterText(own, 'four')).toContain('// lab: needs length >= 100\n');
});

it('may be registered again, but no other under its name', () => {
  registerKernels(power);
  expect(() => registerKernels(kernel({ ...power }))).toThrow('registerKernels: there is a kernel power already');
  expect(() => registerKernels(kernel({ ...power, name: 'matmul' }))).toThrow('there is a kernel matmul already');
  expect(allKernels()).toHaveLength(others.length + 1);
});

describeOnAll('a family from outside', (device) => paritySuite(device, [own]));
for (const variant of variantNames(own)) {
  describeOn('webgpu', `variant ${variant} of a family from outside`, (device) => paritySuite(device, [own]), {
    poison: true,
    tuning: alwaysUse(variant, own),
  });
}

it('is profiled on the CPU', async () => {
  const profiler = new Profiler();
  using backend = disposable(new CpuBackend({ profiler }));
  await runCase(backend, caseOf(power));
  expect(profiler.kernels.get('power')).toMatchObject({ calls: 1 });
});

const work: TuningWork = { layers: [], attention: { rows: 5, heads: 2, headWidth: 64 } };

describeOn('webgpu', 'a family from outside, measured', (device) => {
  const webgpu = () => {
    const backend = device();
    if (!(backend instanceof WebGpuBackend)) throw new Error('not a WebGPU backend');
    return backend;
  };

  it('is launched as its variants say', () => {
    const { args } = caseOf(own, { length: 99 });
    const sized = args({
      real: (length) => ({ dtype: 'f32', length }),
      output: (...shape) => ({ dtype: 'f32', length: shape[0]! }),
    } as Parameters<typeof args>[0]);
    expect(launchShipped(own, 'one', sized, NO_FACTS)?.workgroups).toEqual([2, 1]);
    expect(launchShipped(own, 'four', sized, NO_FACTS)).toBeUndefined();
  });

  it('of two entry points in a text, either is a file to start from', async () => {
    const [plain, four] = [text(1), text(4)].map((whole) => whole.slice(whole.indexOf('@compute')));
    const wgsl = text(1).replace(plain!, `${plain}\n${four!.replace('fn main(', 'fn by_four(')}`);
    const [one, other] = power.variants;
    const both = kernel({
      ...power,
      name: 'powerOfTwoEntryPoints',
      variants: [
        { ...one!, wgsl },
        { ...other!, wgsl, entryPoint: 'by_four' },
      ],
    });
    for (const name of variantNames(anyKernel(both))) {
      const file = readUserKernel(anyKernel(both), 'mine.wgsl', starterText(anyKernel(both), name));
      const { parity } = await compileAndCheck(webgpu(), file, suiteOf(anyKernel(both)));
      expect(parity, name).toMatchObject({ wrong: [], unstable: [] });
    }
  });

  it('is tuned, alone or with the others', async () => {
    const measured: string[] = [];
    const tuning = await measureTuning(webgpu(), work, (timings) => measured.push(timings[0]!.work), [own]);
    expect(measured).toEqual(['power short', 'power long']);
    expect(tuningSteps(work, [own])).toBe(2);
    expect(tuningSteps(work)).toBeGreaterThan(2);
    expect(tuning).toEqual({
      power: {
        fallback: expect.stringMatching(/^(one|four)$/),
        byClass: { short: expect.stringMatching(/^(one|four)$/), long: expect.stringMatching(/^(one|four)$/) },
      },
    });
    const all = { ...FULL_TUNING, ...tuning };
    expect(parseTuning(JSON.parse(JSON.stringify(all)))).toEqual(all);
  });

  it('a table that was stored before it was registered still counts', () => {
    expect(parseTuning(FULL_TUNING)).toEqual(FULL_TUNING);
    expect(parseTuning({ ...FULL_TUNING, power: { fallback: 'five', byClass: {} } })).toBeUndefined();
  });
});

describeOn('webgpu', 'a family from outside, profiled', () => {
  it('by timestamps, in the variant of its class', async () => {
    const profiler = new Profiler();
    using backend = disposable(await openTestDevice('webgpu', { profiler, tuning: alwaysUse('four', own) }));
    await runCase(backend, caseOf(power));
    expect(profiler.kernels.get('power')).toMatchObject({ calls: 1 });
  });
});

function disposable<T extends { dispose(): void }>(backend: T): T & Disposable {
  return Object.assign(backend, { [Symbol.dispose]: () => backend.dispose() });
}
