/** The benchmarks' command line: `npm run bench -- --help`. README.md says what is measured and how. */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseInteger } from '../src/cli/options.js';
import { COMPARED_ENCODERS } from '../src/ptdpc/experiment/paper-tables.js';
import { type Benchmark, type Result, type Runner, runBenchmark } from './benchmark.js';
import { imageBenchmark } from './images.js';
import { lossesBenchmark } from './losses.js';
import { memoryBenchmarks, reportMemory } from './memory.js';
import { pageBenchmark } from './page.js';
import { productBenchmark, USUAL_PRODUCTS } from './product.js';
import { resultNotes, resultTable } from './report.js';
import { scaleBenchmark } from './scale/scale-data.js';
import { scalingBenchmark } from './scaling.js';
import { adapterDescription, type BenchOptions, Ceilings, type DeviceName, type ProductSizes } from './session.js';
import type { StandaloneBenchmark } from './standalone.js';
import { cocoopBenchmark, encodeBenchmark, encoderBenchmark, trainingBenchmark } from './towers.js';
import { embedBenchmark, predictBenchmark } from './whole-process.js';

interface Flags {
  only?: string;
  json?: boolean;
  device: 'all' | DeviceName;
  quick?: boolean;
  repeats?: number;
  batch?: number;
  product?: ProductSizes;
  peers: boolean;
  memoryTask?: string;
}

/** Those that measure in ways of their own. */
const STANDALONE: readonly StandaloneBenchmark[] = [
  embedBenchmark,
  predictBenchmark,
  lossesBenchmark,
  scalingBenchmark,
  pageBenchmark,
  scaleBenchmark,
  ...memoryBenchmarks,
];

await new Command('bench')
  .description(
    'Times ptdpc and other software on this machine. Run it on an idle one; only ratios within one call mean anything.',
  )
  .option(
    '--only <name>',
    'the benchmark of this name, or those whose names begin like this: matmul, encode, train, embed ...',
  )
  .option('--json', 'print an array of {work, device, unit, ours, peer, peerName, ratio, ceiling, ...}')
  .addOption(new Option('--device <device>', 'where').choices(['all', 'cpu', 'webgpu']).default('all'))
  .option('--quick', 'shorter turns and smaller batches: a smoke test, not a measurement')
  .option('--repeats <n>', 'turns of each contender (default 5, with --quick 2)', parseInteger(1, 1000))
  .option('--batch <n>', 'images per training step (default 64, with --quick 8)', parseInteger(1, 4096))
  .option('--product <MxKxN>', 'a matrix product of these sizes instead of the usual three', parseProduct)
  .option('--no-peers', 'do not run other software; recorded figures are shown')
  .addOption(new Option('--memory-task <name>', 'internal').hideHelp())
  .action(bench)
  .parseAsync();

async function bench(flags: Flags): Promise<void> {
  const options = benchOptions(flags);
  if (flags.memoryTask) return reportMemory(flags.memoryTask, flags.device === 'webgpu' ? 'webgpu' : 'cpu', options);
  const all = allBenchmarks(flags.product);
  // `encode` is one of them, not the beginning of `encoder-vgg16` too.
  const isName = [...all, ...STANDALONE].some(({ name }) => name === flags.only);
  const selected = (name: string) =>
    flags.only === undefined || (isName ? name === flags.only : name.startsWith(flags.only));
  const benchmarks = all.filter(({ name }) => selected(name));
  const standalone = STANDALONE.filter(({ name }) => selected(name));
  if (benchmarks.length + standalone.length === 0) return refuse(flags);

  const devices = await usableDevices(flags.device);
  say(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
  );
  const runner: Runner = { options, ceilings: new Ceilings(), peerResults: new Map(), say };
  const results: Result[] = [];
  const collect = (more: readonly Result[]) => {
    results.push(...more);
    if (!flags.json && more.length > 0)
      console.log(`${[resultTable(more), resultNotes(more)].filter(Boolean).join('\n')}\n`);
  };
  for (const device of devices) {
    for (const benchmark of benchmarks) {
      if (benchmark.devices.includes(device)) collect(await runBenchmark(benchmark, device, runner));
    }
    for (const { devices: on, measure } of standalone) {
      if (on.includes(device)) collect(await measure(device, options, process.argv[1]!));
    }
  }
  if (flags.json) console.log(JSON.stringify(results, null, 2));
  say(
    `load at the end ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
  );
}

function benchOptions({ quick = false, repeats, batch, peers }: Flags): BenchOptions {
  return {
    quick,
    peers,
    rounds: repeats ?? (quick ? 2 : 5),
    seconds: quick ? 0.05 : 1,
    encodeBatch: quick ? 2 : 8,
    trainingBatch: batch ?? (quick ? 8 : 64),
  };
}

function allBenchmarks(product: ProductSizes | undefined): Benchmark[] {
  const products = product ? [{ ...product, transposeB: true }] : USUAL_PRODUCTS;
  return [
    ...products.map(productBenchmark),
    encodeBenchmark,
    ...COMPARED_ENCODERS.map(encoderBenchmark),
    trainingBenchmark,
    cocoopBenchmark,
    imageBenchmark('jpeg'),
    imageBenchmark('png'),
  ];
}

async function usableDevices(wanted: Flags['device']): Promise<DeviceName[]> {
  const devices: DeviceName[] = wanted === 'webgpu' ? [] : ['cpu'];
  if (wanted === 'cpu') return devices;
  const adapter = await adapterDescription();
  say(adapter ? `WebGPU adapter: ${adapter}` : 'no WebGPU adapter: its rows are left out');
  if (adapter) devices.push('webgpu');
  return devices;
}

function refuse({ only, product }: Flags): void {
  const names = [...allBenchmarks(product), ...STANDALONE].map(({ name }) => name).join(', ');
  say(`--only ${only}: no benchmark is called so; there are ${names}`);
  process.exitCode = 1;
}

function parseProduct(text: string): ProductSizes {
  const [, m, k, n] = /^(\d{1,5})x(\d{1,5})x(\d{1,5})$/.exec(text)?.map(Number) ?? [];
  if (!m || !k || !n) throw new InvalidArgumentError('Expected three sizes such as 1024x768x3072.');
  return { m, k, n };
}

function say(line: string): void {
  console.error(line);
}
