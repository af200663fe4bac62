/** A backend that counts what passes through it: arithmetic of kernels, and the most memory that buffers take. */
import type { Backend, HostArray, MemoryUse, Origin } from '../../kernels/backend.js';
import { kernelCost } from '../../kernels/cost.js';
import type { ArgsOf, Declaration, DeviceBuffer, DType, Kernel } from '../../kernels/definition.js';

/** What was counted. */
export interface Metered {
  readonly seconds: number;
  /** Multiplications and additions of products, as profiles count them. */
  readonly flops: number;
  /** Most bytes of buffers beside those that were there at the start. */
  readonly peakBytes: number;
}

/** Runs everything on another backend. Its `dispose` disposes that, too. */
export class MeteredBackend implements Backend {
  #flops = 0;
  #peak = 0;
  #before = 0;
  #started = 0;

  constructor(private readonly inner: Backend) {}

  /** Begins to count anew; what is allocated now does not count. */
  start(): void {
    this.#before = this.inner.memory.bytes;
    this.#peak = this.#before;
    this.resume();
  }

  /** What was counted since the start or, of time and arithmetic, since the last `resume`. */
  lap(): Metered {
    const seconds = (performance.now() - this.#started) / 1000;
    return { seconds, flops: this.#flops, peakBytes: this.#peak - this.#before };
  }

  /** Time and arithmetic count anew, the peak goes on: what was done between a lap and this counts nowhere. */
  resume(): void {
    this.#flops = 0;
    this.#started = performance.now();
  }

  get kind(): 'cpu' | 'webgpu' {
    return this.inner.kind;
  }

  get description(): string {
    return this.inner.description;
  }

  get arithmetic(): string {
    return this.inner.arithmetic;
  }

  get memory(): MemoryUse {
    return this.inner.memory;
  }

  get packsHalves(): boolean {
    return this.inner.packsHalves;
  }

  allocate(dtype: DType, length: number): DeviceBuffer {
    const buffer = this.inner.allocate(dtype, length);
    this.#peak = Math.max(this.#peak, this.inner.memory.bytes);
    return buffer;
  }

  free(buffer: DeviceBuffer): void {
    this.inner.free(buffer);
  }

  limitMemory(bytes: number): void {
    this.inner.limitMemory(bytes);
  }

  write(buffer: DeviceBuffer, data: ArrayLike<number>): void {
    this.inner.write(buffer, data);
  }

  writeHalves(buffer: DeviceBuffer, bits: Uint16Array): void {
    this.inner.writeHalves(buffer, bits);
  }

  read(buffer: DeviceBuffer): Promise<HostArray> {
    return this.inner.read(buffer);
  }

  run<D extends Declaration>(kernel: Kernel<D>, args: ArgsOf<D>, origin?: Origin): void {
    this.#flops += kernelCost(kernel, args).flops;
    this.inner.run(kernel, args, origin);
  }

  dispose(): void {
    this.inner.dispose();
  }
}
