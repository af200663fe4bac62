/** How a training step's time grows with the batch, the classes and the prompt: a table, and a chart in SVG. */
import { writeFileSync } from 'node:fs';
import { benchFile } from './models.js';
import { statistics } from './sampling.js';
import { type Series, scalingChart } from './scaling-chart.js';
import { type DeviceName, onDevice } from './session.js';
import { resultRow, type StandaloneBenchmark } from './standalone.js';
import { type StepSizes, trainingStepWorkload } from './workloads/training-step.js';

interface Variation {
  readonly name: string;
  readonly values: readonly number[];
  sizes(value: number): StepSizes;
}

const VARIATIONS: readonly Variation[] = [
  {
    name: 'batch',
    values: [8, 16, 32, 64, 128, 256],
    sizes: (batch) => ({ batch, classes: 8, templateLength: 8 }),
  },
  {
    name: 'classes',
    values: [2, 8, 32, 100, 300, 1000],
    sizes: (classes) => ({ batch: 2, classes, templateLength: 8 }),
  },
  {
    name: 'prompt length',
    values: [1, 2, 4, 8, 16],
    sizes: (templateLength) => ({ batch: 16, classes: 8, templateLength }),
  },
];

export const scalingBenchmark: StandaloneBenchmark = {
  name: 'scaling',
  devices: ['cpu', 'webgpu'],
  async measure(device, { rounds, quick }) {
    const series: Series[] = [];
    for (const { name, values, sizes } of VARIATIONS) {
      const points = [];
      for (const value of quick ? values.slice(0, 2) : values) {
        points.push({ label: String(value), ...(await timeStep(device, sizes(value), rounds)) });
      }
      series.push({ name, points });
    }
    writeFileSync(benchFile(`scaling-${device}.svg`), scalingChart(`Training step of ViT-B/32 on ${device}`, series));
    const rates = series.flatMap(({ points }) => points.map(({ rows, seconds }) => seconds / rows));
    const secondsPerRow = statistics(rates).median;
    return series.flatMap(({ name, points }) =>
      points.map(({ label, rows, seconds }) =>
        resultRow(`training step, ${name} ${label}`, `${device}, ${rows} rows`, 's', [seconds], {
          peer: ['linear in rows', rows * secondsPerRow],
        }),
      ),
    );
  },
};

async function timeStep(
  device: DeviceName,
  sizes: StepSizes,
  rounds: number,
): Promise<{ rows: number; seconds: number }> {
  return onDevice(device, async (backend) => {
    using step = await trainingStepWorkload(backend, sizes);
    // The first one compiles kernels, where that is done.
    await step.run();
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      await step.run();
      seconds.push((performance.now() - start) / 1000);
    }
    return { rows: step.rowsPerImage * sizes.batch, seconds: statistics(seconds).median };
  });
}
