/**
 * The arithmetic that WebAssembly SIMD can do at best on some threads: loops that multiply and add in registers, fused where the
 * engine can. Compiled here from AssemblyScript, like the matrix product itself.
 */
import { Worker } from 'node:worker_threads';
import asc from 'assemblyscript/asc';
import { enableRelaxedSimd } from '../../src/node/wasm-threads.js';

/** Independent sums: as many as registers allow beside the factor and a product (x86-64 leaves an engine 15). */
const SUMS = 12;
const TURNS = 10_000_000;
const RUNS = 5;

let compiled: Promise<WebAssembly.Module> | undefined;

/** GFLOP/s of `threads` threads together, the best of several runs. */
export async function cpuCeiling(threads: number): Promise<number> {
  compiled ??= compile(enableRelaxedSimd());
  const module = await compiled;
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
  const { run } = new WebAssembly.Instance(workerData).exports;
  parentPort.on('message', (turns) => parentPort.postMessage(run(turns, 0.5)));`;

function runOn(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.postMessage(TURNS);
  });
}

/** sum = sum * x + x with x = 0.5 tends to 1: neither overflow nor denormal numbers. */
function source(relaxed: boolean): string {
  const sums = Array.from({ length: SUMS }, (_, i) => `s${i}`);
  const step = (s: string) => (relaxed ? `f32x4.relaxed_madd(${s}, x, x)` : `f32x4.add(f32x4.mul(${s}, x), x)`);
  return `
    export function run(turns: i32, factor: f32): f32 {
      const x = f32x4.splat(factor);
      ${sums.map((s, i) => `let ${s} = f32x4.splat(${i});`).join('\n')}
      for (let turn = 0; turn < turns; turn++) {
        ${sums.map((s) => `${s} = ${step(s)};`).join('\n')}
      }
      let sum = s0;
      ${sums
        .slice(1)
        .map((s) => `sum = f32x4.add(sum, ${s});`)
        .join('\n')}
      return f32x4.extract_lane(sum, 0);
    }`;
}

async function compile(relaxed: boolean): Promise<WebAssembly.Module> {
  const { error, binary, stderr } = await asc.compileString(source(relaxed), {
    optimizeLevel: 3,
    runtime: 'stub',
    noAssert: true,
    enable: ['simd', ...(relaxed ? ['relaxed-simd'] : [])],
  });
  if (error || !binary) throw new Error(`the ceiling kernel does not compile: ${error?.message}\n${stderr}`);
  return new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>);
}
