/**
 * A performance model of a kernel on a GPU: some of its workgroups are executed in lockstep, every access to memory is counted as the GPU would count
 * it, and each resource's share of the time follows from its rate. The slowest bounds the kernel.
 *
 * What it leaves out makes a kernel slower, never faster: latency that too few invocations hide, barriers, the issue of address arithmetic, accesses
 * that miss the multiprocessor's own cache a second time. So its time is a lower bound, up to what a compiler merges or moves out of loops.
 */
import { InputError } from '../../errors.js';
import { type AnyArgs, caseOf, type Kernel, kernelCost, type Sizes, type Variant } from '../../kernels/index.js';
import { type AdapterFacts, unmetNeed } from '../../kernels/needs.js';
import { type Launch, launchOf } from '../../kernels/webgpu/launch.js';
import { LockstepDevice, type Prepared } from '../lockstep/device.js';
import { type Gpu, peakOf } from './gpus.js';
import { type MemoryShape, Traffic } from './traffic.js';

/** Resources, any of which may be the one that a kernel waits for. */
export const RESOURCES = [
  'arithmetic',
  'special functions',
  'workgroup memory',
  'loads and stores',
  'shared cache',
  'device memory',
] as const;
/** One of them. */
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
  /** Cycles of all requests, and of these what conflicts cost. */
  readonly cycles: number;
  readonly conflictCycles: number;
}

/** How much of a multiprocessor's room for invocations is taken. */
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
  /** Workgroups of the call. */
  readonly grid: number;
  /** Invocations of a workgroup. */
  readonly invocations: number;
  readonly workgroupBytes: number;
  readonly flops: number;
  /** The same, or for kernels without products the arithmetic that they execute, an instruction of a lane being two. */
  readonly operations: number;
  /** Of all operands, each once. */
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
  /** Cycles of a multiprocessor for one workgroup. */
  readonly cycles: Readonly<Record<Exclude<Resource, 'device memory'>, number>>;
  /** Bytes that a workgroup brings from the shared cache: each sector once. */
  readonly refill: number;
  /** Seconds that each resource is busy. */
  readonly seconds: Readonly<Record<Resource, number>>;
  readonly bound: Resource;
  /** The least time, in seconds: that of the bound. */
  readonly least: number;
  /** FLOP/s in that time, as a share of the GPU's peak; of kernels without products, the same of its bandwidth. */
  readonly share: number;
}

/** What is modelled: a shipped variant, or a file of the user's. */
export interface Modelled {
  readonly name: string;
  /** The launch for these arguments, or why it does not take them. */
  launch(args: AnyArgs, adapter: AdapterFacts): Launch | string;
}

/** A variant of a kernel. */
export function modelledVariant(kernel: Kernel, variant: Variant): Modelled {
  return {
    name: variant.name,
    launch(args, adapter) {
      const unmet = unmetNeed(variant, args, adapter);
      return unmet === undefined ? launchOf(kernel, variant, args) : `it needs ${unmet}`;
    },
  };
}

/** What the GPUs offer: all that the model can execute. */
const FEATURES = ['subgroups', 'shader-f16'];

/** Where in the grid workgroups are executed, away from its edges. The one in the middle is always; the others while that is no great work. */
const SAMPLES = [0.5, 0.25, 0.75];
const MANY_REQUESTS = 2000;

/** Registers that a compiler needs beside a text's own variables: addresses, sizes. */
const SPARE_REGISTERS = 10;

/**
 * The models of a variant on a case of these sizes, one for each GPU; they must have subgroups of one size, since the kernel is executed once. Throws
 * InputError if the variant does not take the sizes, if a workgroup has more memory than WebGPU gives it on a GPU, if it reads or writes beyond a
 * buffer's end, or for WGSL that the model does not read.
 */
export function modelKernel(kernel: Kernel, of: Modelled, sizes: Sizes, gpus: readonly Gpu[]): Model[] {
  const fail = (what: string): never => {
    throw new InputError(`${of.name}: ${what}`);
  };
  const test = caseOf(kernel, sizes);
  const device = new LockstepDevice(gpus[0]!.subgroup);
  if (gpus.some(({ subgroup }) => subgroup !== device.subgroupSize)) fail('expected GPUs with subgroups of one size');
  const args = test.args(device.caseData()) as AnyArgs;
  const launch = of.launch(args, { subgroupSize: device.subgroupSize, features: FEATURES });
  if (typeof launch === 'string') return fail(launch);
  const [width, height] = launch.workgroups;
  const grid = width * height;
  // GPUs whose memory is made alike share what is counted.
  const byShape = new Map(gpus.map((gpu) => [JSON.stringify(memoryOf(gpu)), new Traffic(memoryOf(gpu))]));
  const watched = [...byShape.values()];
  let samples = 0;
  let prepared: Prepared;
  try {
    prepared = device.prepare(launch);
    const { machine, workgroupBytes } = prepared;
    for (const { title, workgroupLimit } of gpus)
      if (workgroupBytes > workgroupLimit)
        fail(`it has ${workgroupBytes} bytes of workgroup memory; ${title} gives ${workgroupLimit}`);
    machine.onAccess = (site, offsets, words) => {
      for (const one of watched) one.add(site, offsets, words, machine.active);
    };
    for (const share of SAMPLES.slice(0, grid)) {
      const number = Math.floor(share * grid);
      prepared.run(number % width, Math.floor(number / width));
      samples++;
      for (const one of watched) one.nextWorkgroup();
      if (watched[0]!.requests > MANY_REQUESTS) break;
    }
    if (machine.outside > 0) fail('it reads or writes beyond the end of a buffer or an array');
  } catch (error) {
    if (!(error instanceof InputError) || error.message.startsWith(`${of.name}: `)) throw error;
    return fail(error.message);
  }
  const { flops, bytes } = kernelCost(kernel, args);
  const call = {
    ...{ kernel: kernel.name, variant: of.name, shape: test.name.slice(kernel.name.length + 1), grid },
    ...{ flops, bytes },
    counts: mapped(prepared.machine.counts, (count) => count / samples),
  };
  return gpus.map((gpu) => modelOn(gpu, prepared, byShape.get(JSON.stringify(memoryOf(gpu)))!, samples, call));
}

/** A call and what it executes, which is the same on every GPU. */
type Call = Pick<Model, 'kernel' | 'variant' | 'shape' | 'grid' | 'flops' | 'bytes' | 'counts'>;

function modelOn(gpu: Gpu, prepared: Prepared, traffic: Traffic, samples: number, call: Call): Model {
  const { kernel, variant, shape, grid, flops, bytes, counts } = call;
  const { invocations, workgroupBytes } = prepared;
  const accesses = accessesOf(traffic, gpu, samples);
  const refill = (traffic.distinctSectors / samples) * gpu.sector;
  const cycles = cyclesOf(counts, accesses, refill, gpu);
  // The multiprocessor with the most workgroups is the last to end.
  const rounds = Math.ceil(grid / gpu.multiprocessors);
  const seconds: Record<Resource, number> = {
    ...mapped(cycles, (one) => (one * rounds) / (gpu.clock * 1e9)),
    'device memory': bytes / (gpu.bandwidth * 1e9),
  };
  const bound = RESOURCES.reduce((most, one) => (seconds[one] > seconds[most] ? one : most));
  const least = seconds[bound];
  const operations = flops > 0 ? flops : 2 * counts.arithmetic * gpu.subgroup * grid;
  return {
    ...{ kernel, variant, shape, gpu, grid, invocations, workgroupBytes, flops, operations, bytes, counts, accesses },
    ...{ occupancy: occupancyOf(prepared, grid, gpu), cycles, refill, seconds, bound, least },
    share: flops > 0 ? flops / least / peakOf(gpu) : bytes / least / (gpu.bandwidth * 1e9),
  };
}

function memoryOf(gpu: Gpu): MemoryShape {
  const { subgroup, banks, sector, line, loads } = gpu;
  return { subgroup, banks, sector: sector / 4, line: line / 4, loads: loads / 4 };
}

function accessesOf(traffic: Traffic, gpu: Gpu, samples: number): ModelledAccess[] {
  return [...traffic.sites.values()].map(({ site, requests, sectors, askedWords, cycles, leastCycles, worst }) => ({
    text: site.text,
    memory: site.space === 'storage' ? 'buffer' : 'workgroup memory',
    store: site.write,
    bytes: site.bytes,
    requests: requests / samples,
    sectors: sectors / requests,
    used: sectors === 0 ? 1 : (4 * askedWords) / (sectors * gpu.sector),
    conflict: cycles / leastCycles,
    worst,
    cycles: cycles / samples,
    conflictCycles: (cycles - leastCycles) / samples,
  }));
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
