/** A device that computes nothing: it knows how long each buffer is, and hears which kernels are run with what. */
import type { Backend, DeviceBuffer, DType, HostArray, KernelName, Kernels } from '../kernels/index.js';
import { MemoryMeter } from '../kernels/memory.js';

export class SizeBackend implements Backend {
  readonly kind = 'cpu';
  readonly description = 'sizes only';
  readonly memory = new MemoryMeter();
  readonly packsHalves = true;
  readonly #onRun: (<K extends KernelName>(kernel: K, args: Kernels[K]) => void) | undefined;

  /** `onRun` hears every call. */
  constructor(onRun?: <K extends KernelName>(kernel: K, args: Kernels[K]) => void) {
    this.#onRun = onRun;
  }

  allocate(dtype: DType, length: number): DeviceBuffer {
    this.memory.add(4 * length);
    return { dtype, length };
  }

  free(buffer: DeviceBuffer): void {
    this.memory.remove(4 * buffer.length);
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
