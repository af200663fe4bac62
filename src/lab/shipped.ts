/** The variants of each kernel that the library ships, as the laboratory launches them. */
import type { AnyArgs, Kernel } from '../kernels/index.js';
import { unmetNeed } from '../kernels/needs.js';
import { type Launch, launchOf } from '../kernels/webgpu/launch.js';
import { variantNamed } from '../kernels/webgpu/tuning.js';

/** Names of a kernel's variants, from the plainest to the most elaborate. */
export function variantNames({ variants }: Kernel): readonly string[] {
  return variants.map(({ name }) => name);
}

/**
 * The launch of a shipped variant; undefined if it does not take these arguments on this adapter. `subgroupSize` is
 * the adapter's smallest, 0 without subgroups.
 */
export function launchShipped(kernel: Kernel, name: string, args: AnyArgs, subgroupSize: number): Launch | undefined {
  const variant = variantNamed(kernel, name);
  if (!variant || unmetNeed(variant, args, subgroupSize) !== undefined) return undefined;
  return launchOf(kernel, variant, args);
}
