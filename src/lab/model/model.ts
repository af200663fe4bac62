/**
 * A performance model of a kernel on a GPU: some of its workgroups are executed in lockstep, every access to memory is counted as the GPU would count
 * it, and each resource's share of the time follows from its rate. The slowest bounds the kernel.
 *
 * What it leaves out makes a kernel slower, never faster: latency that too few invocations hide, barriers, the issue of address arithmetic, accesses
 * that miss the multiprocessor's own cache a second time. So its time is a lower bound, up to what a compiler merges or moves out of loops.
 */
import { InputError } from '../../errors.js';
import {
  type AnyArgs,
  caseOf,
  type Kernel,
  kernelCost,
  openCase,
  type Sizes,
  type Variant,
} from '../../kernels/index.js';
import { unmetNeed } from '../../kernels/needs.js';
import { launchOf } from '../../kernels/webgpu/launch.js';
import { LockstepDevice, type Prepared } from './device.js';
import { type Gpu, peakOf } from './gpus.js';
import { Traffic } from './traffic.js';

/** Resources, any of which may be the one that a kernel waits for. */
export const RESOURCES = [
  'arithmetic',
  'special functions',
  'workgroup memory',
  'loads and stores',
  'shared cache',
  'device memory',
] as const;
export type Resource = (typeof RESOURCES)[number];

/** A statement's access to memory, of one workgroup. */
export interface ModelledAccess {
  /** As it stands in the text. */
  readonly text: string;
  readonly memory: 'buffer' | 'workgroup memory';
  readonly store: boolean;
  /** Bytes of each invocation. */
  readonly bytes: number;
  /** Accesses of subgroups. */
  readonly requests: number;
  /** Sectors that a request touches; of a buffer only. */
  readonly sectors: number;
  /** Share of the bytes in these sectors that the subgroup asked for; of a buffer only. */
  readonly used: number;
  /** Cycles of a request, as a multiple of what it would take without conflicts: on average, and of the worst. */
  readonly conflict: number;
  readonly worst: number;
  /** Cycles of all requests. */
  readonly cycles: number;
}

export interface Occupancy {
  /** Workgroups that a multiprocessor holds at once. */
  readonly workgroups: number;
  readonly invocations: number;
  /** Of the most that it can hold. */
  readonly share: number;
  /** What there is not enough of for more. */
  readonly limit: 'invocations' | 'workgroups' | 'workgroup memory' | 'registers' | 'the grid';
  /** Registers of an invocation: an estimate from the variables that live at once. */
  readonly registers: number;
}

/** A variant of a kernel on a GPU. */
export interface Model {
  readonly kernel: string;
  readonly variant: string;
  readonly shape: string;
  readonly gpu: Gpu;
  readonly workgroups: number;
  /** Invocations of a workgroup. */
  readonly invocations: number;
  readonly workgroupBytes: number;
  readonly flops: number;
  readonly bytes: number;
  /** Instructions of a workgroup's subgroups, and its barriers. */
  readonly counts: {
    readonly arithmetic: number;
    readonly special: number;
    readonly integer: number;
    readonly exchange: number;
    readonly barriers: number;
  };
  readonly accesses: readonly ModelledAccess[];
  readonly occupancy: Occupancy;
  /** Seconds that each resource is busy. */
  readonly seconds: Readonly<Record<Resource, number>>;
  readonly bound: Resource;
  /** The least time, in seconds: that of the bound. */
  readonly least: number;
  /** FLOP/s in that time, as a share of the GPU's peak; of kernels without products, the same of its bandwidth. */
  readonly share: number;
}

/** Workgroups that are executed: the first, the last and one between may differ. */
const SAMPLES = 3;

/** Registers that a compiler needs beside a text's own variables: addresses, sizes. */
const SPARE_REGISTERS = 10;

/**
 * The model of a variant on a case of these sizes. Throws InputError if the variant does not take them, if a workgroup has more memory than WebGPU
 * gives it on this GPU, or for WGSL that the model does not read.
 */
export function modelKernel(kernel: Kernel, variant: Variant, sizes: Sizes, gpu: Gpu): Model {
  const test = caseOf(kernel, sizes);
  const device = new LockstepDevice(gpu.subgroup);
  using open = openCase(device, test);
  const args = open.args as AnyArgs;
  const unmet = unmetNeed(variant, args, gpu.subgroup);
  if (unmet !== undefined) throw new InputError(`${variant.name}: it needs ${unmet}`);
  const launch = launchOf(kernel, variant, args);
  const prepared = device.prepare(launch);
  if (prepared.workgroupBytes > gpu.workgroupLimit)
    throw new InputError(
      `${variant.name}: ${prepared.workgroupBytes} bytes of workgroup memory; ${gpu.title} gives ${gpu.workgroupLimit}`,
    );
  const [width, height] = launch.workgroups;
  const workgroups = width * height;
  const traffic = watched(prepared, gpu);
  const samples = Math.min(SAMPLES, workgroups);
  for (let sample = 0; sample < samples; sample++) {
    const number = Math.floor(((sample + 0.5) * workgroups) / samples);
    prepared.run(number % width, Math.floor(number / width));
    traffic.nextWorkgroup();
  }
  const { flops, bytes } = kernelCost(kernel, args);
  const counts = mapped(prepared.machine.counts, (count) => count / samples);
  const accesses = accessesOf(traffic, gpu, samples);
  const occupancy = occupancyOf(prepared, workgroups, gpu);
  const refill = (traffic.distinctSectors / samples) * gpu.sector;
  const cycles = cyclesOf(counts, accesses, refill, gpu);
  // The multiprocessor with the most workgroups is the last to end.
  const rounds = Math.ceil(workgroups / gpu.multiprocessors);
  const seconds: Record<Resource, number> = {
    ...mapped(cycles, (one) => (one * rounds) / (gpu.clock * 1e9)),
    'device memory': bytes / (gpu.bandwidth * 1e9),
  };
  const bound = RESOURCES.reduce((most, one) => (seconds[one] > seconds[most] ? one : most));
  const least = seconds[bound];
  return {
    ...{ kernel: kernel.name, variant: variant.name, shape: test.name.slice(kernel.name.length + 1), gpu, workgroups },
    ...{ invocations: prepared.invocations, workgroupBytes: prepared.workgroupBytes, flops, bytes, counts, accesses },
    ...{ occupancy, seconds, bound, least },
    share: flops > 0 ? flops / least / peakOf(gpu) : bytes / least / (gpu.bandwidth * 1e9),
  };
}

function watched({ machine }: Prepared, gpu: Gpu): Traffic {
  const traffic = new Traffic({
    ...{ subgroup: gpu.subgroup, banks: gpu.banks },
    ...{ sector: gpu.sector / 4, line: gpu.line / 4, loads: gpu.loads / 4 },
  });
  machine.onAccess = (site, offsets, words) => traffic.add(site, offsets, words, machine.active);
  return traffic;
}

function accessesOf(traffic: Traffic, gpu: Gpu, samples: number): ModelledAccess[] {
  return [...traffic.sites.values()].map(
    ({ site, words, requests, sectors, askedWords, cycles, leastCycles, worst }) => ({
      text: site.text,
      memory: site.space === 'storage' ? 'buffer' : 'workgroup memory',
      store: site.write,
      bytes: 4 * words,
      requests: requests / samples,
      sectors: sectors / requests,
      used: sectors === 0 ? 1 : (4 * askedWords) / (sectors * gpu.sector),
      conflict: cycles / leastCycles,
      worst,
      cycles: cycles / samples,
    }),
  );
}

/** Cycles of a multiprocessor for one workgroup. */
function cyclesOf(
  counts: Model['counts'],
  accesses: readonly ModelledAccess[],
  refill: number,
  gpu: Gpu,
): Record<Exclude<Resource, 'device memory'>, number> {
  const inMemory = (memory: ModelledAccess['memory']) =>
    accesses.reduce((sum, access) => sum + (access.memory === memory ? access.cycles : 0), 0);
  const shared = inMemory('workgroup memory');
  const buffers = inMemory('buffer');
  // Where one unit serves both, both wait for their sum; the larger part has the name.
  const sum = shared + buffers;
  return {
    arithmetic: (counts.arithmetic * gpu.subgroup) / gpu.arithmetic,
    'special functions': (counts.special * gpu.subgroup) / gpu.special,
    'workgroup memory': gpu.onePath && shared > buffers ? sum : shared,
    'loads and stores': gpu.onePath && shared <= buffers ? sum : buffers,
    'shared cache': refill / gpu.refill,
  };
}

function occupancyOf({ invocations, words, workgroupBytes }: Prepared, grid: number, gpu: Gpu): Occupancy {
  const rounded = Math.ceil(invocations / gpu.subgroup) * gpu.subgroup;
  // In eights, as registers are given out.
  const wanted = 8 * Math.ceil((words + SPARE_REGISTERS) / 8);
  const registers = Math.min(wanted, gpu.registerLimit);
  const limits: readonly (readonly [Occupancy['limit'], number])[] = [
    ['invocations', gpu.invocations / rounded],
    ['workgroups', gpu.workgroups],
    ['workgroup memory', workgroupBytes === 0 ? Number.POSITIVE_INFINITY : gpu.workgroupMemory / workgroupBytes],
    ['registers', gpu.registers / (rounded * registers)],
    ['the grid', Math.ceil(grid / gpu.multiprocessors)],
  ];
  const [limit, most] = limits.reduce((least, one) => (Math.floor(one[1]) < Math.floor(least[1]) ? one : least));
  const workgroups = Math.max(1, Math.floor(most));
  return {
    workgroups,
    invocations: workgroups * rounded,
    share: (workgroups * rounded) / gpu.invocations,
    limit,
    registers,
  };
}

function mapped<K extends string>(
  values: Readonly<Record<K, number>>,
  of: (value: number) => number,
): Record<K, number> {
  return Object.fromEntries(Object.entries<number>(values).map(([name, value]) => [name, of(value)])) as Record<
    K,
    number
  >;
}
