/** `--shape m=7,n=13`: sizes and options of a case. */
import { InvalidArgumentError } from 'commander';
import { InputError } from '../../errors.js';
import { parseSizes, type Sizes } from '../../lab/index.js';

/** The numbers by name. Whether the kernel has such names is for `requireSizes` to say. */
export function parseShape(text: string): Sizes {
  try {
    const sizes = parseSizes(text);
    if (Object.keys(sizes).length > 0) return sizes;
  } catch (error) {
    if (error instanceof InputError) throw new InvalidArgumentError(error.message);
    throw error;
  }
  throw new InvalidArgumentError('Expected names and numbers such as m=1728,k=512,n=2048.');
}
