/** The variants of attention's forward pass, and the choice between them. */
import type { AttentionArgs } from '../contract.js';
import { elementGrid, type Launch } from './launch.js';
import { launchers } from './launches.js';

/** `workgroup`: 64 invocations a row and head, any head up to 128 wide; `rows`: one invocation, heads of 64 columns only. */
export const attentionVariants = ['workgroup', 'rows'] as const;

export type AttentionVariantName = (typeof attentionVariants)[number];

/** Where nothing was measured: barriers are cheap in hardware and dear in software. */
export function defaultAttention(software: boolean): AttentionVariantName {
  return software ? 'rows' : 'workgroup';
}

/** Launches the variant, or `workgroup` where the variant does not take these sizes. */
export function launchAttention(variant: AttentionVariantName, args: AttentionArgs): Launch {
  const launch = launchers.attention(args);
  if (variant === 'workgroup' || !suitsRows(args)) return launch;
  return { ...launch, files: ['elements', 'attention_rows'], workgroups: elementGrid(args.queries * args.heads) };
}

function suitsRows({ headWidth, q, k, v }: AttentionArgs): boolean {
  return headWidth === 64 && [q, k, v].every(({ stride, offset }) => stride % 4 === 0 && offset % 4 === 0);
}
