/** The variants of attention and its gradients, and the choice between them. */
import type { AttentionGeometry, HeadsView, KernelName, Kernels } from '../contract.js';
import { elementGrid, type Launch, type ShaderFile } from './launch.js';
import { launchers } from './launches.js';

/**
 * `workgroup`: 64 invocations per row and head, any head up to 128 wide; `rows`: one invocation, heads of 64 columns only; `subgroup`:
 * the same, lanes of a subgroup of at least 8 sharing what they load.
 */
export const attentionVariants = ['workgroup', 'rows', 'subgroup'] as const;

/** Name of a variant of attention. */
export type AttentionVariantName = (typeof attentionVariants)[number];

export type AttentionKernel = Extract<KernelName, 'attention' | 'attentionGradQuery' | 'attentionGradKeyValue'>;

/** The kernels that have these variants. */
export const attentionKernels: readonly AttentionKernel[] = [
  'attention',
  'attentionGradQuery',
  'attentionGradKeyValue',
];

export function isAttention(kernel: KernelName): kernel is AttentionKernel {
  return kernel in ROW_SHADERS;
}

/** The variant, or if it does not suit the nearest plainer one that does. `subgroupSize` as for `suitsAttention`. */
export function chooseAttention(
  variant: AttentionVariantName,
  args: Kernels[AttentionKernel],
  subgroupSize: number,
): AttentionVariantName {
  const plainer = attentionVariants.slice(0, attentionVariants.indexOf(variant) + 1);
  return plainer.findLast((name) => suitsAttention(name, args, subgroupSize)) ?? 'workgroup';
}

/** Whether a variant supports these sizes. `subgroupSize` is the adapter's smallest, 0 without subgroups. */
export function suitsAttention(
  variant: AttentionVariantName,
  args: Kernels[AttentionKernel],
  subgroupSize: number,
): boolean {
  if (variant === 'workgroup') return true;
  return hasRowsOf64(args) && (variant === 'rows' || subgroupSize >= 8);
}

/** Launches a variant that suits the arguments. */
export function launchAttention<K extends AttentionKernel>(
  variant: AttentionVariantName,
  kernel: K,
  args: Kernels[K],
): Launch {
  const launch = (launchers[kernel] as (args: Kernels[K]) => Launch)(args);
  if (variant === 'workgroup') return launch;
  const rows = kernel === 'attentionGradKeyValue' ? args.keys : args.queries;
  return { ...launch, files: ROW_SHADERS[kernel][variant], workgroups: elementGrid(rows * args.heads) };
}

/** Variants with an invocation for each row and head, by the files that make them. */
const ROW_SHADERS: Readonly<Record<AttentionKernel, Readonly<Record<'rows' | 'subgroup', readonly ShaderFile[]>>>> = {
  attention: { rows: ['elements', 'attention_rows'], subgroup: bySubgroup('subgroup_visible', 'attention_subgroup') },
  attentionGradQuery: {
    rows: ['elements', 'attention_grad_query_rows'],
    subgroup: bySubgroup('subgroup_visible', 'attention_grad_query_subgroup'),
  },
  attentionGradKeyValue: {
    rows: ['elements', 'attention_grad_key_value_rows'],
    subgroup: bySubgroup('attention_grad_key_value_subgroup'),
  },
};

function bySubgroup(...files: ShaderFile[]): ShaderFile[] {
  return ['enable_subgroups', 'subgroup_rows', 'elements', ...files];
}

/** Heads of 64 columns, and rows that begin at a multiple of 4 elements. */
function hasRowsOf64(args: Kernels[AttentionKernel]): boolean {
  const { headWidth }: AttentionGeometry = args;
  const views = Object.values(args).filter(isHeadsView);
  return headWidth === 64 && views.every(({ stride, offset }) => stride % 4 === 0 && offset % 4 === 0);
}

function isHeadsView(value: unknown): value is HeadsView {
  return typeof value === 'object' && value !== null && 'stride' in value;
}
