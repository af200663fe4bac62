/** Which variant of a kernel to use for what, on one adapter: as measured by tuner.ts and stored as JSON, or else as the kernel prefers. */
import type { AnyArgs, ArgsOf, Declaration, Kernel, Variant } from '../definition.js';
import { allKernels, kernels } from '../families/index.js';
import { type AdapterFacts, unmetNeed } from '../needs.js';

/** The measured variants of a kernel. */
export interface KernelTuning {
  /** For classes that were not measured: the variant that was best for most of the time. */
  readonly fallback: string;
  /** By the class of a call; and, behind a comma, its number of rows, where the kernel has classes of these: `nt f32 512x512, m 8`. */
  readonly byClass: Readonly<Record<string, string>>;
}

/** By kernel; what is not there was not measured. */
export type Tuning = Readonly<Record<string, KernelTuning>>;

/** What decides between variants beside a call's arguments. */
export interface Adapter extends AdapterFacts {
  readonly tuning: Tuning;
  readonly software: boolean;
}

/** One variant for all calls of some kernels. */
export function alwaysUse(variant: string, ...kernels: readonly Kernel[]): Tuning {
  return Object.fromEntries(kernels.map(({ name }) => [name, { fallback: variant, byClass: {} }]));
}

/** The variant of a call: as measured, else as preferred; what does not take these arguments gives way to a plainer one. */
export function chooseVariant<D extends Declaration>(kernel: Kernel<D>, args: ArgsOf<D>, adapter: Adapter): Variant {
  const { variants } = kernel;
  const { tuning, software } = adapter;
  if (variants.length === 1) return variants[0]!;
  const measured = tuning[kernel.name];
  let variant =
    (measured && measuredVariant(kernel, args, measured)) ??
    variantNamed(kernel, kernel.prefer?.(args, software)) ??
    variants[0]!;
  // The first variant takes all arguments.
  while (unmetNeed(variant, args as AnyArgs, adapter) !== undefined) {
    variant = variantNamed(kernel, variant.instead) ?? variants[Math.max(0, variants.indexOf(variant) - 1)]!;
  }
  return variant;
}

/** That of a call's class; that of its number of rows only where both give the same bits. */
function measuredVariant<D extends Declaration>(
  kernel: Kernel<D>,
  args: ArgsOf<D>,
  { byClass, fallback }: KernelTuning,
): Variant | undefined {
  const shape = kernel.classOf?.(args) ?? '';
  const ofClass = variantNamed(kernel, byClass[shape] ?? fallback);
  const ofRows = kernel.rowsClassOf && variantNamed(kernel, byClass[workClass(shape, kernel.rowsClassOf(args))]);
  return ofClass && ofRows && sumsOf(ofRows) === sumsOf(ofClass) ? ofRows : ofClass;
}

/** The name of a class with a number of rows. */
export function workClass(shape: string, rows: string | undefined): string {
  return [shape, rows].filter(Boolean).join(', ');
}

/** Variants of which this is the same give the same bits. */
export function sumsOf({ sums, name }: Variant): string {
  return sums ?? `as ${name}`;
}

/** The variant of a kernel by its name. */
export function variantNamed({ variants }: Pick<Kernel, 'variants'>, name: string | undefined): Variant | undefined {
  return variants.find((variant) => variant.name === name);
}

/** The tuning in a JSON document, or undefined if this version does not understand it. */
export function parseTuning(value: unknown): Tuning | undefined {
  if (!isRecord(value)) return undefined;
  const tuning: Record<string, KernelTuning> = {};
  // Only what is checked: a file may contain anything else.
  for (const kernel of allKernels()) {
    // A user's kernel may not have been there when the file was written.
    const foreign = !Object.hasOwn(kernels, kernel.name) && !Object.hasOwn(value, kernel.name);
    if (kernel.variants.length === 1 || foreign) continue;
    const { fallback, byClass } = isRecord(value[kernel.name]) ? (value[kernel.name] as Record<string, unknown>) : {};
    if (!isRecord(byClass)) return undefined;
    const names = [fallback, ...Object.values(byClass)];
    if (!names.every((name) => typeof name === 'string' && variantNamed(kernel, name))) return undefined;
    tuning[kernel.name] = { fallback: fallback as string, byClass: { ...byClass } as Record<string, string> };
  }
  return tuning;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
