/** Which variant of a kernel to use for what, on one adapter: a default, or measured by tuner.ts and stored as JSON. */
import { type AttentionKernel, type AttentionVariantName, attentionKernels, attentionVariants } from './attention.js';
import { defaultMatmul, type MatmulTuning, matmulVariants } from './matmul.js';

/** Which variant of a kernel is used for which work. */
export interface Tuning {
  readonly matmul: MatmulTuning;
  readonly attention: Readonly<Record<AttentionKernel, AttentionVariantName>>;
}

/**
 * The default without measurements. `software`: see `AdapterSummary`. Attention by subgroups is the fastest on llvmpipe; on an NVIDIA H200
 * `rows` is, in real encoding and training.
 */
export function defaultTuning(software: boolean): Tuning {
  return { matmul: defaultMatmul(software), attention: sameAttention(software ? 'subgroup' : 'rows') };
}

/** One variant for attention and both of its gradients. */
export function sameAttention(variant: AttentionVariantName): Tuning['attention'] {
  return { attention: variant, attentionGradQuery: variant, attentionGradKeyValue: variant };
}

/** The tuning in a JSON document, or undefined if this version does not understand it. */
export function parseTuning(value: unknown): Tuning | undefined {
  if (!isRecord(value) || !isRecord(value.matmul) || !isRecord(value.attention)) return undefined;
  const { fallback, byClass } = value.matmul;
  if (!isRecord(byClass)) return undefined;
  const matmulNames: unknown[] = Object.keys(matmulVariants);
  const fallbacks = [...matmulNames, 'blocks'];
  const attentionNames: readonly unknown[] = attentionVariants;
  const { attention } = value;
  const valid =
    fallbacks.includes(fallback) &&
    Object.values(byClass).every((name) => matmulNames.includes(name)) &&
    attentionKernels.every((kernel) => attentionNames.includes(attention[kernel]));
  if (!valid) return undefined;
  // Only what was checked: a file may contain anything else.
  const kernels = attentionKernels.map((kernel) => [kernel, attention[kernel]]);
  return { matmul: { fallback, byClass }, attention: Object.fromEntries(kernels) } as Tuning;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
