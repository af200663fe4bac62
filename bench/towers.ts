/** Image encoders and the training step at real size, on the backends as the command line opens them. */
import { readEncoder } from '../src/encoders/index.js';
import { type Backend, WebGpuBackend } from '../src/kernels/index.js';
import { openCheckpointFiles } from '../src/node/checkpoint-files.js';
import { openCpu } from '../src/node/device.js';
import { hardwareThreads } from '../src/node/wasm-threads.js';
import type { ComparedEncoder } from '../src/ptdpc/experiment/paper-tables.js';
import { countArithmetic } from './arithmetic.js';
import type { Benchmark, Entry, Setup } from './benchmark.js';
import { randomEncoder } from './models.js';
import { cocoopPeers, encodePeers, encoderPeers, trainingPeers } from './peers.js';
import { sampler } from './sampling.js';
import { closeWebGpu, type DeviceName, openWebGpu, threadsText } from './session.js';
import { encodeWorkload, poolWorkload } from './workloads/encode.js';
import { trainingStepWorkload } from './workloads/training-step.js';
import type { Workload } from './workloads/workload.js';

export const encodeBenchmark: Benchmark = {
  name: 'encode',
  work: 'ViT-B/32 image encode',
  unit: 'images/s',
  devices: ['cpu', 'webgpu'],
  open: (device, { encodeBatch, seconds }) =>
    setup(device, encodeBatch, seconds, (backend) => encodeWorkload(backend, encodeBatch)),
  peers: encodePeers,
};

/** An encoder of Table 4 beside CLIP's, with random weights. */
export function encoderBenchmark(name: ComparedEncoder): Benchmark {
  return {
    name: `encoder-${name.toLowerCase()}`,
    work: `${name} image encode`,
    unit: 'images/s',
    devices: ['cpu', 'webgpu'],
    open: (device, { encodeBatch, seconds }) =>
      setup(device, encodeBatch, seconds, async (backend) => {
        const { checkpoint, close } = await openCheckpointFiles([randomEncoder(name)]);
        try {
          return await poolWorkload(backend, encodeBatch, readEncoder(checkpoint)!);
        } finally {
          await close();
        }
      }),
    peers: (device, options) => encoderPeers(name, device, options),
  };
}

export const trainingBenchmark: Benchmark = {
  name: 'train',
  work: 'PT-DPC training step, ViT-B/32, 8 classes',
  unit: 'images/s',
  devices: ['cpu', 'webgpu'],
  open: (device, { trainingBatch, seconds }) =>
    setup(device, trainingBatch, seconds, async (backend) => {
      const step = await trainingStepWorkload(backend, { batch: trainingBatch, classes: 8, templateLength: 8 });
      return { ...step, notes: `${step.rowsPerImage} rows an image` };
    }),
  peers: (_device, options) => trainingPeers(options),
};

/** As many as PyTorch has memory for: it keeps 77 rows of each class for the gradient. */
const COCOOP_CLASSES = 100;

/** CoCoOp as it was published, an image at a time. */
export const cocoopBenchmark: Benchmark = {
  name: 'train-cocoop',
  work: `CoCoOp training step, ViT-B/32, ${COCOOP_CLASSES} classes, batch 1`,
  unit: 'images/s',
  devices: ['cpu', 'webgpu'],
  open: (device, { seconds }) =>
    setup(device, 1, seconds, (backend) =>
      trainingStepWorkload(backend, { batch: 1, classes: COCOOP_CLASSES, templateLength: 4, cocoop: true }),
    ),
  peers: () => cocoopPeers(1, COCOOP_CLASSES),
};

/** A workload on a device; `batch` images a run. */
async function setup(
  device: DeviceName,
  batch: number,
  seconds: number,
  open: (backend: Backend) => Promise<Workload & { notes?: string }>,
): Promise<Setup> {
  const backend = device === 'cpu' ? openCpu() : await openWebGpu();
  const workload = await open(backend);
  // Counted from here on, so that loading the weights does not.
  const arithmetic = countArithmetic(backend);
  const counters = backend instanceof WebGpuBackend ? backend.counters : undefined;
  const before = { ...counters };
  let runs = 0;
  const run = async (times: number) => {
    for (let i = 0; i < times; i++) await workload.run();
    runs += times;
  };
  const threads = device === 'cpu' ? hardwareThreads() : 1;
  const entry: Entry = {
    name: device === 'cpu' ? threadsText(threads) : 'default',
    threads,
    sample: sampler(run, batch, seconds),
    work: () => arithmetic.flops / 1e9 / (runs * batch),
    notes: () => {
      const parts = [`batch ${batch}`];
      if (workload.notes) parts.push(workload.notes);
      if (counters) {
        const each = (key: keyof typeof counters) => Math.round((counters[key] - (before[key] ?? 0)) / runs);
        parts.push(`${each('dispatches')} dispatches and ${each('submits')} submits a run`);
      }
      return parts.join(', ');
    },
  };
  return {
    entries: [entry],
    [Symbol.dispose]: () => {
      workload[Symbol.dispose]();
      if (backend instanceof WebGpuBackend) closeWebGpu(backend);
      else backend.dispose();
    },
  };
}
