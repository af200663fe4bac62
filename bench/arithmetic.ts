/** Counts the arithmetic of what runs on a backend. */
import { type Backend, kernelCost } from '../src/kernels/index.js';

/** From now on, everything that runs on `backend` is added up. */
export function countArithmetic(backend: Backend): { flops: number } {
  const count = { flops: 0 };
  const run = backend.run.bind(backend);
  backend.run = (kernel, args) => {
    count.flops += kernelCost(kernel, args).flops;
    run(kernel, args);
  };
  return count;
}
