/** A device that computes nothing: it tracks the length of each buffer and reports which kernels are run with what. */
import {
  type AnyArgs,
  type ArgsOf,
  anyKernel,
  type Backend,
  type Declaration,
  type DeviceBuffer,
  type DType,
  type HostArray,
  type Kernel,
} from './index.js';
import { MemoryMeter } from './memory.js';

export class SizeBackend implements Backend {
  readonly kind = 'cpu';
  readonly description = 'sizes only';
  readonly arithmetic = 'none';
  readonly memory = new MemoryMeter();
  readonly packsHalves = true;
  readonly #onRun: ((kernel: Kernel, args: AnyArgs) => void) | undefined;

  /** `onRun` is called for every kernel call. */
  constructor(onRun?: (kernel: Kernel, args: AnyArgs) => void) {
    this.#onRun = onRun;
  }

  allocate(dtype: DType, length: number): DeviceBuffer {
    const buffer = { dtype, length };
    this.memory.add(buffer, 4 * length);
    return buffer;
  }

  free(buffer: DeviceBuffer): void {
    this.memory.remove(buffer);
  }

  limitMemory(): void {}
  write(): void {}
  writeHalves(): void {}

  /** Zeros. */
  read({ dtype, length }: DeviceBuffer): Promise<HostArray> {
    return Promise.resolve(dtype === 'i32' ? new Int32Array(length) : new Float32Array(length));
  }

  run<D extends Declaration>(kernel: Kernel<D>, args: ArgsOf<D>): void {
    this.#onRun?.(anyKernel(kernel), args as AnyArgs);
  }

  dispose(): void {}
}
