/** One device being measured: how it is opened, what it is called, and the arithmetic that it could do at best. */
import { type Backend, describeAdapter, WebGpuBackend } from '../src/kernels/index.js';
import { webGpuCeiling } from '../src/lab/index.js';
import { cpuCeiling, onAdapter } from '../src/node/ceilings.js';
import { openWebGpu as openBackend, openCpu } from '../src/node/device.js';
import { closeGpu, nodeAdapter, waitAsleep } from '../src/node/gpu.js';

export type DeviceName = 'cpu' | 'webgpu';

export interface BenchOptions {
  /** Times that each contender has its turn. */
  readonly rounds: number;
  /** How long a contender's turn takes at least. */
  readonly seconds: number;
  /** Images per training step. */
  readonly trainingBatch: number;
  /** Images per call of the vision tower. */
  readonly encodeBatch: number;
  /** Matrix products to time instead of the usual ones. */
  readonly products?: readonly ProductSizes[] | undefined;
  readonly peers: boolean;
  readonly quick: boolean;
}

/** out [m, n] = a [m, k] . b [k, n] */
export interface ProductSizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** GFLOP/s of multiply-adds on registers alone, by number of threads (1 on a GPU): the best seen in this call. */
export class Ceilings {
  readonly #best = new Map<string, number>();

  /** Measures once more. No WebGPU device may be open. */
  async measure(device: DeviceName, threads: number): Promise<number> {
    const now = device === 'cpu' ? await cpuCeiling(threads) : await onAdapter((one) => webGpuCeiling(one, waitAsleep));
    const key = `${device} ${threads}`;
    const best = Math.max(now, this.#best.get(key) ?? 0);
    this.#best.set(key, best);
    return best;
  }
}

/** What the machine's adapter is, or undefined if there is none. */
export async function adapterDescription(): Promise<string | undefined> {
  const adapter = await nodeAdapter().catch(() => null);
  const description = adapter ? describeAdapter(adapter).description : undefined;
  closeGpu();
  return description;
}

/** The machine's adapter as a backend. Close it with `closeWebGpu`. */
export async function openWebGpu(): Promise<WebGpuBackend> {
  const adapter = await nodeAdapter();
  if (!adapter) throw new Error('no WebGPU adapter');
  return openBackend(adapter);
}

export function closeWebGpu(backend: WebGpuBackend): void {
  backend.dispose();
  closeGpu();
}

/** Opens the device as the command line does, for `body`. */
export async function onDevice<T>(device: DeviceName, body: (backend: Backend) => Promise<T>): Promise<T> {
  const backend = device === 'cpu' ? openCpu() : await openWebGpu();
  try {
    return await body(backend);
  } finally {
    if (backend instanceof WebGpuBackend) closeWebGpu(backend);
    else backend.dispose();
  }
}

export function threadsText(threads: number): string {
  return threads === 1 ? '1 thread' : `${threads} threads`;
}
