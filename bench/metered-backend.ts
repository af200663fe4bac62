/** A backend that counts the arithmetic of another one. */
import type { Backend, DeviceBuffer, DType, HostArray, KernelName, Kernels, MatmulArgs } from '../src/kernels/index.js';

export class MeteredBackend implements Backend {
  /** Multiplications and additions of matrix products so far; they are over 95 % of all. */
  flops = 0;

  constructor(protected readonly inner: Backend) {}

  get kind() {
    return this.inner.kind;
  }

  get description() {
    return this.inner.description;
  }

  get memory() {
    return this.inner.memory;
  }

  allocate(dtype: DType, length: number): DeviceBuffer {
    return this.inner.allocate(dtype, length);
  }

  free(buffer: DeviceBuffer): void {
    this.inner.free(buffer);
  }

  write(buffer: DeviceBuffer, data: ArrayLike<number>): void {
    this.inner.write(buffer, data);
  }

  read(buffer: DeviceBuffer): Promise<HostArray> {
    return this.inner.read(buffer);
  }

  run<K extends KernelName>(kernel: K, args: Kernels[K]): void {
    this.inner.run(kernel, args);
    if (kernel === 'matmul') this.flops += matmulFlops(args as MatmulArgs);
  }

  dispose(): void {
    this.inner.dispose();
  }
}

/** A multiplication and an addition for each term of each element. */
export function matmulFlops({ m, n, k }: Pick<MatmulArgs, 'm' | 'n' | 'k'>): number {
  return 2 * m * n * k;
}
