/** A device that computes nothing: it tracks the length of each buffer and reports which kernels are run with what. */
import type { Backend, DeviceBuffer, DType, HostArray, KernelName, Kernels } from '../kernels/index.js';
import { MemoryMeter } from '../kernels/memory.js';

export class SizeBackend implements Backend {
  readonly kind = 'cpu';
  readonly description = 'sizes only';
  readonly arithmetic = 'none';
  readonly memory = new MemoryMeter();
  readonly packsHalves = true;
  readonly #onRun: (<K extends KernelName>(kernel: K, args: Kernels[K]) => void) | undefined;

  /** `onRun` is called for every kernel call. */
  constructor(onRun?: <K extends KernelName>(kernel: K, args: Kernels[K]) => void) {
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

  run<K extends KernelName>(kernel: K, args: Kernels[K]): void {
    this.#onRun?.(kernel, args);
  }

  dispose(): void {}
}
