/** Node's part in the CPU matrix product: worker threads, and the switch for relaxed SIMD in Node 20. */
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { relaxedSupported, type StartWorker, WORKER_SOURCE } from '../kernels/cpu/wasm/index.js';

/**
 * Turns relaxed SIMD on if it is still behind a flag (Node 20; later versions have it). Must come before the
 * product is compiled. Returns whether the engine has it now.
 */
export function enableRelaxedSimd(): boolean {
  if (relaxedSupported()) return true;
  try {
    setFlagsFromString('--experimental-wasm-relaxed-simd');
  } catch {
    // An engine without the flag has no relaxed SIMD either.
  }
  return relaxedSupported();
}

/** Threads worth using: the processors that this process may run on. */
export function hardwareThreads(): number {
  return availableParallelism();
}

/** Starts a worker thread. It does not keep the process alive. */
export const startNodeWorker: StartWorker = (task) => {
  try {
    const source = `${WORKER_SOURCE}\nrunWorkerTask(require('node:worker_threads').workerData);`;
    const worker = new Worker(source, { eval: true, workerData: task });
    // A worker that fails to start takes no tasks; the others compute what it would have.
    worker.on('error', () => {});
    worker.unref();
    return { terminate: () => void worker.terminate() };
  } catch {
    return undefined;
  }
};
