import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { CpuHeap, type HeapMatmulArgs, WasmEngine } from '../../../src/kernels/cpu/wasm/index.js';
import { BYTES, Control, TILES } from '../../../src/kernels/cpu/wasm/layout.generated.js';
import { cut, describeMatmul, SCRATCH_BYTES } from '../../../src/kernels/cpu/wasm/matmul-job.js';
import { compile } from '../../../src/kernels/cpu/wasm/module.js';
import { startNodeWorker } from '../../../src/node/wasm-threads.js';
import { type Case, distance, operands, runTwin, runWasm, sameBits } from './oracle.js';

it('gives the same bits however many threads there are', () => {
  const heap = new CpuHeap({ shared: true });
  const engines = [1, 2, 3].map((threads) => WasmEngine.create({ heap, threads, startWorker: startNodeWorker }));
  expect(engines.map((engine) => engine.threads)).toEqual([1, 2, 3]);
  const cases: Case[] = [
    { m: 300, n: 257, k: 500, bias: true, activation: 'gelu', preActivation: true },
    { m: 50, n: 768, k: 400, transposeB: true },
    { m: 1, n: 4001, k: 301, transposeB: true },
    { m: 1, n: 4001, k: 301 },
    { m: 1, n: 4001, k: 301, halfB: true },
    { m: 300, n: 257, k: 500, halfB: true, transposeB: true },
    { m: 481, n: 511, k: 96, transposeA: true, residual: true },
  ];
  for (const c of cases) {
    const inputs = operands(c);
    const [one, ...others] = engines.map((engine) => runWasm(heap, engine, c, inputs));
    const want = runTwin(c, inputs);
    for (const [i, result] of one!.entries()) expect(distance(result, want[i]!)).toBeLessThan(1.2e-7 * (c.k + 16));
    for (const other of others) expect(sameBits(other, one!), JSON.stringify(c)).toBe(true);
    for (let repeat = 0; repeat < 5; repeat++) {
      for (const engine of engines.slice(1)) expect(sameBits(runWasm(heap, engine, c, inputs), one!)).toBe(true);
    }
  }
  for (const engine of engines) engine.dispose();
});

it.each(['shared', 'own'])('a worker by itself computes a whole product from %s panels', async (panels) => {
  const heap = new CpuHeap({ shared: true });
  const [control, job, scratch] = [BYTES.Control, BYTES.MatmulJob, SCRATCH_BYTES].map((bytes) =>
    heap.allocate(bytes),
  ) as [number, number, number];
  const words = heap.i32(control, BYTES.Control / 4).fill(0);
  const module = compile({ build: 'plain', shared: true });
  const worker = startNodeWorker({ module, memory: heap.memory, control, job, scratch })!;
  const [m, n, k] = [330, 270, 50];
  const [a, b, out] = [m * k, k * n, m * n].map((length) => heap.allocate(length * 4)) as [number, number, number];
  heap.f32(a, m * k).fill(2);
  heap.f32(b, k * n).fill(3);
  heap.f32(out, m * n).fill(Number.NaN);
  const args: HeapMatmulArgs = { a, b, out, m, n, k };
  // The second way of cutting is otherwise met only where B is larger than 64 MiB.
  const tasks =
    panels === 'own'
      ? { ...cut(args, TILES.narrow), rows: 240, columns: 128, packedBytes: 0 }
      : cut(args, TILES.narrow);
  describeMatmul(heap, job, args, tasks, TILES.narrow, tasks.packedBytes && heap.allocate(tasks.packedBytes));
  // Opened without a caller that takes part.
  Atomics.store(words, Control.open, 1);
  Atomics.store(words, Control.generation, 1);
  Atomics.notify(words, Control.generation);
  const result = heap.f32(out, m * n);
  await expect.poll(() => result.every((x) => x === 2 * 3 * k), { timeout: 200_000 }).toBe(true);
  worker.terminate();
});

it('takes no harm from workers that never start', () => {
  const heap = new CpuHeap({ shared: true });
  const dead = WasmEngine.create({ heap, threads: 4, startWorker: () => ({ terminate() {} }) });
  const none = WasmEngine.create({ heap, threads: 4, startWorker: () => undefined });
  expect([dead.threads, none.threads]).toEqual([4, 1]);
  const c: Case = { m: 200, n: 200, k: 200 };
  const inputs = operands(c);
  expect(sameBits(runWasm(heap, dead, c, inputs), runWasm(heap, none, c, inputs))).toBe(true);
});

it('survives thousands of jobs in a row', async () => {
  const heap = new CpuHeap({ shared: true });
  const alone = WasmEngine.create({ heap });
  const together = WasmEngine.create({ heap, threads: 3, startWorker: startNodeWorker });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const c: Case = { m: 65, n: 130, k: 125 };
  const inputs = operands(c);
  const want = runWasm(heap, alone, c, inputs);
  for (let i = 0; i < 3000; i++)
    if (!sameBits(runWasm(heap, together, c, inputs), want)) throw new Error(`job ${i} differs`);
  together.dispose();
});

it('does not keep a process alive, disposed of or not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wasm-threads-'));
  try {
    const contents = `
      import { CpuHeap, WasmEngine } from './src/kernels/cpu/wasm/index.js';
      import { startNodeWorker } from './src/node/wasm-threads.js';
      const heap = new CpuHeap();
      const engine = WasmEngine.create({ heap, threads: 3, startWorker: startNodeWorker });
      const [a, b, out] = [1, 2, 3].map(() => heap.allocate(200 * 200 * 4));
      heap.f32(a, 40000).fill(1);
      heap.f32(b, 40000).fill(1);
      for (let i = 0; i < 20; i++) engine.matmul({ a, b, out, m: 200, n: 200, k: 200 });
      if (process.argv[2] === 'dispose') engine.dispose();
      console.log(heap.f32(out, 1)[0]);`;
    const outfile = join(folder, 'main.mjs');
    const stdin = { contents, resolveDir: process.cwd(), loader: 'ts' as const };
    await build({ stdin, bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'error' });
    for (const argument of ['dispose', 'leave']) {
      const { stdout } = await promisify(execFile)(process.execPath, [outfile, argument], { timeout: 200_000 });
      expect(stdout).toBe('200\n');
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
