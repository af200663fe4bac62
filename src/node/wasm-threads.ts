/** Node's part in the CPU's kernels: worker threads, and which compiled code suits the engine. */
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { InputError } from '../errors.js';
import {
  compareTiles,
  relaxedSupported,
  type StartWorker,
  type WasmBuild,
  WORKER_SOURCE,
} from '../kernels/cpu/wasm/index.js';

/** A build of the compiled kernels, and why it is used. */
export interface BuildChoice {
  build: WasmBuild;
  reason: string;
}

/** First version of V8 whose fusion of vectors gives right results at more than the rate without: Node 24's. */
const FUSING_V8 = 13.6;
/** The wide tile must be this much faster than the narrow one. */
const WORTHWHILE = 1.1;

let chosen: BuildChoice | undefined;

/**
 * Chooses the build for this process, once. In Node 24 and later this lets V8 fuse neighbouring vectors (a flag of the whole process, its
 * workers too) and compares the two inner kernels, which takes some 20 ms: less than a wrong answer costs that was remembered from another machine.
 * `PTDPC_WASM` (`plain`, `relaxed`, `wide`) decides instead. Throws InputError if that names none, or one that the engine cannot run.
 */
export function chooseBuild(): BuildChoice {
  chosen ??= forcedBuild(process.env.PTDPC_WASM) ?? measuredBuild();
  return chosen;
}

function forcedBuild(wanted: string | undefined): BuildChoice | undefined {
  if (!wanted) return undefined;
  if (wanted !== 'plain' && wanted !== 'relaxed' && wanted !== 'wide')
    throw new InputError(`PTDPC_WASM=${wanted}: expected plain, relaxed or wide`);
  if (wanted !== 'plain' && !relaxedSupported())
    throw new InputError(
      `PTDPC_WASM=${wanted}: this engine has no relaxed SIMD; expected plain, or leave PTDPC_WASM unset`,
    );
  if (wanted === 'wide') fuseVectors();
  return { build: wanted, reason: `PTDPC_WASM=${wanted}` };
}

function measuredBuild(): BuildChoice {
  if (!relaxedSupported()) return { build: 'plain', reason: 'the engine has no relaxed SIMD' };
  if (!fuseVectors()) return { build: 'relaxed', reason: 'the engine does not fuse vectors: Node 24 and later can' };
  const { equal, narrow, wide } = compareTiles();
  const rates = `the wide inner kernel runs at ${wide.toFixed(0)} GFLOP/s, the narrow one at ${narrow.toFixed(0)}`;
  if (!equal) {
    setFlagsFromString('--no-experimental-wasm-revectorize');
    return { build: 'relaxed', reason: 'the engine fuses vectors with wrong results' };
  }
  if (wide < WORTHWHILE * narrow) return { build: 'relaxed', reason: rates };
  return { build: 'wide', reason: rates };
}

/** Lets V8 fuse vectors from here on, if this is a Node that can. The flags of other engines are left alone. */
function fuseVectors(): boolean {
  const { versions, release } = process;
  if (release.name !== 'node' || versions.bun || versions.deno || Number.parseFloat(versions.v8) < FUSING_V8)
    return false;
  setFlagsFromString('--experimental-wasm-revectorize');
  return true;
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
