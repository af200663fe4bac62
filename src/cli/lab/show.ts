/** `ptdpc lab show`: the WGSL of a shipped variant, as one text. */
import type { Kernel } from '../../kernels/index.js';
import { shippedVariant, variantText } from '../../lab/index.js';
import { printLines } from '../output.js';

/** Prints a variant's file with those that it includes. Throws InputError if there is no such variant. */
export function showVariant(kernel: Kernel, { variant }: { variant?: string }): void {
  printLines(variantText(kernel, shippedVariant(kernel, variant, '--variant')).trimEnd());
}
