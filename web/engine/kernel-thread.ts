/** One thread: what `WORKER_SOURCE` of `src/kernels/cpu/wasm/workers.ts` says, as a file. */
import type { WorkerTask } from '../../src/kernels/cpu/wasm/index.js';

addEventListener('message', ({ data }: MessageEvent<WorkerTask>) => {
  const { module, memory, control, job, scratch } = data;
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  (instance.exports.work as (control: number, job: number, scratch: number) => void)(control, job, scratch);
});
