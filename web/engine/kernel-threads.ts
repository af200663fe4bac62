/**
 * Threads for the CPU backend's kernels, from a file of the page's own: a policy that permits no more than that refuses the Blob that
 * the library starts them from elsewhere.
 */
import type { StartWorker } from '../../src/kernels/cpu/wasm/index.js';
import { ownScript } from '../trusted.js';
import threadUrl from './kernel-thread.ts?worker&url';

export const startKernelThread: StartWorker = (task) => {
  // Without isolation the memory cannot be shared, and posting it would throw.
  if (!globalThis.crossOriginIsolated || typeof Worker !== 'function') return undefined;
  const worker = new Worker(ownScript(threadUrl), { type: 'module' });
  worker.postMessage(task);
  return worker;
};
