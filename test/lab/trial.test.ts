/** Files on trial on a real adapter: right ones, wrong ones, and those that do not compile. */

import { expect, it } from 'vitest';
import {
  allKernels,
  type Backend,
  caseOf,
  type Kernel,
  kernelNamed,
  kernels,
  type Sizes,
  suiteOf,
  WebGpuBackend,
} from '../../src/kernels/index.js';
import { Stopwatch } from '../../src/kernels/stopwatch.js';
import {
  attemptOf,
  checkParity,
  Race,
  readUserKernel,
  referenceOf,
  starterText,
  type Trial,
  tryKernel,
} from '../../src/lab/index.js';
import { describeOn, describeOnAll } from '../support/devices.js';

describeOn('webgpu', 'trial', (device) => {
  const webgpu = () => {
    const backend = device();
    if (!(backend instanceof WebGpuBackend)) throw new Error('not WebGPU');
    return backend;
  };
  const tried = (kernel: Kernel, text: string, sizes: Sizes): Promise<Trial> =>
    tryKernel(webgpu(), readUserKernel(kernel, 'mine.wgsl', text), sizes);

  for (const kernel of allKernels()) {
    it(`the starting files of ${kernel.name} are right`, async () => {
      for (const { name, tolerance, needs } of kernel.variants) {
        const user = readUserKernel(kernel, 'mine.wgsl', starterText(kernel, name));
        const suite = suiteOf(kernel);
        const parity = await checkParity(webgpu(), suite, attemptOf(webgpu(), user));
        const leftOut = [...parity.leftOut.values()].reduce((sum, count) => sum + count, 0);
        if (needs?.startsWith('matrix') && parity.cases === 0) continue;
        // What rounds operands is no file to hand in.
        if (tolerance === undefined) expect(parity.wrong, name).toEqual([]);
        else expect(parity.wrong.length, name).toBeGreaterThan(0);
        expect(parity.unstable, name).toEqual([]);
        expect(parity.cases).toBeGreaterThan(0);
        expect(parity.cases + leftOut).toBe(suite.length);
      }
    });
  }

  const sizes = { m: 16, n: 16, k: 8 };

  it('times a right one beside the shipped variants', async () => {
    const trial = await tried(kernelNamed('matmul'), starterText(kernelNamed('matmul'), 'tiled'), sizes);
    expect(trial.compilation.messages.filter(({ type }) => type === 'error')).toEqual([]);
    expect(trial.parity).toMatchObject({ wrong: [], unstable: [] });
    expect(trial.timings?.cost.flops).toBe(2 * 16 * 16 * 8);
    expect(trial.judged).toMatchObject({ reference: 'the definition in float64', known: true, wrong: [] });
    const { times, clock, duel } = trial.timings!;
    expect(clock).toBe(device().secondsOf ? 'device' : 'host');
    expect(times.map(({ name }) => name)).toContain(duel!.rival);
    expect(times.map(({ name }) => name)).toEqual(expect.arrayContaining(['naive', 'registers', 'tiled', 'mine.wgsl']));
    for (const { seconds, quartiles, difference, compileSeconds } of times) {
      expect(quartiles[0]).toBeLessThanOrEqual(seconds);
      expect(quartiles[1]).toBeGreaterThanOrEqual(seconds);
      expect(difference).toBeLessThan(2e-6);
      expect(compileSeconds).toBeGreaterThan(0);
    }
  });

  it('compares it with the variant that is named, if that takes the case', async () => {
    const user = readUserKernel(kernelNamed('matmul'), 'mine.wgsl', starterText(kernelNamed('matmul'), 'tiled'));
    const against = (variant: string, shape: Sizes = sizes) =>
      tryKernel(
        webgpu(),
        user,
        shape,
        (step) => {
          if (step === 'parity') throw new Error('far enough');
        },
        variant,
      );
    await expect(against('naive')).rejects.toThrow('far enough');
    await expect(against('nosuch')).rejects.toThrow('--against nosuch: matmul has naive, registers, tiled');
    await expect(against('blocks32x32', { ...sizes, n: 7 })).rejects.toThrow(
      /^--against blocks32x32: it does not take matmul m=16,n=7,k=8 on this adapter$/,
    );
  });

  it('holds products that are too large for the definition against two shipped variants', async () => {
    const test = caseOf(kernelNamed('matmul'), { m: 1100, n: 1024, k: 2048 });
    const outputs = (value: number) => [{ name: 'out', shape: [2], values: Float64Array.of(1, value), overrun: 0 }];
    const shipped = [1, 1 + 4e-6, 2].map((value, i) => ({ name: 'abc'[i]!, outputs: outputs(value) }));
    expect(await referenceOf(test, shipped)).toMatchObject({
      from: 'a, with which b agrees',
      outputs: outputs(1),
      tolerance: expect.closeTo(8e-6, 7) as number,
    });
  });

  it('shows where a wrong one is wrong, and does not time it', async () => {
    // The last row of the result is never written.
    const text = starterText(kernelNamed('matmul')).replace('row >= params.m ||', 'row + 1u >= params.m ||');
    const { parity, timings, notTimed } = await tried(kernelNamed('matmul'), text, sizes);
    // Of one case the last row is NaN, as what is never written.
    expect(parity!.wrong).toHaveLength(parity!.cases - 1);
    const last = parity!.wrong.find(({ name }) => name === 'matmul m=31,n=33,k=17,alpha=0.7')!;
    expect(last.comparison).toMatchObject({ wrong: 33, elements: 31 * 33 });
    expect(last.comparison.worst).toMatchObject({ output: 'out', index: [30, 0], found: Number.NaN });
    expect({ timings, notTimed }).toEqual({ timings: undefined, notTimed: 'it is wrong' });
  });

  it('does not blame a kernel for NaN that the device loses with the shipped variant too', async () => {
    const text = starterText(kernelNamed('softmax')).replace(
      '= exp(x[at + c] - largest) / sum',
      '= max(0.0, exp(x[at + c] - largest) / sum)',
    );
    const attempt = attemptOf(webgpu(), readUserKernel(kernelNamed('softmax'), 'mine.wgsl', text));
    const suite = suiteOf(kernelNamed('softmax')).filter(({ name }) => /nan=1|rows=1,columns=7$/.test(name));
    const alone = await checkParity(webgpu(), suite, attempt);
    expect(alone.wrong.length).toBe(suite.length - 1);
    const both = await checkParity(webgpu(), suite, attempt, () => {}, { shipped: attempt });
    expect(both).toMatchObject({ cases: 1, wrong: [] });
    expect([...both.leftOut]).toEqual([
      ['this device loses NaN and infinities there, with the shipped variant too', suite.length - 1],
    ]);
  });

  it("places a compile error on the user's own line", async () => {
    const text = starterText(kernelNamed('softmax')).replace('let row =', 'let row = nothing +');
    const line = text.split('\n').findIndex((one) => one.includes('nothing +')) + 1;
    const { compilation, parity } = await tried(kernelNamed('softmax'), text, {});
    expect(parity).toBeUndefined();
    expect(compilation.messages[0]).toMatchObject({ type: 'error', line });
    expect(compilation.messages[0]!.text).toContain('nothing');
    // The device is as good as before.
    expect((await tried(kernelNamed('sgd'), starterText(kernelNamed('sgd')), { length: 7 })).parity).toMatchObject({
      wrong: [],
    });
  });

  it('says so where no pipeline can be made of a text without errors', async () => {
    const text = starterText(kernelNamed('affine')).replace('@workgroup_size(64)', '@workgroup_size(4096)');
    const { compilation } = await tried(kernelNamed('affine'), text, {});
    expect(compilation.messages.filter(({ type }) => type === 'error')).toHaveLength(1);
  });

  it('a right one that does not take the wanted sizes is not timed', async () => {
    const text = `${starterText(kernelNamed('affine'))}\n// lab: needs length % 7 == 0`;
    const { parity, notTimed } = await tried(kernelNamed('affine'), text, { length: 12 });
    expect([...parity!.leftOut.keys()]).toEqual(['it needs length % 7 == 0']);
    expect(notTimed).toContain('length=12: it needs length % 7 == 0');
  });

  it('refuses a file that takes no case at all', async () => {
    const text = starterText(kernelNamed('affine')).replace(/@group\(0\) @binding\(3\).*\n/, '');
    await expect(tried(kernelNamed('affine'), text.replaceAll('out[', 'x['), {})).rejects.toThrow(
      'mine.wgsl: it takes no case of affine: it does not bind out',
    );
  });
});

describeOnAll('timing', (device) => {
  it('keeps what the first call wrote, of a kernel that updates in place too', async () => {
    const contestants = ['one', 'other'].map((name) => ({
      name,
      device: device(),
      run: (args: Parameters<typeof kernels.sgd.units>[0]) => device().run(kernels.sgd, args),
    }));
    const heard: string[] = [];
    using race = await Race.start(caseOf(kernels.sgd, { length: 5 }), contestants, (step, done, all) => {
      if (done === all) heard.push(step);
    });
    const { times, clock } = await race.run();
    expect(clock).toBe(device().secondsOf ? 'device' : 'host');
    const duel = await race.duel(0, 1);
    expect(heard).toEqual(['first calls', 'timing', 'pairs']);
    expect(duel).toMatchObject({ rival: 'other', pairs: 15, confidence: 0.95 });
    for (const { seconds } of times) expect(seconds).toBeGreaterThan(0);
    expect(race.first[0]).toEqual(race.first[1]);
    expect(race.first[0]!.map(({ name }) => name)).toEqual(['parameter', 'velocity']);
    expect(await race.after(0)).not.toEqual(race.first[0]);
  });

  it("takes the host's clock where the device's stands still", async () => {
    let asked = 0;
    const still: Backend = Object.assign(Object.create(device()) as Backend, {
      ...bound(device()),
      secondsOf: async (record: () => void) => {
        record();
        asked++;
        return 0;
      },
    });
    using stopwatch = new Stopwatch(still);
    expect(await stopwatch.time(() => {}, 2)).toMatchObject({ clock: 'host' });
    expect(await stopwatch.time(() => {})).toMatchObject({ clock: 'host' });
    expect(asked).toBe(1);
  });
});

/** What a stopwatch calls, on the device itself. */
function bound(device: Backend): Pick<Backend, 'allocate' | 'free' | 'read'> {
  return {
    allocate: (dtype, length) => device.allocate(dtype, length),
    free: (buffer) => device.free(buffer),
    read: (buffer) => device.read(buffer),
  };
}
