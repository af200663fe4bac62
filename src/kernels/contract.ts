/**
 * The backend contract: a closed set of named kernels, each with a typed record of arguments, and what a backend must
 * offer to run them. Two backends implement it: `webgpu/` launches `shaders/*.wgsl`, `cpu/` holds the plain
 * TypeScript twins that define every kernel.
 *
 * Conventions that hold for every kernel:
 * - matrices are dense and row-major; sizes are counted in elements, never in bytes;
 * - outputs are overwritten entirely; no kernel reads what an output buffer held before (except optimisers, which update in
 *   place);
 * - an output buffer is never also an input of the same call (WebGPU forbids the aliasing);
 * - `i32` buffers hold row numbers; `-1` means "no row";
 * - a row of a result is computed in the same way at any position: its bits do not depend on the number of rows computed with it,
 *   nor on their contents, unless they are operands of its formula.
 */
import type {
  AdamWArgs,
  AffineArgs,
  AttentionArgs,
  AttentionGradKeyValueArgs,
  AttentionGradQueryArgs,
  BroadcastRowsArgs,
  ComposeArgs,
  ComposeGradPromptsArgs,
  ComposeGradWeightsArgs,
  CrossEntropyArgs,
  CrossEntropyGradArgs,
  DeviceBuffer,
  DType,
  GatherRowsArgs,
  GroupDotArgs,
  GroupDotGradAArgs,
  GroupDotGradBArgs,
  LayerNormArgs,
  LayerNormGradArgs,
  MatmulArgs,
  NormalizeRowsArgs,
  NormalizeRowsGradArgs,
  PatchRowsArgs,
  ScatterAddRowsArgs,
  SgdArgs,
  SoftmaxArgs,
  SoftmaxGradArgs,
  SumRowsArgs,
} from './kernel-arguments.js';

export type * from './kernel-arguments.js';

/** Every kernel by name, with its arguments. A backend that lacks one does not type-check. */
export interface Kernels {
  matmul: MatmulArgs;
  layerNorm: LayerNormArgs;
  layerNormGrad: LayerNormGradArgs;
  attention: AttentionArgs;
  attentionGradQuery: AttentionGradQueryArgs;
  attentionGradKeyValue: AttentionGradKeyValueArgs;
  gatherRows: GatherRowsArgs;
  scatterAddRows: ScatterAddRowsArgs;
  compose: ComposeArgs;
  composeGradWeights: ComposeGradWeightsArgs;
  composeGradPrompts: ComposeGradPromptsArgs;
  normalizeRows: NormalizeRowsArgs;
  normalizeRowsGrad: NormalizeRowsGradArgs;
  groupDot: GroupDotArgs;
  groupDotGradA: GroupDotGradAArgs;
  groupDotGradB: GroupDotGradBArgs;
  softmax: SoftmaxArgs;
  softmaxGrad: SoftmaxGradArgs;
  crossEntropy: CrossEntropyArgs;
  crossEntropyGrad: CrossEntropyGradArgs;
  affine: AffineArgs;
  sumRows: SumRowsArgs;
  broadcastRows: BroadcastRowsArgs;
  patchRows: PatchRowsArgs;
  sgd: SgdArgs;
  adamW: AdamWArgs;
}

/** Name of a kernel. */
export type KernelName = keyof Kernels;

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
  /** Queues a kernel. */
  run<K extends KernelName>(kernel: K, args: Kernels[K]): void;
  /** Releases the device. Buffers and pending work are gone. */
  dispose(): void;
}
