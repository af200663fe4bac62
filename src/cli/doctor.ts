/** `ptdpc doctor`: what this machine can compute on, and what `--device auto` would take. */
import { arch, cpus, freemem, totalmem } from 'node:os';
import type { Command } from 'commander';
import { InputError } from '../errors.js';
import type { AdapterSummary } from '../kernels/index.js';
import { addExamples, jsonOption } from './options.js';
import { printJson, printLines, say } from './output.js';

/** The limits that decide what fits: tensors, and workgroups of the matrix product. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
] as const;

export function configure(command: Command): void {
  command
    .description(
      'Show the WebGPU adapter with its features and limits, the CPU, and what --device auto would choose and ' +
        'why. Exits with 0 whatever it finds: without a GPU everything runs on the CPU.',
    )
    .addOption(jsonOption())
    .action(doctor);
  addExamples(command, [
    ['ptdpc doctor', 'a page for people'],
    ['ptdpc doctor --json', 'all of it, for bug reports'],
  ]);
}

async function doctor({ json }: { json?: boolean }): Promise<void> {
  const report = await examine();
  if (json) printJson(report);
  else for (const line of page(report)) printLines(line);
}

type Report = Awaited<ReturnType<typeof examine>>;

async function examine() {
  const { relaxedSupported, simdSupported } = await import('../kernels/cpu/wasm/index.js');
  const { autoChoice, openCpu } = await import('../node/device.js');
  const { defaultCacheDirectory, packageVersion } = await import('../node/package.js');
  const { chooseBuild, hardwareThreads } = await import('../node/wasm-threads.js');
  const { device, reason } = await autoChoice();
  const webgpu = await examineAdapter();
  const cpu = openCpu();
  const backend = cpu.description;
  cpu.dispose();
  return {
    ptdpc: packageVersion(),
    node: process.version,
    platform: `${process.platform} ${arch()}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    threads: hardwareThreads(),
    memory: { total: totalmem(), free: freemem() },
    cpu: { backend, simd: simdSupported(), relaxedSimd: relaxedSupported(), ...chooseBuild() },
    webgpu,
    auto: { device, reason },
    cache: defaultCacheDirectory(),
  };
}

/** The adapter, or why there is none. */
async function examineAdapter(): Promise<
  { adapter: AdapterSummary; tuned: string | null } | { adapter: null; reason: string }
> {
  const { describeAdapter } = await import('../kernels/index.js');
  const { installHint } = await import('../node/device.js');
  const { closeGpu, nodeAdapter } = await import('../node/gpu.js');
  const { readTuning } = await import('../node/tuning-file.js');
  try {
    const adapter = await nodeAdapter();
    if (adapter) {
      const summary = describeAdapter(adapter);
      return { adapter: summary, tuned: (await readTuning(summary, say))?.measured ?? null };
    }
    return { adapter: null, reason: `no WebGPU adapter; ${installHint()}` };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { adapter: null, reason: error.message };
  } finally {
    closeGpu();
  }
}

function page({ ptdpc, node, platform, processor, threads, memory, cpu, webgpu, auto, cache }: Report): string[] {
  return [
    `ptdpc     ${ptdpc}, node ${node}, ${platform}`,
    `memory    ${gib(memory.total)}, ${gib(memory.free)} free`,
    `cpu       ${processor}, ${threads} threads; SIMD ${yes(cpu.simd)}, relaxed SIMD ${yes(cpu.relaxedSimd)}`,
    `          ${cpu.backend}`,
    `          compiled kernels: ${cpu.build}; ${cpu.reason}`,
    ...(webgpu.adapter ? adapterLines(webgpu.adapter, webgpu.tuned) : [`webgpu    ${webgpu.reason}`]),
    `auto      ${auto.device}: ${auto.reason}`,
    `cache     ${cache}`,
  ];
}

function adapterLines(adapter: AdapterSummary, tuned: string | null): string[] {
  const { description, software, features, limits } = adapter;
  return [
    `webgpu    ${description}, ${software ? 'software' : 'hardware'}`,
    `          features: ${features.join(', ')}`,
    `          variants: ${tuned ? `tuned ${tuned}` : 'defaults; npx ptdpc autotune measures them'}`,
    ...LIMITS.map((name) => `          ${name}: ${limits[name] ?? 'unknown'}`),
  ];
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
const yes = (value: boolean): string => (value ? 'yes' : 'no');
