/**
 * How a kernel is declared, once and for all: its operands with their shapes, its formula, its definition in plain TypeScript (the twin), its
 * variants in WGSL, its cost, and the cases that it is tested on. Both backends, the profiler, the tuner, the laboratory, the kernel pages and
 * the parity suites work from such declarations; `families/` holds those that the library ships.
 *
 * Conventions that hold for every kernel:
 * - matrices are dense and row-major; sizes are counted in elements, never in bytes;
 * - outputs are overwritten entirely; no kernel reads what an output buffer held before (except operands that it updates);
 * - an output buffer is never also an input of the same call (WebGPU forbids the aliasing);
 * - `i32` buffers hold row numbers; `-1` means "no row";
 * - a row of a result is computed in the same way at any position: its bits do not depend on the number of rows computed with it,
 *   nor on their contents, unless they are operands of its formula.
 */
import type { CaseData } from './cases.js';

/** 'f16': half precision, which only operands declared by `readsWeights` may have. A write rounds to it. */
export type DType = 'f32' | 'f16' | 'i32';

/** Memory on a device. Only its backend can look inside. */
export interface DeviceBuffer {
  readonly dtype: DType;
  /** Number of elements. */
  readonly length: number;
}

/** float32 in normal use, float64 when the backend serves as the oracle of a test. */
export type RealArray = Float32Array | Float64Array;

/** `part`: the kernel writes some of its columns and leaves the others. */
export type Access = 'read' | 'write' | 'update' | 'part';

/** One buffer that a kernel reads or writes. */
export interface Operand<Shape extends string = string> {
  /**
   * Axes by name, with blanks between them: `rows columns`. A number stands for itself, `a*b` for a product; of a first axis `...rows`, the
   * tensor may have several, and an output has the same.
   */
  readonly shape: Shape;
  readonly access: Access;
  /** 'weights': f32 or f16. */
  readonly type: 'f32' | 'i32' | 'weights';
  /** May be left out. */
  readonly optional?: true;
  /** In test cases, an optional operand is given if this option is not 0; by default, the one of its own name. */
  readonly when?: string;
  /** If this option is on, the two axes are stored in the other order. */
  readonly swappedBy?: string;
}

/** Operands by name. */
export type Operands = Readonly<Record<string, Operand>>;

/** Numbers by name. */
export type Sizes = Readonly<Record<string, number>>;

/** What a kernel's name, its operands and numbers are: all that its type depends on. */
export interface Declaration {
  readonly operands: Operands;
  /** Numbers of a call, with usual values. */
  readonly scalars: Sizes;
  /** Numbers that are fixed when a pipeline is made, 0 if not given; with usual values. */
  readonly options: Sizes;
}

type Typed<Shape extends string, A extends Access, T extends Operand['type']> = Operand<Shape> & {
  readonly access: A;
  readonly type: T;
};

/** An operand that is read. */
export function reads<const S extends string>(shape: S, more: { swappedBy?: string } = {}): Typed<S, 'read', 'f32'> {
  return { shape, access: 'read', type: 'f32', ...more };
}

/** As `reads`, in single or half precision. */
export function readsWeights<const S extends string>(
  shape: S,
  more: { swappedBy?: string } = {},
): Typed<S, 'read', 'weights'> {
  return { shape, access: 'read', type: 'weights', ...more };
}

/** Row numbers, labels and the like. */
export function readsIndices<const S extends string>(shape: S): Typed<S, 'read', 'i32'> {
  return { shape, access: 'read', type: 'i32' };
}

/** An output. */
export function writes<const S extends string>(shape: S): Typed<S, 'write', 'f32'> {
  return { shape, access: 'write', type: 'f32' };
}

/** An output of which some columns are written and the others left. */
export function writesPart<const S extends string>(shape: S): Typed<S, 'part', 'f32'> {
  return { shape, access: 'part', type: 'f32' };
}

/** An operand that is updated in place. */
export function updates<const S extends string>(shape: S): Typed<S, 'update', 'f32'> {
  return { shape, access: 'update', type: 'f32' };
}

/** An operand that may be left out. */
export function optional<T extends Operand>(operand: T, when?: string): T & { readonly optional: true } {
  return { ...operand, optional: true, ...(when !== undefined && { when }) };
}

/** A number, or a flag. */
export type Option = number | boolean;

type Axis<T extends string> = T extends `...${infer R}`
  ? Axis<R>
  : T extends `${infer A}*${infer B}`
    ? Axis<A> | Axis<B>
    : T extends `${number}`
      ? never
      : T;
/** The axes that a pattern names. */
export type AxesIn<P extends string> = P extends `${infer A} ${infer B}` ? Axis<A> | AxesIn<B> : Axis<P>;
/** The axes that operands name. */
export type AxesOf<O extends Operands> = { [N in keyof O]: AxesIn<O[N]['shape']> }[keyof O];

type Named<O extends Operands, Condition> = { [N in keyof O]: O[N] extends Condition ? N : never }[keyof O];
type OptionalIn<O extends Operands> = Named<O, { readonly optional: true }>;
type Simplify<T> = { [N in keyof T]: T[N] };
type Numbers<D extends Declaration> = { readonly [A in AxesOf<D['operands']>]: number } & {
  readonly [N in keyof D['scalars']]: number;
} & { readonly [N in keyof D['options']]?: Option | undefined };

/** A call's arguments: buffers, axes, scalars and options by name. */
export type AnyArgs = Readonly<Record<string, DeviceBuffer | Option | undefined>>;

/** Whether a declaration is one kernel's, not any kernel's. */
type Erased<D extends Declaration> = string extends keyof D['operands'] ? true : false;

/** The arguments of a kernel of this declaration. */
export type ArgsOf<D extends Declaration> =
  Erased<D> extends true
    ? AnyArgs
    : Simplify<
        { readonly [N in Exclude<keyof D['operands'], OptionalIn<D['operands']>>]: DeviceBuffer } & {
          readonly [N in OptionalIn<D['operands']>]?: DeviceBuffer | undefined;
        } & Numbers<D>
      >;

type ArrayOf<T> = T extends { readonly type: 'i32' } ? Int32Array : RealArray;

/** What a twin is called with: arrays in place of buffers. */
export type TwinArgs<D extends Declaration> =
  Erased<D> extends true
    ? Readonly<Record<string, RealArray | Int32Array | Option | undefined>>
    : Simplify<
        { readonly [N in Exclude<keyof D['operands'], OptionalIn<D['operands']>>]: ArrayOf<D['operands'][N]> } & {
          readonly [N in OptionalIn<D['operands']>]?: ArrayOf<D['operands'][N]> | undefined;
        } & Numbers<D>
      >;

/**
 * The share of the work that one workgroup does, by which the grid is worked out: so many units, counted on in a grid no
 * wider than 65,535 (see shaders/grid.wgsl); or a rectangle of rows and columns of the result.
 */
export type Covers = number | readonly [rows: number, columns: number];

/**
 * One implementation in WGSL. Parameters, buffers and constants of the text go by the names of the kernel's arguments in snake case:
 * `struct Params` has axes, scalars and derived numbers; a storage binding is an operand; `override HAS_BIAS` tells whether operand `bias` is
 * given, `HALF_B` whether `b` is in half precision, and any other is an option or one of `constants`.
 */
export interface Variant {
  readonly name: string;
  /** The text, or the name of a file in shaders/. Lines `// #include "NAME.wgsl"` add files of shaders/. */
  readonly wgsl: string;
  /** Default `main`. */
  readonly entryPoint?: string;
  readonly covers: Covers;
  readonly constants?: Sizes;
  /** Conditions on arguments and on the adapter: see `unmetNeed`. Default: it takes all. */
  readonly needs?: string;
  /** The variant that runs what this one does not take; by default, the one before it. */
  readonly instead?: string;
  /**
   * How it adds up. Variants that say the same here give the same bits, so that the choice between them may depend on the number of rows
   * (see `rowsClassOf`). By default a variant agrees with no other.
   */
  readonly sums?: string;
  /**
   * What it may be off by, relative to the largest number of an output, where it rounds more than sums in single precision do. Such a variant runs
   * only where it is asked for by name (`alwaysUse`): neither a default nor the tuner chooses it.
   */
  readonly tolerance?: number;
  /** Made for what only a GPU has, such as idle multiprocessors: the tuner does not try it on a software adapter, where compiling it takes seconds. */
  readonly hardware?: true;
}

/** What the tuner measures variants for. */
export interface TuningWork {
  readonly layers: readonly LayerProduct[];
  /** Self-attention within images of this many rows. */
  readonly attention: { readonly rows: number; readonly heads: number; readonly headWidth: number };
}

/** A linear layer's product: [rows, k] times a weight stored [n, k], or [k, n] in the gradient. */
export interface LayerProduct {
  readonly n: number;
  readonly k: number;
  readonly transposeB: boolean;
}

/** The cases of a kernel: sizes by name, and what its operands hold. */
export interface Cases<D extends Declaration> {
  /** Names and usual values, those of tuning ViT-B/32 on eight classes if it runs this kernel. Axes, unless `data` works them out. */
  readonly sizes: Sizes;
  /** Further numbers that change a case, such as `zeros: 0`, and optional operands that are usually given. */
  readonly variations?: Sizes;
  /** Arguments that are not random numbers of their shape, nor sizes. */
  data?(d: CaseData, sizes: Sizes): Partial<ArgsOf<D>>;
  /** Sizes of 1, primes, just past a tile, and real widths; every option. Those left out are as usual. */
  readonly suite: readonly Sizes[];
}

/** What a kernel has beside its declaration. */
interface Body<D extends Declaration> {
  readonly name: string;
  /** The definition in one line, an output at the left. */
  readonly formula: string;
  /** Numbers that the shaders take in place of arguments, computed on the host in float64. */
  derived?(args: ArgsOf<D>): Sizes;
  /** The definition in plain TypeScript: float32 or float64 in, the same out, sums in float64. */
  twin(args: TwinArgs<D>): void;
  /** From the plainest, which takes all arguments, to the most elaborate. */
  readonly variants: readonly Variant[];
  /** What `covers` counts, e.g. `row`, and how many of them a call has: [rows, columns] for a rectangle. */
  readonly unit: string;
  /** How many a call has. */
  units(args: ArgsOf<D>): Covers;
  /** The variant without measurements, on a software adapter or on hardware. By default the plainest. */
  prefer?(args: ArgsOf<D>, software: boolean): string;
  /** Calls of one class share a variant. May not depend on the number of rows. By default all do. */
  classOf?(args: ArgsOf<D>): string;
  /** Within a class, calls of one number of rows, or about that, by name: among variants of the same `sums`, each of these has its own. */
  rowsClassOf?(args: ArgsOf<D>): string;
  /** Cases that variants are measured on, of each class one list, whose times are added. By default the usual case. */
  tuning?(work: TuningWork): readonly (readonly Sizes[])[];
  /** Multiplications and additions of its products; 0 for kernels that mostly move data. */
  flops?(args: ArgsOf<D>): number;
  /** Names a call's sizes where a profile lists them apart. */
  shapeOf?(args: ArgsOf<D>): string;
  /** What lies in an operand beyond its shape, for the kernel's page. */
  readonly notes?: Readonly<Partial<Record<keyof D['operands'], string>>>;
  readonly cases: Cases<D>;
}

/** A kernel: see `kernel`. */
export interface Kernel<D extends Declaration = Declaration> extends Body<D> {
  /** Never there: it tells the compiler what the kernel declares. */
  readonly declares?: D;
  readonly operands: D['operands'];
  readonly scalars: D['scalars'];
  readonly options: D['options'];
}

/** Declares a kernel. Throws Error if it has no variant that takes all arguments, or if a name is taken twice. */
export function kernel<
  const O extends Operands,
  const S extends Sizes = Record<never, never>,
  const P extends Sizes = Record<never, never>,
>(
  given: { readonly operands: O; readonly scalars?: S; readonly options?: P } & Body<{
    operands: NoInfer<O>;
    scalars: NoInfer<S>;
    options: NoInfer<P>;
  }>,
): Kernel<{ operands: O; scalars: S; options: P }> {
  const { name, operands, scalars = {} as S, options = {} as P, variants } = given;
  if (!/^[a-z]\w*$/i.test(name)) throw new Error(`a kernel named "${name}": expected letters and digits`);
  if (variants.length === 0) throw new Error(`${name}: expected at least one variant`);
  if (variants[0]!.needs !== undefined)
    throw new Error(`${name}: its first variant, ${variants[0]!.name}, must take all arguments`);
  for (const { name: variant, instead } of variants) {
    if (instead !== undefined && !variants.some((other) => other.name === instead))
      throw new Error(`${name}: variant ${variant} gives way to ${instead}, which is not among its variants`);
  }
  const taken = new Set([...Object.keys(scalars), ...Object.keys(options)]);
  const twice = Object.keys(operands).find((operand) => taken.has(operand));
  if (twice !== undefined) throw new Error(`${name}: ${twice} is both an operand and a number`);
  return { ...given, scalars, options };
}

/** A kernel as one of any declaration: its arguments are no longer checked by type. */
export function anyKernel<D extends Declaration>(one: Kernel<D>): Kernel {
  return one as unknown as Kernel;
}

/** Kernels whose workgroups take a row each. */
export const perRow = {
  unit: 'row',
  /** The rows of a call. */
  units: ({ rows }: { readonly rows: number }) => rows,
} as const;

/** Invocations per workgroup of all kernels but the matrix products. */
export const LANES = 64;

/** Elements that a workgroup covers in elementwise kernels: `ELEMENTS` of shaders/grid.wgsl for each lane. */
export const ELEMENTWISE = 4 * LANES;

/** The variant of a kernel that has no other. */
export function only(wgsl: string, covers: Covers = LANES, entryPoint = 'main'): readonly [Variant] {
  return [{ name: 'shipped', wgsl, covers, entryPoint }];
}
