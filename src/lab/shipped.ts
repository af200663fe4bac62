/** The variants of each kernel that the library ships, as the laboratory launches them. */
import type { AttentionVariantName, KernelName, Kernels, MatmulArgs, MatmulVariantName } from '../kernels/index.js';
import {
  type AttentionKernel,
  attentionVariants,
  isAttention,
  launchAttention,
  suitsAttention,
} from '../kernels/webgpu/attention.js';
import type { Launch } from '../kernels/webgpu/launch.js';
import { launchers } from '../kernels/webgpu/launches.js';
import { launchMatmul, matmulVariants, suitsMatmul } from '../kernels/webgpu/matmul.js';

/** The name of the one variant of a kernel that has no others. */
const ONLY = 'shipped';

/** Names of a kernel's variants, from the plainest to the most elaborate. */
export function variantNames(kernel: KernelName): readonly string[] {
  if (kernel === 'matmul') return Object.keys(matmulVariants);
  return isAttention(kernel) ? attentionVariants : [ONLY];
}

/**
 * The launch of a shipped variant; undefined if it does not take these arguments on this adapter. `subgroupSize` is
 * the adapter's smallest, 0 without subgroups.
 */
export function launchShipped<K extends KernelName>(
  kernel: K,
  variant: string,
  args: Kernels[K],
  subgroupSize: number,
): Launch | undefined {
  if (kernel === 'matmul') {
    const name = variant as MatmulVariantName;
    return suitsMatmul(name, args as MatmulArgs, subgroupSize) ? launchMatmul(name, args as MatmulArgs) : undefined;
  }
  if (!isAttention(kernel)) return plainLaunch(kernel, args);
  const name = variant as AttentionVariantName;
  const suits = suitsAttention(name, args as Kernels[AttentionKernel], subgroupSize);
  return suits ? launchAttention(name, kernel as AttentionKernel, args as never) : undefined;
}

/** The plainest variant's launch, which takes all arguments. */
export function plainLaunch<K extends KernelName>(kernel: K, args: Kernels[K]): Launch {
  if (kernel === 'matmul') return launchMatmul('naive', args as MatmulArgs);
  return (launchers[kernel as Exclude<K, 'matmul'>] as (args: Kernels[K]) => Launch)(args);
}
