/** What the laboratory knows of a kernel beside its contract. */
import type { KernelName, Kernels } from '../../kernels/index.js';
import { type CaseData, type KernelCase, kernelCase } from '../kernel-case.js';

/** Numbers by name: the extents of a case, and its options (0 or 1, as a rule). */
export type Sizes = Readonly<Record<string, number>>;

/**
 * The share of the work that one workgroup does, by which the grid is worked out: so many units, counted on in a grid no
 * wider than 65,535 (see shaders/elements.wgsl); or a rectangle of rows and columns of the result.
 */
export type Covers = number | readonly [rows: number, columns: number];

/** A kernel's entry: what it means, its sizes, its suite, and how its work is counted. */
export interface LabKernel<K extends KernelName = KernelName> {
  readonly kernel: K;
  /** The definition in one line. */
  readonly equation: string;
  /** Names and usual values, those of tuning ViT-B/32 on eight classes if it runs this kernel. */
  readonly extents: Sizes;
  readonly options: Sizes;
  /** A case of these sizes; those left out are as above. */
  caseOf(sizes: Sizes): KernelCase<K>;
  /** The suite: sizes of 1, primes, and just past a tile; every option. */
  readonly suite: readonly KernelCase<K>[];
  /** What `Covers` counts, e.g. `row`, and how many of them these arguments have: [rows, columns] for a rectangle. */
  readonly unit: string;
  /** How many units a call has. */
  units(args: Kernels[K]): Covers;
}

interface Definition<K extends KernelName, E extends string, O extends string> {
  readonly equation: string;
  readonly extents: Readonly<Record<E, number>>;
  readonly options?: Readonly<Record<O, number>>;
  readonly unit: string;
  readonly units: (args: Kernels[K]) => Covers;
  readonly args: (data: CaseData, sizes: Readonly<Record<NoInfer<E | O>, number>>) => Kernels[K];
  readonly suite: readonly Readonly<Partial<Record<NoInfer<E | O>, number>>>[];
}

/** Makes a kernel's entry from its definition, whose sizes are checked by type. */
export function labKernel<K extends KernelName, E extends string, O extends string = never>(
  kernel: K,
  definition: Definition<K, E, O>,
): LabKernel<K> {
  const { equation, extents, unit, units, args } = definition;
  const options: Sizes = definition.options ?? {};
  const caseOf = (sizes: Sizes): KernelCase<K> => {
    const all = { ...extents, ...options, ...sizes } as Readonly<Record<E | O, number>>;
    return kernelCase(kernel, sizesText(all, options), (data) => args(data, all));
  };
  return {
    kernel,
    equation,
    extents,
    options,
    caseOf,
    suite: definition.suite.map((sizes) => caseOf(sizes as Sizes)),
    unit,
    units,
  };
}

/** `m=7,n=13,k=1,transposeA=1`: as `--shape` takes it; options that are as usual are left out. */
export function sizesText(sizes: Sizes, usual: Sizes = {}): string {
  return Object.entries(sizes)
    .filter(([name, value]) => usual[name] !== value)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}
