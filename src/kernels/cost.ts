/** The least cost of a kernel call, computed from its arguments: profiles and benchmarks compare its time with this. */
import type { AttentionGeometry, DeviceBuffer, KernelName, Kernels, MatmulArgs } from './contract.js';

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
export function kernelCost<K extends KernelName>(kernel: K, args: Kernels[K]): KernelCost {
  const flops = FLOPS[kernel] as ((args: Kernels[K]) => number) | undefined;
  const shape = kernel === 'matmul' ? productShape(args as MatmulArgs) : undefined;
  return { flops: flops?.(args) ?? 0, bytes: bytesOf(args), shape };
}

function productShape({ m, n, k, transposeA, transposeB }: MatmulArgs): string {
  return `${transposeA ? 't' : 'n'}${transposeB ? 't' : 'n'} ${m}x${n}x${k}`;
}

/** A multiplication and an addition for each term of each element. */
export function matmulFlops({ m, n, k }: Pick<MatmulArgs, 'm' | 'n' | 'k'>): number {
  return 2 * m * n * k;
}

const FLOPS: { readonly [K in KernelName]?: (args: Kernels[K]) => number } = {
  matmul: matmulFlops,
  // Products with a row of the head's width, for each pair: two forward; three and four (of which two repeat) backward.
  attention: (args) => 2 * pairProducts(args),
  attentionGradQuery: (args) => 3 * pairProducts(args),
  attentionGradKeyValue: (args) => 4 * pairProducts(args),
};

/** Arithmetic of one product with a head's row for every pair of query and key that see each other, in every head. */
function pairProducts({ pairs, queries, keys, heads, headWidth }: AttentionGeometry): number {
  return 2 * (pairs ?? queries * keys) * heads * headWidth;
}

/** Bytes of the buffers that a record holds, also one level down, each buffer once. */
function bytesOf(args: object): number {
  const buffers = new Set<DeviceBuffer>();
  for (const value of Object.values(args)) {
    if (isBuffer(value)) buffers.add(value);
    else if (typeof value === 'object' && value !== null) {
      for (const inner of Object.values(value)) if (isBuffer(inner)) buffers.add(inner);
    }
  }
  let bytes = 0;
  for (const { dtype, length } of buffers) bytes += (dtype === 'f16' ? 2 : 4) * length;
  return bytes;
}

function isBuffer(value: unknown): value is DeviceBuffer {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'length' in value;
}
