/** The best arithmetic and copying rates of a device, measured: what a profile compares kernels with. */
import { Worker } from 'node:worker_threads';
import { compileKernels } from '../kernels/cpu/wasm/index.js';
import { openDevice } from '../kernels/webgpu/device.js';
import { type DeviceCeilings, webGpuCeilings } from '../lab/index.js';
import { closeGpu, nodeAdapter, waitAsleep } from './gpu.js';
import { chooseBuild, hardwareThreads } from './wasm-threads.js';

/** Independent sums in a turn of assembly/ceiling.ts, each of 4 lanes. */
const SUMS = 12;
const TURNS = 10_000_000;
const RUNS = 5;

/** GFLOP/s of `threads` threads together, the best of several runs. */
export async function cpuCeiling(threads: number): Promise<number> {
  const module = compileKernels({ build: chooseBuild().build, shared: false });
  const workers = Array.from({ length: threads }, () => new Worker(WORKER, { eval: true, workerData: module }));
  try {
    let best = Number.POSITIVE_INFINITY;
    // The first run starts the threads and lets the engine optimise; it does not count.
    for (let run = 0; run <= RUNS; run++) {
      const start = performance.now();
      await Promise.all(workers.map((worker) => runOn(worker)));
      if (run > 0) best = Math.min(best, (performance.now() - start) / 1000);
    }
    return (2 * 4 * SUMS * TURNS * threads) / best / 1e9;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

const WORKER = `
  const { workerData, parentPort } = require('node:worker_threads');
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  const { multiplyAdd } = new WebAssembly.Instance(workerData, { env: { memory } }).exports;
  parentPort.on('message', (turns) => parentPort.postMessage(multiplyAdd(turns, 0.5)));`;

function runOn(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.postMessage(TURNS);
  });
}

/** GB/s of copying within memory, bytes read and bytes written both counted, on one thread; the best of several runs. */
export function cpuCopyCeiling(): number {
  const from = new Float32Array(1 << 24).fill(1);
  const to = new Float32Array(1 << 24);
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run <= RUNS; run++) {
    const start = performance.now();
    to.set(from);
    if (run > 0) best = Math.min(best, (performance.now() - start) / 1000);
  }
  return (2 * from.byteLength) / best / 1e9;
}

/** Takes about a second. No WebGPU device may be open. */
export async function measureCeilings(kind: 'cpu' | 'webgpu'): Promise<DeviceCeilings> {
  if (kind === 'cpu') return { gflops: await cpuCeiling(hardwareThreads()), gbytes: cpuCopyCeiling() };
  return onAdapter((device) => webGpuCeilings(device, waitAsleep));
}

/** A separate device on the machine's adapter, closed afterwards. Throws Error if there is none. */
export async function onAdapter<T>(measure: (device: GPUDevice) => Promise<T>): Promise<T> {
  const adapter = await nodeAdapter();
  if (!adapter) throw new Error('no WebGPU adapter');
  const device = await openDevice(adapter);
  try {
    return await measure(device);
  } finally {
    device.destroy();
    closeGpu();
  }
}
