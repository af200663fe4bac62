/** The variants of each kernel that the library ships, as the laboratory launches them. */
import type { AnyArgs, Kernel } from '../kernels/index.js';
import { type AdapterFacts, unmetNeed } from '../kernels/needs.js';
import { type Launch, launchOf } from '../kernels/webgpu/launch.js';
import { variantNamed } from '../kernels/webgpu/tuning.js';

/** Names of a kernel's variants, from the plainest to the most elaborate. */
export function variantNames({ variants }: Kernel): readonly string[] {
  return variants.map(({ name }) => name);
}

/** The launch of a shipped variant; undefined if it does not take these arguments on this adapter. */
export function launchShipped(kernel: Kernel, name: string, args: AnyArgs, adapter: AdapterFacts): Launch | undefined {
  const variant = variantNamed(kernel, name);
  if (!variant || unmetNeed(variant, args, adapter) !== undefined) return undefined;
  return launchOf(kernel, variant, args);
}
