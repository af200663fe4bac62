/** How worker threads start: what each receives, and how a browser starts it (Node: `src/node/wasm-threads.ts`). */

/** All that a worker needs. Every field survives `postMessage`. */
export interface WorkerTask {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** Addresses of the control block, of the job and of this worker's scratch memory. */
  control: number;
  job: number;
  scratch: number;
}

/** A running worker. */
export interface KernelWorker {
  /** Ends it at once. */
  terminate(): void;
}

/** Starts a worker that runs `runWorkerTask`; undefined if that is impossible. Must not throw. */
export type StartWorker = (task: WorkerTask) => KernelWorker | undefined;

/**
 * Body of a worker as source text that defines `runWorkerTask(task)`. Text rather than a separate module, because then it runs
 * the same from TypeScript sources, from built files and from a bundle.
 */
export const WORKER_SOURCE = `function runWorkerTask({ module, memory, control, job, scratch }) {
  new WebAssembly.Instance(module, { env: { memory } }).exports.work(control, job, scratch);
}`;

/** Starts a Web Worker from a Blob URL. Shared memory needs a cross-origin isolated page. */
export const startWebWorker: StartWorker = (task) => {
  if (typeof Worker !== 'function' || typeof URL.createObjectURL !== 'function') return undefined;
  try {
    const source = `${WORKER_SOURCE}\nonmessage = ({ data }) => runWorkerTask(data);`;
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    const worker = new Worker(url);
    worker.postMessage(task);
    return {
      terminate() {
        worker.terminate();
        URL.revokeObjectURL(url);
      },
    };
  } catch {
    // Blocked by the page's policy: the caller computes alone.
    return undefined;
  }
};
