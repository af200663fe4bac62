/** What a device offers to run kernels. Two implement it: `webgpu/` launches the WGSL variants, `cpu/` runs the twins and compiled kernels. */
import type { AnyArgs, ArgsOf, Declaration, DeviceBuffer, DType, Kernel } from './definition.js';

/** A buffer's contents on the host: in the type of its elements. */
export type HostArray = Float32Array | Float64Array | Int32Array;

/** What a backend's memory is used for, in bytes. */
export interface MemoryUse {
  /** Live buffers: allocated and not freed. */
  readonly buffers: number;
  readonly bytes: number;
  /** Most bytes alive at once so far. */
  readonly peakBytes: number;
  /** Taken from the device for any purpose: buffers rounded up, free ones kept for reuse, pending copies. */
  readonly heldBytes: number;
  readonly peakHeldBytes: number;
  /** Held for the whole lifetime: parameters, the threads' own memory. */
  readonly fixedBytes: number;
}

/** What launched a kernel: an operation, in its own pass or in the backward pass. */
export interface Origin {
  readonly operation: string;
  readonly backward: boolean;
}

/**
 * A device that runs kernels. Calls are queued in order; only `read` waits. A WebGPU device may fail at any time: a later call, at
 * the latest the next `read`, throws a DeviceError (webgpu/faults.ts), and the backend can no longer be used.
 */
export interface Backend {
  readonly kind: 'cpu' | 'webgpu';
  /** One line that names the device, for display. */
  readonly description: string;
  /**
   * What determines its results to the last bit: the kernels' code, and how device and options affect it. Equal if results are equal,
   * such as for any number of threads. Long: meant to be hashed.
   */
  readonly arithmetic: string;
  /** Live allocations. Every test ends with as many as it started with. */
  readonly memory: MemoryUse;
  /** True if an `f16` buffer takes half the memory of an `f32` one. */
  readonly packsHalves: boolean;
  /** Memory of `length` elements, contents undefined. Throws InputError if the device does not allow a buffer of this size. */
  allocate(dtype: DType, length: number): DeviceBuffer;
  /** Frees a buffer. Kernels already queued that use it still run correctly. Throws Error if it was freed before. */
  free(buffer: DeviceBuffer): void;
  /**
   * Until the next call, free memory kept for reuse is released rather than hold more than `bytes` of the device's memory.
   * Live buffers are allocated all the same: the caller makes sure that they fit. Infinity: no more is kept than was ever in use at once.
   */
  limitMemory(bytes: number): void;
  /** Copies host data (as many elements as the buffer has) in queue order. */
  write(buffer: DeviceBuffer, data: ArrayLike<number>): void;
  /** The same for an `f32` or `f16` buffer, from the bit patterns of fp16 values. */
  writeHalves(buffer: DeviceBuffer, bits: Uint16Array): void;
  /** Waits for everything queued and copies the buffer to the host. */
  read(buffer: DeviceBuffer): Promise<HostArray>;
  /** Queues a kernel. `origin` is for messages and traces. */
  run<D extends Declaration>(kernel: Kernel<D>, args: ArgsOf<D>, origin?: Origin): void;
  /** By which implementation it would run a kernel: a variant's name, or `twin` or `WebAssembly`. */
  variant?(kernel: Kernel, args: AnyArgs): string;
  /** How long the device itself takes for what `record` queues, in seconds, once it is done; undefined if it has no clock of its own. */
  readonly secondsOf?: ((record: () => void) => Promise<number>) | undefined;
  /** Releases the device. Buffers and pending work are gone. */
  dispose(): void;
}
