/** Where the CPU's time goes: seconds per kernel of one pass of the vision tower and of one training step. */
import { CpuBackend } from '../src/kernels/index.js';
import { KernelClock, processorSeconds } from './kernel-clock.js';
import { aligned } from './report.js';
import type { BenchOptions } from './session.js';
import { encodeWorkload } from './workloads/encode.js';
import { trainingStepWorkload } from './workloads/training-step.js';
import type { Workload } from './workloads/workload.js';

/** Prints a table for each of the two, on one thread; `--profile`. */
export async function printProfile({ encodeBatch, trainingBatch }: BenchOptions): Promise<void> {
  await profile(`ViT-B/32 image encode, batch ${encodeBatch}`, (backend) => encodeWorkload(backend, encodeBatch));
  await profile(`PT-DPC training step, batch ${trainingBatch}`, (backend) =>
    trainingStepWorkload(backend, trainingBatch),
  );
}

async function profile(title: string, open: (backend: KernelClock) => Promise<Workload>): Promise<void> {
  const clock = new KernelClock(new CpuBackend({ threads: 1 }));
  using workload = await open(clock);
  await workload.run();
  clock.times.clear();
  const start = processorSeconds();
  await workload.run();
  const whole = processorSeconds() - start;
  const times = [...clock.times].sort(([, a], [, b]) => b.seconds - a.seconds);
  const outside = whole - times.reduce((sum, [, { seconds }]) => sum + seconds, 0);
  const row = (name: string, calls: string, seconds: number, flops: number) => [
    name,
    calls,
    seconds.toFixed(3),
    `${((100 * seconds) / whole).toFixed(1)} %`,
    flops > 0 ? (flops / seconds / 1e9).toFixed(1) : '',
  ];
  console.log(`${title}: ${whole.toFixed(2)} s of processor time, 1 thread`);
  console.log(
    aligned([
      ['kernel', 'calls', 'seconds', 'share', 'GFLOP/s'],
      ...times.map(([name, { calls, seconds, flops }]) => row(name, String(calls), seconds, flops)),
      row('(outside kernels)', '', outside, 0),
    ]),
  );
  console.log();
  clock.dispose();
}
