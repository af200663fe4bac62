/** The variants of attention and its gradients, and the choice between them. */
import type { AttentionGeometry, HeadsView, KernelName, Kernels } from '../contract.js';
import { elementGrid, type Launch, type ShaderFile } from './launch.js';
import { launchers } from './launches.js';

/** `workgroup`: 64 invocations a row and head, any head up to 128 wide; `rows`: one invocation, heads of 64 columns only. */
export const attentionVariants = ['workgroup', 'rows'] as const;

/** Name of a variant of attention. */
export type AttentionVariantName = (typeof attentionVariants)[number];

export type AttentionKernel = Extract<KernelName, 'attention' | 'attentionGradQuery' | 'attentionGradKeyValue'>;

/** Where nothing was measured: barriers are cheap in hardware and dear in software. */
export function defaultAttention(software: boolean): AttentionVariantName {
  return software ? 'rows' : 'workgroup';
}

/** The kernels that have these variants. */
export const attentionKernels: readonly AttentionKernel[] = [
  'attention',
  'attentionGradQuery',
  'attentionGradKeyValue',
];

export function isAttention(kernel: KernelName): kernel is AttentionKernel {
  return kernel in ROWS_SHADERS;
}

/** Launches the variant, or `workgroup` where the variant does not take these sizes. */
export function launchAttention<K extends AttentionKernel>(
  variant: AttentionVariantName,
  kernel: K,
  args: Kernels[K],
): Launch {
  const launch = (launchers[kernel] as (args: Kernels[K]) => Launch)(args);
  if (variant === 'workgroup' || !suitsRows(args)) return launch;
  const rows = kernel === 'attentionGradKeyValue' ? args.keys : args.queries;
  return { ...launch, files: ['elements', ROWS_SHADERS[kernel]], workgroups: elementGrid(rows * args.heads) };
}

const ROWS_SHADERS: Readonly<Record<AttentionKernel, ShaderFile>> = {
  attention: 'attention_rows',
  attentionGradQuery: 'attention_grad_query_rows',
  attentionGradKeyValue: 'attention_grad_key_value_rows',
};

/** Heads of 64 columns, and rows that begin at a multiple of 4 numbers. */
function suitsRows(args: Kernels[AttentionKernel]): boolean {
  const { headWidth }: AttentionGeometry = args;
  const views = Object.values(args).filter(isHeadsView);
  return headWidth === 64 && views.every(({ stride, offset }) => stride % 4 === 0 && offset % 4 === 0);
}

function isHeadsView(value: unknown): value is HeadsView {
  return typeof value === 'object' && value !== null && 'stride' in value;
}
