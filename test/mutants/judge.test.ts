/** Mutants judged on the adapter: right verdicts, and an end to those that have none. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Judge, type Verdict } from '../../mutate/judge.js';
import { LockstepSubject } from '../../mutate/lockstep.js';
import { allShaders, type Mutant, mutantsOf } from '../../mutate/shader.js';
import { Watch } from '../../mutate/watch.js';
import type { WebGpuBackend } from '../../src/kernels/index.js';
import { describeOn } from '../support/devices.js';

const root = new URL('../../', import.meta.url).pathname;
const shaders = allShaders();

function mutantOf(name: string, line: string): Mutant {
  const found = mutantsOf(shaderNamed(name)).find(({ id }) => id === line);
  if (!found) throw new Error(`${name}: there is no mutant ${line}`);
  return found;
}

const shaderNamed = (name: string) => shaders.find((shader) => shader.name === name)!;

describeOn('webgpu', 'mutants', (device) => {
  let judge: Judge;
  let folder: string;

  beforeAll(async () => {
    judge = new Judge(device() as WebGpuBackend);
    // Inside the package, where Node finds the packages that the bundle imports.
    folder = mkdtempSync(join(root, 'node_modules', '.ptdpc-mutate-'));
    await build({
      ...{ entryPoints: [join(root, 'mutate', 'main.ts')], outfile: join(folder, 'main.mjs') },
      ...{ bundle: true, platform: 'node', target: 'node22', format: 'esm', packages: 'external', logLevel: 'silent' },
    });
  });

  afterAll(() => {
    judge.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each<[string, string, Partial<Verdict>]>([
    ['affine', 'out[at] = value; => out[(at) + 1] = value;', { outcome: 'killed', by: 'wrong numbers' }],
    ['softmax', 'if (row >= params.rows) { => if (row > params.rows) {', { outcome: 'killed', by: 'folded grid' }],
    ['softmax', 'sum = reduce_sum(lane, sum); => nothing', { outcome: 'killed', by: 'wrong numbers' }],
    ['sum_axis', 'sum += x[first + a * params.inner]; => sum = x[first + a * params.inner];', { outcome: 'killed' }],
    [
      'normalize_rows',
      'out[at + c] = x[at + c] * scale; => out[at + c] = x[(at + c) + 1] * scale;',
      { outcome: 'killed' },
    ],
  ])('%s: %s', async (name, line, expected) => {
    expect(await judge.judge(shaderNamed(name), mutantOf(name, line))).toMatchObject(expected);
    expect(judge.unsound).toEqual([]);
  });

  it('one that does not compile is not killed', async () => {
    const [mutant] = mutantsOf(shaderNamed('softmax'));
    expect(await judge.judge(shaderNamed('softmax'), { ...mutant!, replacement: '"' })).toMatchObject({
      outcome: 'invalid',
    });
  });

  it('one without a fault survives all cases', async () => {
    const [mutant] = mutantsOf(shaderNamed('sgd'));
    const none = { ...mutant!, to: mutant!.from, replacement: '' };
    expect(await judge.judge(shaderNamed('sgd'), none)).toEqual({ outcome: 'survived', cases: 9 });
  });

  it('one that does not end is ended, and the next one judged', async () => {
    await using watch = new Watch(join(folder, 'main.mjs'), 4);
    const other = mutantOf('softmax', 'sum += exp(x[at + c] - largest); => sum -= exp(x[at + c] - largest);');
    const endless = mutantOf(
      'softmax',
      'for (var c = lane; c < params.columns; c += LANES) { => for (var c = lane; c >= params.columns; c += LANES) {',
    );
    // Before the first case of a shader nobody knows how long compiling takes.
    expect(await watch.judge(other, [])).toMatchObject({ outcome: 'killed', by: 'wrong numbers' });
    expect(await watch.judge(endless, [])).toMatchObject({ outcome: 'killed', by: 'hung' });
    expect(await watch.judge(other, [])).toMatchObject({ outcome: 'killed', by: 'wrong numbers' });
  });
});

it('judges in lockstep what no adapter here can run', async () => {
  const judge = new Judge(await LockstepSubject.open());
  const shader = shaderNamed('matmul_matrices');
  const verdictOf = (line: string) => judge.judge(shader, mutantOf('matmul_matrices', line));
  expect(await verdictOf('workgroupBarrier(); => nothing').catch((error: Error) => error.message)).toMatch(/race/);
  const wrong = 'for (var p = 0u; p < SLICE; p += SIDE) { => for (var p = 1u; p < SLICE; p += SIDE) {';
  expect(await verdictOf(wrong)).toMatchObject({ outcome: 'killed' });
  expect(await verdictOf('if (p < params.k) { => if (p < params.k - 1) {')).toMatchObject({ outcome: 'survived' });
  expect(judge.unsound).toEqual([]);
  judge.dispose();
});
