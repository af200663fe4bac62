/** The least cost of a kernel call, computed from its arguments: profiles and benchmarks compare its time with this. */
import type { ArgsOf, Declaration, DeviceBuffer, Kernel } from './definition.js';

/** What one call of a kernel costs. */
export interface KernelCost {
  /** Multiplications and additions of its products; 0 for kernels that mostly move data. */
  flops: number;
  /** Bytes of all its operands, each read or written once. */
  bytes: number;
  /** A matrix product's sizes: which operands are transposed, then m x n x k, e.g. `nt 1728x2048x512`. */
  shape?: string | undefined;
}

/** The cost of `kernel` with these arguments. */
export function kernelCost<D extends Declaration>(kernel: Kernel<D>, args: ArgsOf<D>): KernelCost {
  return { flops: kernel.flops?.(args) ?? 0, bytes: bytesOf(args), shape: kernel.shapeOf?.(args) };
}

/** Bytes of the buffers among the arguments, each buffer once. */
function bytesOf(args: object): number {
  const buffers = new Set<DeviceBuffer>(Object.values(args).filter(isBuffer));
  let bytes = 0;
  for (const { dtype, length } of buffers) bytes += (dtype === 'f16' ? 2 : 4) * length;
  return bytes;
}

export function isBuffer(value: unknown): value is DeviceBuffer {
  return typeof value === 'object' && value !== null && 'dtype' in value;
}
