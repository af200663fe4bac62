/**
 * GPUs as the model knows them: what their makers publish, and where they publish nothing, what others measured, or what is usual. `assumed` names the
 * figures of the second kind, and those that were measured on an earlier generation.
 */

/** Rates are per multiprocessor (NVIDIA), compute unit (AMD) or core (Apple), and per cycle of its clock. */
export interface Gpu {
  /** As `--gpu` takes it. */
  readonly name: string;
  readonly title: string;
  readonly multiprocessors: number;
  /** In GHz, the one at which the peak rate is published. */
  readonly clock: number;
  /** Invocations that are executed together. */
  readonly subgroup: number;
  /** Multiply-adds in single precision. */
  readonly arithmetic: number;
  /** Exponentials, roots, reciprocals. */
  readonly special: number;
  /** GB/s of device memory. */
  readonly bandwidth: number;
  /** Bytes of the cache that all multiprocessors share, where that is known. For readers: the model takes operands to come from device memory. */
  readonly cache?: number;
  /** Bytes that a load brings at least, and bytes of a cache line: one line is looked up in a cycle. */
  readonly sector: number;
  readonly line: number;
  /** Bytes that loads and stores of buffers move. */
  readonly loads: number;
  /** Bytes that come from the shared cache. */
  readonly refill: number;
  /** Banks of workgroup memory, each four bytes wide: one word of each in a cycle. */
  readonly banks: number;
  /** Workgroup memory and loads of buffers are one unit's work, which does one at a time. */
  readonly onePath: boolean;
  /** Bytes of workgroup memory for all resident workgroups, and the most that one may have in WebGPU. */
  readonly workgroupMemory: number;
  readonly workgroupLimit: number;
  /** Registers of 32 bits for all resident invocations, and the most that one may have. */
  readonly registers: number;
  readonly registerLimit: number;
  readonly invocations: number;
  readonly workgroups: number;
  readonly sources: readonly string[];
  /** Fields that the maker does not publish. */
  readonly assumed: readonly (keyof Gpu)[];
}

const KIB = 1024;
const MIB = KIB * KIB;

/** What NVIDIA's GPUs of the generations below have in common. */
const nvidia = {
  subgroup: 32,
  arithmetic: 128,
  special: 16,
  sector: 32,
  line: 128,
  loads: 128,
  refill: 64,
  banks: 32,
  onePath: true,
  // Dawn gives what Vulkan's driver does.
  workgroupLimit: 48 * KIB,
  registers: 65_536,
  registerLimit: 255,
  assumed: ['refill'],
} as const;

const CUDA =
  'CUDA C++ Programming Guide: tables of arithmetic throughput and of limits by compute capability; shared memory';
const CACHES =
  'NVIDIA Ampere GA102 GPU Architecture, 2021: 128 bytes a cycle; Jia and others 2018, Dissecting the NVIDIA Volta GPU Architecture via Microbenchmarking: sectors, and 64 bytes a cycle from the second level';
const APPLE = 'P. Turner, metal-benchmarks: the cores of Apple 7 and 8, measured';

const h100: Gpu = {
  ...nvidia,
  name: 'h100',
  title: 'NVIDIA H100 SXM',
  multiprocessors: 132,
  clock: 1.98,
  bandwidth: 3352,
  cache: 50 * MIB,
  workgroupMemory: 228 * KIB,
  invocations: 2048,
  workgroups: 32,
  sources: ['NVIDIA H100 Tensor Core GPU Architecture, 2022: 66.9 TFLOP/s', CUDA, CACHES],
};

/** All of them. */
export const GPUS: readonly Gpu[] = [
  h100,
  {
    ...h100,
    name: 'h200',
    title: 'NVIDIA H200',
    bandwidth: 4800,
    sources: ['NVIDIA H200 Tensor Core GPU, data sheet: 67 TFLOP/s, 4.8 TB/s', ...h100.sources.slice(1)],
  },
  {
    ...nvidia,
    name: 'rtx-4090',
    title: 'NVIDIA GeForce RTX 4090',
    multiprocessors: 128,
    clock: 2.52,
    bandwidth: 1008,
    cache: 72 * MIB,
    workgroupMemory: 100 * KIB,
    invocations: 1536,
    workgroups: 24,
    sources: ['NVIDIA Ada GPU Architecture, 2022: 82.6 TFLOP/s', CUDA, CACHES],
  },
  {
    name: 'm4-max',
    title: 'Apple M4 Max, 40 cores',
    multiprocessors: 40,
    clock: 1.578,
    subgroup: 32,
    arithmetic: 128,
    special: 32,
    bandwidth: 546,
    sector: 64,
    line: 128,
    loads: 64,
    refill: 32,
    banks: 32,
    onePath: false,
    workgroupMemory: 60 * KIB,
    workgroupLimit: 32 * KIB,
    registers: 53_248,
    registerLimit: 256,
    invocations: 3072,
    workgroups: Number.POSITIVE_INFINITY,
    sources: [
      'Apple, 30 October 2024: 40 cores, 546 GB/s',
      "Apple, Metal Feature Set Tables: 32 KiB of a threadgroup's memory",
      `${APPLE}; the clock is the M4's, by hmc-tech.com; from the M3 on registers and caches share their memory`,
    ],
    assumed: [
      'clock',
      'arithmetic',
      'special',
      'sector',
      'line',
      'loads',
      'refill',
      'banks',
      'onePath',
      'workgroupMemory',
      'registers',
      'registerLimit',
      'invocations',
      'workgroups',
    ],
  },
  {
    name: 'rx-7900-xtx',
    title: 'AMD Radeon RX 7900 XTX',
    multiprocessors: 96,
    clock: 2.5,
    subgroup: 32,
    // Twice the lanes of a compute unit: where two instructions can be issued together.
    arithmetic: 128,
    special: 32,
    bandwidth: 960,
    cache: 6 * MIB,
    sector: 64,
    line: 128,
    loads: 64,
    refill: 64,
    banks: 32,
    onePath: false,
    workgroupMemory: 64 * KIB,
    workgroupLimit: 32 * KIB,
    registers: 98_304,
    registerLimit: 256,
    invocations: 1024,
    workgroups: 32,
    sources: [
      'AMD Radeon RX 7900 XTX, specifications: 96 compute units, 61.4 TFLOP/s, 960 GB/s',
      'AMD, RDNA 3 Instruction Set Architecture, and P. Turner, metal-benchmarks, where it compares',
    ],
    assumed: ['special', 'sector', 'loads', 'refill', 'banks', 'workgroupLimit', 'workgroups'],
  },
];

/** FLOP/s in single precision at best, a multiply-add being two. */
export function peakOf({ multiprocessors, arithmetic, clock }: Gpu): number {
  return 2e9 * multiprocessors * arithmetic * clock;
}
