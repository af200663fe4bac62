/** The tuner measures what it says and leaves nothing behind; its table survives the way through JSON, and nothing else does. */
import { expect, it } from 'vitest';
import {
  kernels,
  measureTuning,
  parseTuning,
  type Timing,
  type TuningWork,
  tuningSteps,
  WebGpuBackend,
} from '../../src/kernels/index.js';
import { sumsOf, variantNamed } from '../../src/kernels/webgpu/tuning.js';
import { describeOn, FULL_TUNING } from '../support/devices.js';

const sumsNamed = (name: string) => sumsOf(variantNamed(kernels.matmul, name)!);

const work: TuningWork = {
  layers: [
    { n: 24, k: 16, transposeB: true },
    { n: 7, k: 16, transposeB: false },
  ],
  attention: { rows: 5, heads: 2, headWidth: 64 },
};

describeOn('webgpu', 'tuner', (device) => {
  it('reports every piece of work once, and chooses among what it measured', async () => {
    const backend = device();
    if (!(backend instanceof WebGpuBackend)) throw new Error('not a WebGPU backend');
    const timings: Timing[] = [];
    let steps = 0;
    const tuning = await measureTuning(backend, work, (more) => {
      expect(new Set(more.map((timing) => timing.work)).size).toBe(1);
      timings.push(...more);
      steps++;
    });
    expect(steps).toBe(tuningSteps(work));
    // Two layers, in two types; each as a whole and by numbers of rows.
    const { byClass } = tuning.matmul!;
    expect(Object.keys(byClass).filter((name) => !name.includes(','))).toHaveLength(4);
    for (const [name, variant] of Object.entries(byClass)) {
      const measured = timings.filter(
        (timing) => timing.work.startsWith(`matmul ${name}`) && timing.variant === variant,
      );
      expect(measured, `${name}: ${variant}`).not.toEqual([]);
      expect(sumsNamed(variant), name).toBe(sumsNamed(byClass[name.split(',')[0]!]!));
    }
    // Seven columns do not suit the subgroup variant.
    expect(timings.some((timing) => timing.work.startsWith('matmul nn') && timing.variant === 'subgroup')).toBe(false);
    expect(parseTuning(JSON.parse(JSON.stringify(tuning)))).toEqual(tuning);
  });
});

it('takes nothing for a tuning that is none', () => {
  const good = FULL_TUNING;
  expect(parseTuning(good)).toEqual(good);
  for (const bad of [
    null,
    [],
    { ...good, matmul: undefined },
    { ...good, matmul: { fallback: 'fastest', byClass: {} } },
    { ...good, matmul: { fallback: 'tiled', byClass: { x: 3 } } },
    { ...good, matmul: { fallback: 'tiled', byClass: [] } },
    { ...good, attentionGradQuery: { fallback: 'naive', byClass: {} } },
    { ...good, attention: 'rows' },
  ]) {
    expect(parseTuning(bad)).toBeUndefined();
  }
});
