/**
 * What a GPU does, in one go: `ptdpc certify --quick`, autotune, and the rates that bench/ measures. Made for machines that have a Vulkan driver and nothing else: `npm run bench:pack`
 * puts this, Node and Dawn into one archive, whose run.sh starts it.
 *
 * Each part has a clock of its own and is written to gpu-results.json and gpu-results.md when it ends, so that what is done is kept whatever
 * comes later; the certificate is beside them. Arguments: the parts to run, all without. The files go to $OUT or the working directory. Exits
 * with 1 where a part fails or the device is not right.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHITECTURES } from '../src/clip/config.js';
import { layerProducts } from '../src/clip/index.js';
import {
  alwaysUse,
  anyKernel,
  type Backend,
  kernels,
  matmulFlops,
  measureTuning,
  Profiler,
  type Timing,
  type Tuning,
  type WebGpuBackend,
} from '../src/kernels/index.js';
import { certificateJson, certify, failureText, launchShipped, variantNames } from '../src/lab/index.js';
import { certifiable } from '../src/node/certify.js';
import { openWebGpu } from '../src/node/device.js';
import { closeGpu, nodeAdapter } from '../src/node/gpu.js';
import { packageVersion } from '../src/node/package.js';
import { certificatePage } from '../src/report/certificate-page.js';
import { resultsPage } from './portable-page.js';
import { USUAL_PRODUCTS } from './product.js';
import { sampler, statistics } from './sampling.js';
import { encodeWorkload } from './workloads/encode.js';
import { normal } from './workloads/numbers.js';
import { trainingStepWorkload } from './workloads/training-step.js';

/** Seconds of a contender's turn, and turns; the median turn counts. */
const TURN_SECONDS = 0.2;
const TURNS = 5;
/** Encoding and training are measured at these batches: the command line's own, and one that fills a large GPU. */
const ENCODE_BATCHES = [32, 256];
const TRAINING_BATCHES = [64, 256];

interface Part {
  readonly name: string;
  run(): Promise<object>;
}

const out = process.env.OUT ?? process.cwd();
const only = process.argv.slice(2);
const results: Record<string, unknown> = {
  ptdpc: packageVersion(),
  node: process.version,
  date: new Date().toISOString(),
};
let tuning: Tuning | undefined;
let failures = 0;

const parts: readonly Part[] = [
  { name: 'certify', run: certifyQuickly },
  { name: 'autotune', run: autotune },
  { name: 'matmul', run: matmul },
  { name: 'encode', run: encode },
  { name: 'train', run: train },
  { name: 'attention', run: attention },
  { name: 'profile', run: profile },
  { name: 'pytorch', run: async () => pytorch() },
];

for (const { name, run } of parts) {
  if (only.length > 0 && !only.includes(name)) continue;
  const start = performance.now();
  let result: object;
  try {
    result = await run();
  } catch (error) {
    failures++;
    result = { failed: error instanceof Error ? error.message : String(error) };
  }
  const seconds = (performance.now() - start) / 1000;
  results[name] = { seconds: round(seconds), ...result };
  console.error(`== ${name}, ${seconds.toFixed(1)} s`);
  console.log(JSON.stringify({ [name]: results[name] }));
  writeFileSync(join(out, 'gpu-results.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(out, 'gpu-results.md'), resultsPage(results));
}
process.exitCode = failures > 0 ? 1 : 0;

/** The certificate goes to files of its own; this is what it comes to. */
async function certifyQuickly(): Promise<object> {
  const certificate = await certify(certifiable('webgpu'), { quick: true });
  closeGpu();
  writeFileSync(join(out, 'certificate.json'), `${certificateJson(certificate)}\n`);
  writeFileSync(join(out, 'certificate.html'), certificatePage(certificate));
  const { device, failures: found, kernels: checks, references, determinism, rates } = certificate;
  if (found.length > 0) failures++;
  return {
    device: device.description,
    features: device.adapter?.features,
    right: certificate.right,
    failures: found.map(failureText),
    cases: checks.reduce((sum, { cases }) => sum + cases, 0),
    largestError: Math.max(...checks.map(({ error }) => error)),
    largestReferenceError: Math.max(...references.map(({ error }) => error)),
    otherBits: determinism.unstableCases + determinism.changedNumbers,
    ...('ceilings' in rates && rates.ceilings),
  };
}

async function withGpu<T>(
  body: (backend: WebGpuBackend) => Promise<T>,
  options: Parameters<typeof openWebGpu>[1] = {},
) {
  const gpu = await nodeAdapter();
  if (!gpu) throw new Error('no WebGPU adapter');
  const backend = await openWebGpu(gpu, options);
  try {
    return await body(backend);
  } finally {
    backend.dispose();
    closeGpu();
  }
}

async function autotune(): Promise<object> {
  return withGpu(async (backend) => {
    const config = ARCHITECTURES.get('ViT-B/32')!;
    const timings: Timing[] = [];
    tuning = await measureTuning(
      backend,
      { layers: layerProducts(config), attention: { rows: 50, heads: 12, headWidth: 64 } },
      (more) => timings.push(...more),
    );
    const table: Record<string, Record<string, number>> = {};
    for (const { work, variant, gflops } of timings) table[work] = { ...table[work], [variant]: round(gflops) };
    return { tuning, table };
  });
}

/** GFLOP/s of every variant, on single- and half-precision weights. */
async function matmul(): Promise<object> {
  return withGpu(async (backend) => {
    const rows: object[] = [];
    for (const product of [
      ...USUAL_PRODUCTS,
      { m: 12800, k: 768, n: 3072, transposeB: true },
      { m: 4096, k: 4096, n: 4096, transposeB: true },
    ]) {
      for (const half of [false, true]) {
        const { m, k, n } = product;
        const filled = (dtype: 'f32' | 'f16', length: number) => {
          const buffer = backend.allocate(dtype, length);
          backend.write(buffer, normal(length));
          return buffer;
        };
        const args = {
          ...product,
          alpha: 1,
          a: filled('f32', m * k),
          b: filled(half ? 'f16' : 'f32', k * n),
          out: backend.allocate('f32', m * n),
        };
        const fence = backend.allocate('f32', 1);
        const rates: Record<string, number> = {};
        for (const name of variantNames(anyKernel(kernels.matmul))) {
          const launch = launchShipped(anyKernel(kernels.matmul), name, args, backend.adapter);
          if (!launch) continue;
          rates[name] = await rate(async (times) => {
            for (let i = 0; i < times; i++) backend.dispatch(launch);
            await backend.read(fence);
          }, matmulFlops(product) / 1e9);
        }
        for (const buffer of [args.a, args.b, args.out, fence]) backend.free(buffer);
        rows.push({ m, k, n, transposeB: product.transposeB, weights: half ? 'f16' : 'f32', ...rates });
      }
    }
    return { unit: 'GFLOP/s', rows };
  });
}

async function rate(run: (times: number) => Promise<void>, amount: number): Promise<number> {
  await run(1);
  const sample = sampler(run, amount, TURN_SECONDS);
  const samples: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) samples.push(await sample());
  return round(statistics(samples).median);
}

/** By default and as tuned. */
async function onBoth(measure: (backend: WebGpuBackend) => Promise<object>): Promise<object> {
  const usual = await withGpu(measure);
  return { unit: 'images/s', default: usual, ...(tuning && { tuned: await withGpu(measure, { tuning }) }) };
}

async function encode(): Promise<object> {
  return onBoth(async (backend) => {
    const rates: Record<string, number> = {};
    for (const batch of ENCODE_BATCHES) {
      using work = await encodeWorkload(backend, batch);
      rates[batch] = await rate((times) => repeat(work, times), batch);
    }
    return rates;
  });
}

async function train(): Promise<object> {
  return onBoth(async (backend) => {
    const rates: Record<string, number> = {};
    for (const batch of TRAINING_BATCHES) {
      using step = await trainingStepWorkload(backend, { batch, classes: 8, templateLength: 8 });
      rates[batch] = await rate((times) => repeat(step, times), batch);
    }
    return rates;
  });
}

/** Encoding and training with each variant of attention: in real work, where no two launches overlap. */
async function attention(): Promise<object> {
  const rows: Record<string, object> = {};
  const attentions = [
    anyKernel(kernels.attention),
    anyKernel(kernels.attentionGradQuery),
    anyKernel(kernels.attentionGradKeyValue),
  ];
  for (const variant of variantNames(anyKernel(kernels.attention))) {
    rows[variant] = await withGpu(
      async (backend) => {
        using work = await encodeWorkload(backend, 32);
        const encoded = await rate((times) => repeat(work, times), 32);
        using step = await trainingStepWorkload(backend, { batch: 64, classes: 8, templateLength: 8 });
        return { encode32: encoded, train64: await rate((times) => repeat(step, times), 64) };
      },
      { tuning: alwaysUse(variant, ...attentions) },
    );
  }
  return { unit: 'images/s', rows };
}

async function repeat(work: { run(): Promise<void> }, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await work.run();
}

/** Where a GPU's time goes in one encoding of 32 images and one training step of 64, by timestamps, as tuned. */
async function profile(): Promise<object> {
  const jobs: Record<string, object> = {};
  for (const [name, open, batch] of [
    ['encode', (backend: Backend, n: number) => encodeWorkload(backend, n), 32],
    [
      'train',
      (backend: Backend, n: number) => trainingStepWorkload(backend, { batch: n, classes: 8, templateLength: 8 }),
      64,
    ],
  ] as const) {
    const profiler = new Profiler();
    jobs[name] = await withGpu(
      async (backend) => {
        using work = await open(backend, batch);
        await work.run();
        await work.run();
        profiler.kernels.clear();
        profiler.products.clear();
        const before = { ...backend.counters };
        const start = performance.now();
        await work.run();
        const wall = (performance.now() - start) / 1000;
        const rows = [...profiler.kernels].map(([kernel, { calls, seconds, flops, bytes }]) => ({
          kernel,
          calls,
          ms: round(seconds * 1e3),
          gflops: round(flops / seconds / 1e9),
          gbytes: round(bytes / seconds / 1e9),
        }));
        const products = [...profiler.products].map(([shape, { calls, seconds, flops }]) => ({
          shape,
          calls,
          ms: round(seconds * 1e3),
          gflops: round(flops / seconds / 1e9),
        }));
        return {
          wallMs: round(wall * 1e3),
          dispatches: backend.counters.dispatches - before.dispatches,
          submits: backend.counters.submits - before.submits,
          kernels: rows.sort((a, b) => b.ms - a.ms),
          products: products.sort((a, b) => b.ms - a.ms),
        };
      },
      { profiler, ...(tuning && { tuning }) },
    );
  }
  return jobs;
}

/** PyTorch beside it, where there is one with CUDA. */
function pytorch(): object {
  const script = (file: string, ...args: string[]): object => {
    const { stdout, stderr } = spawnSync('python3', [join(import.meta.dirname, 'bench', 'peers', file), ...args], {
      encoding: 'utf8',
      timeout: 120_000,
    });
    const lines = (stdout ?? '').split('\n').filter((line) => line.startsWith('{'));
    return lines.length > 0
      ? lines.map((line) => JSON.parse(line) as unknown)
      : { failed: (stderr ?? '').trim().split('\n').at(-1) };
  };
  const probe = spawnSync('python3', ['-c', 'import torch; print(torch.cuda.is_available())'], { encoding: 'utf8' });
  if (probe.stdout?.trim() !== 'True') return { skipped: 'no PyTorch with CUDA' };
  return {
    matmul: USUAL_PRODUCTS.map(({ m, k, n }) =>
      script('pytorch_matmul.py', String(m), String(k), String(n), '--device', 'cuda'),
    ),
    encode: ENCODE_BATCHES.map((batch) =>
      script('pytorch_towers.py', '--batch', String(batch), '--iterations', '20', '--warmup', '5'),
    ),
    train: TRAINING_BATCHES.map((batch) =>
      script('pytorch_step.py', '--batch', String(batch), '--iterations', '10', '--warmup', '3'),
    ),
  };
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
