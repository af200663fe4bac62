/** All kernels: those that the library ships, which are those that this folder declares, and those that users register. */
import { InputError } from '../../errors.js';
import { didYouMean } from '../../suggest.js';
import { anyKernel, type Declaration, type Kernel } from '../definition.js';
import { allGeneralKernels } from './general/index.js';
import { kernels } from './kernels.generated.js';

export { kernels };

const shipped = [...(Object.values<unknown>(kernels) as Kernel[]), ...allGeneralKernels()];
const registered = new Map(shipped.map((one) => [one.name, one]));

/** Every kernel: those that the library ships, then the registered ones. */
export function allKernels(): readonly Kernel[] {
  return [...registered.values()];
}

/** The kernel of this name. Throws InputError, with the name that may have been meant. */
export function kernelNamed(name: string): Kernel {
  const found = registered.get(name);
  if (found) return found;
  throw new InputError(
    `no kernel ${name}${didYouMean(name, registered.keys())}; expected one of ${[...registered.keys()].join(', ')}`,
  );
}

/**
 * Adds kernels to those that the profiler, the tuner, the laboratory and the suites know by name. A kernel runs without it. Disposing of the
 * result removes them. Throws Error if another has its name.
 */
export function registerKernels<D extends readonly Declaration[]>(
  ...added: { [I in keyof D]: Kernel<D[I]> }
): Disposable {
  const fresh: string[] = [];
  for (const one of added.map(anyKernel)) {
    const known = registered.get(one.name);
    if (known === one) continue;
    if (known) throw new Error(`registerKernels: there is a kernel ${one.name} already`);
    registered.set(one.name, one);
    fresh.push(one.name);
  }
  return {
    [Symbol.dispose]() {
      for (const name of fresh) registered.delete(name);
    },
  };
}
