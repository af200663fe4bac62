/** Sizes and options of a case as people write them: `m=7,n=13,transposeA=1`. */
import { InputError } from '../errors.js';
import { sizeNames } from '../kernels/cases.js';
import type { Kernel, Sizes } from '../kernels/index.js';

/** The numbers by name; none in an empty text. Throws InputError. Whether a kernel has such names is for `requireSizes` to say. */
export function parseSizes(text: string): Sizes {
  const sizes: Record<string, number> = {};
  if (text.trim() === '') return sizes;
  for (const part of text.split(',')) {
    const [, name, value] = /^\s*([A-Za-z]\w*)\s*=\s*(-?\d+(?:\.\d+)?(?:e-?\d+)?)\s*$/.exec(part) ?? [];
    if (name === undefined) throw new InputError('Expected names and numbers such as m=1728,k=512,n=2048.');
    sizes[name] = Number(value);
  }
  return sizes;
}

/**
 * Throws InputError if the kernel has no size of a given name, or an extent is no whole number from 1 (0 if that is usual).
 * `where` is put before its message.
 */
export function requireSizes(kernel: Kernel, sizes: Sizes, where = ''): void {
  const { extents, options } = sizeNames(kernel);
  for (const [name, value] of Object.entries(sizes)) {
    if (name in options) continue;
    const usual = extents[name];
    if (usual === undefined) {
      const names = Object.keys(extents).join(', ');
      const more = Object.keys(options).join(', ');
      throw new InputError(
        `${where}${name}=${value}: ${kernel.name} has the sizes ${names}${more && `, and the options ${more}`}`,
      );
    }
    // A tree of rows may lack prefix or suffixes.
    const least = kernel.name.startsWith('attention') && /fix/.test(name) ? 0 : 1;
    if (!Number.isInteger(value) || value < least) {
      throw new InputError(`${where}${name}=${value}: expected a whole number from ${least}`);
    }
  }
}
