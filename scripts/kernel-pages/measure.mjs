// Measures every kernel and every rung of the ladders on this machine, and writes docs/kernels/figures.json. Run it alone on the machine:
//
//     npm run build && node scripts/kernel-pages/measure.mjs [webgpu|cpu|ladders]...
//
// Without arguments all three parts; a part replaces its own figures only. `fill.mjs` then brings the pages up to date.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import {
  allKernels,
  CpuBackend,
  caseOf,
  kernelCost,
  kernelNamed,
  sizedArgs,
  suiteOf,
} from '../../dist/kernels/index.js';
import {
  compileAndCheck,
  launchUserKernel,
  readUserKernel,
  timeContestants,
  timeVariants,
} from '../../dist/lab/index.js';
import { measureCeilings } from '../../dist/node/ceilings.js';
import { openCpu, openWebGpu } from '../../dist/node/device.js';
import { closeGpu, nodeAdapter } from '../../dist/node/gpu.js';

const kernels = new URL('../../docs/kernels/', import.meta.url);
const file = new URL('figures.json', kernels);

/** A measurement is repeated where other work kept more processors busy than this. */
const MOST_OTHERS = 0.08;
const ATTEMPTS = 8;

/** The shape that each ladder is climbed on, and by which name the figures call it. */
const LADDERS = {
  matmul: { kernel: 'matmul', sizes: {} },
  attention: { kernel: 'attention', sizes: {} },
  'attention, trees': {
    kernel: 'attention',
    sizes: { whole: 0, sequences: 64, prefix: 9, suffixes: 8, suffix: 2, heads: 8 },
  },
};

const PARTS = {
  webgpu: () => onWebGpu(async (backend) => timeAll(async (test) => (await timeVariants(backend, test)).timings)),
  cpu: async () => {
    const compiled = openCpu();
    const contestants = [
      { name: 'twin', device: new CpuBackend({ wasm: false }) },
      { name: 'compiled', device: compiled },
    ];
    const result = await measured('cpu', async () => ({
      device: compiled.description,
      results: await timeAll((test) =>
        timeContestants(
          test,
          contestants.map(({ name, device }) => ({ name, device, run: (args) => device.run(test.kernel, args) })),
        ),
      ),
    }));
    compiled.dispose();
    return result;
  },
  ladders: () => onWebGpu(climbAll),
};

const asked = process.argv.slice(2);
for (const name of asked) {
  if (!Object.hasOwn(PARTS, name)) {
    console.error(`${name}: expected one of ${Object.keys(PARTS).join(', ')}`);
    process.exit(2);
  }
}
const figures = JSON.parse(await readFile(file, 'utf8').catch(() => '{}'));
for (const [name, measure] of Object.entries(PARTS)) {
  if (asked.length === 0 || asked.includes(name)) figures[name] = await measure();
}
await writeFile(file, `${JSON.stringify(figures, undefined, 1)}\n`);
process.exit();

/** Opens the adapter after the ceilings were measured, since an adapter gives one device. */
function onWebGpu(measure) {
  return measured('webgpu', async () => {
    const adapter = await nodeAdapter();
    if (!adapter) throw new Error('no WebGPU adapter');
    const backend = await openWebGpu(adapter);
    try {
      return { device: backend.description, results: await measure(backend) };
    } finally {
      backend.dispose();
      closeGpu();
    }
  });
}

/** What was measured between two measurements of the ceilings, of which the higher counts: a ceiling is what is never passed. */
async function measured(kind, measure) {
  const before = await measureCeilings(kind);
  const { device, results } = await measure();
  const after = await measureCeilings(kind);
  console.error(`${kind}: ceiling ${before.gflops.toFixed(1)} GFLOP/s before, ${after.gflops.toFixed(1)} after`);
  const [{ model }] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} cores of an ${model.trim()}, no GPU`,
    node: process.versions.node,
    device,
    ceilings: {
      gflops: rounded(Math.max(before.gflops, after.gflops)),
      gbytes: rounded(Math.max(before.gbytes, after.gbytes)),
    },
    results,
  };
}

/** All kernels at their usual sizes. */
async function timeAll(time) {
  const results = {};
  for (const kernel of allKernels()) {
    results[kernel.name] = summary(caseOf(kernel), await undisturbed(() => time(caseOf(kernel))));
  }
  return results;
}

/** Each ladder's rungs and the shipped variants in turns on one shape, after `ptdpc lab run`'s own check. */
async function climbAll(backend) {
  const files = (await readdir(new URL('ladders/', kernels))).sort();
  const results = {};
  for (const [ladder, { kernel: kernelName, sizes }] of Object.entries(LADDERS)) {
    const kernel = kernelNamed(kernelName);
    const rungs = [];
    for (const name of files.filter((one) => one.startsWith(`${kernelName}-`))) {
      const user = readUserKernel(kernel, name, await readFile(new URL(`ladders/${name}`, kernels), 'utf8'));
      const { parity } = await compileAndCheck(backend, user, suiteOf(kernel));
      if (!parity || parity.wrong.length > 0 || parity.unstable.length > 0) throw new Error(`${name} is wrong`);
      rungs.push({ name, launch: (args) => launchUserKernel(user, args, backend.adapter) });
    }
    const test = caseOf(kernel, sizes);
    results[ladder] = summary(test, await undisturbed(async () => (await timeVariants(backend, test, rungs)).timings));
  }
  return results;
}

/** Times of the first run during which nothing else kept the processor busy; else of the one with the least of it. */
async function undisturbed(run) {
  let best;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = processorTimes();
    const { times } = await run();
    const after = processorTimes();
    const others = (after.busy - before.busy - (after.own - before.own)) / (after.wall - before.wall);
    if (best === undefined || others < best.others) best = { others, times };
    if (best.others < MOST_OTHERS) break;
  }
  if (best.others >= MOST_OTHERS) console.error(`others kept ${best.others.toFixed(2)} processors busy`);
  return best.times;
}

/** Seconds: on the clock, of all processors at work, and of this process. */
function processorTimes() {
  const busy = cpus().reduce((sum, { times: { user, nice, sys, irq } }) => sum + user + nice + sys + irq, 0) / 1000;
  const { user, system } = process.cpuUsage();
  return { wall: performance.now() / 1000, busy, own: (user + system) / 1e6 };
}

function summary(test, times) {
  const { flops, bytes } = kernelCost(test.kernel, sizedArgs(test));
  return {
    shape: test.name.slice(test.kernel.length + 1),
    flops,
    bytes,
    times: times.map(({ name, seconds, quartiles }) => ({
      name,
      milliseconds: rounded(1000 * seconds),
      quartiles: quartiles.map((one) => rounded(1000 * one)),
    })),
  };
}

function rounded(value) {
  return Number(value.toPrecision(4));
}
