/**
 * The WebGPU backend's runtime: turns launches into few, large submits.
 *
 * Dispatches are recorded into one compute pass and submitted together, at these points and no others:
 * - `read`, since the host waits for the result;
 * - when the parameter arena is full;
 * - before pooled buffers are destroyed.
 *
 * A host write to a buffer that a recorded dispatch uses would land before everything not yet submitted; it is recorded as
 * a copy in its place instead.
 *
 * Parameters live in an arena with one slot per dispatch, uploaded once per submit: a single shared uniform buffer would
 * show every dispatch of a batch the last one's values.
 */
import { span } from '../../trace.js';
import type { Backend, HostArray, Origin } from '../backend.js';
import { kernelCost } from '../cost.js';
import type { AnyArgs, ArgsOf, Declaration, DeviceBuffer, DType, Kernel, Variant } from '../definition.js';
import { float32FromHalf, halvesFromFloat32 } from '../half.js';
import { MemoryMeter } from '../memory.js';
import type { Dispatched, Profiler } from '../profiler.js';
import { BindGroups, type WebGpuBuffer } from './bind-groups.js';
import { BufferPool, GPU_BUFFER_USAGE, GPU_MAP_READ, type PooledBuffer } from './buffer-pool.js';
import { type AdapterSummary, describeAdapter, openDevice } from './device.js';
import { DeviceFaults } from './faults.js';
import { type Launch, launchOf } from './launch.js';
import { bytesOf, inWords } from './packing.js';
import { type Compilation, type Program, ProgramCache } from './programs.js';
import { shaders } from './shaders.generated.js';
import { type OnPass, Timestamps } from './timestamps.js';
import { type Adapter, chooseVariant, type Tuning } from './tuning.js';

/**
 * Dispatches per submit at most. Few enough that a GPU starts on a training step (some 200 dispatches) while the host still records the
 * rest of it: on an NVIDIA H200, 64 images per step trained 1.7 times as fast as with 512.
 */
const ARENA_SLOTS = 64;
/** The largest alignment that an adapter may require of a uniform offset; every Params fits in it. */
const SLOT_BYTES = 256;

/** Options of the WebGPU backend. */
export interface WebGpuOptions {
  /** Which variants to use, if not the default. */
  tuning?: Tuning | undefined;
  /** Said in the description: the tuning, since other variants round differently, and the like. */
  notes?: readonly string[] | undefined;
  /** Records the time of each dispatch, if the adapter has timestamp queries. */
  profiler?: Profiler | undefined;
  /** How to wait for a software adapter's results, if the host would otherwise poll and occupy a core that it needs. */
  waitForSoftware?: <T>(pending: Promise<T>) => Promise<T>;
  /** Fill new memory and the dummies of absent operands with NaN, so that a kernel that forgets an element is detected. */
  poison?: boolean;
}

/** A WebGPU adapter as a device. */
export class WebGpuBackend implements Backend {
  readonly kind = 'webgpu';
  readonly description: string;
  readonly arithmetic: string;
  readonly adapter: AdapterSummary;
  readonly memory = new MemoryMeter();
  readonly packsHalves = true;
  /** Totals so far. */
  readonly counters = { dispatches: 0, submits: 0 };

  readonly #device: GPUDevice;
  readonly #pool: BufferPool;
  readonly #programs: ProgramCache;
  readonly #options: WebGpuOptions;
  readonly #choice: Adapter;

  readonly #bindGroups: BindGroups;
  readonly #arena: GPUBuffer;
  readonly #arenaData = new DataView(new ArrayBuffer(ARENA_SLOTS * SLOT_BYTES));
  readonly secondsOf: ((record: () => void) => Promise<number>) | undefined;
  readonly #timestamps: Timestamps | undefined;
  /** The time of what `secondsOf` records. */
  #stretch: { seconds: number } | undefined;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  /** Host writes waiting in the recorded commands. */
  readonly #staging: GPUBuffer[] = [];
  #recorded = 0;
  #batch = 0;
  readonly #faults: DeviceFaults;

  private constructor(device: GPUDevice, adapter: AdapterSummary, options: WebGpuOptions) {
    this.#device = device;
    this.adapter = adapter;
    this.#options = options;
    this.#faults = new DeviceFaults(device, adapter.description);
    const notes = [...(adapter.software ? ['software'] : []), ...(options.notes ?? [])];
    this.description = `WebGPU, ${adapter.description}${notes.length > 0 ? ` [${notes.join(', ')}]` : ''}`;
    const tuning = options.tuning ?? {};
    this.#choice = { ...adapter, tuning };
    const { description, vendor, architecture, subgroupSize, features } = adapter;
    const what = { description, vendor, architecture, subgroupSize, features };
    this.arithmetic = JSON.stringify(['webgpu', what, tuning, shaders]);
    this.#pool = new BufferPool(device, this.memory);
    this.#programs = new ProgramCache(device);
    this.#arena = device.createBuffer({
      size: ARENA_SLOTS * SLOT_BYTES,
      usage: GPU_BUFFER_USAGE.UNIFORM | GPU_BUFFER_USAGE.COPY_DST,
    });
    this.#bindGroups = new BindGroups(device, this.#pool, this.#arena, SLOT_BYTES, (dummy) => this.#poison(dummy));
    this.memory.hold(this.#arena.size);
    this.memory.fixedBytes = this.#arena.size;
    if (device.features.has('timestamp-query')) {
      this.#timestamps = new Timestamps(device, ARENA_SLOTS);
      this.secondsOf = (record) => this.#secondsOf(record);
    }
  }

  /** Requests the adapter's only device. Throws InputError if it gives none. */
  static async create(adapter: GPUAdapter, options: WebGpuOptions = {}): Promise<WebGpuBackend> {
    return new WebGpuBackend(await openDevice(adapter), describeAdapter(adapter), options);
  }

  allocate(dtype: DType, length: number): WebGpuBuffer {
    this.#faults.check();
    const bytes = bytesOf(dtype, length);
    this.#trim(this.#pool.excess(bytes));
    const pooled = this.#pool.take(bytes);
    const buffer: WebGpuBuffer = { dtype, length, pooled };
    this.memory.add(buffer, bytes);
    this.#poison(pooled);
    return buffer;
  }

  free(buffer: DeviceBuffer): void {
    this.memory.remove(buffer);
    this.#pool.give((buffer as WebGpuBuffer).pooled);
  }

  limitMemory(bytes: number): void {
    this.#pool.limit = bytes;
    this.#trim(this.#pool.excess(0, false));
  }

  write(buffer: DeviceBuffer, data: ArrayLike<number>): void {
    const typed = buffer.dtype === 'i32' ? Int32Array : Float32Array;
    const numbers = data instanceof typed ? data : typed.from(data);
    if (buffer.dtype === 'f16') this.writeHalves(buffer, halvesFromFloat32(numbers as Float32Array));
    else this.#writeBytes((buffer as WebGpuBuffer).pooled, numbers);
  }

  writeHalves(buffer: DeviceBuffer, bits: Uint16Array): void {
    if (buffer.dtype === 'f16') this.#writeBytes((buffer as WebGpuBuffer).pooled, inWords(bits));
    else this.write(buffer, float32FromHalf(bits));
  }

  async read(buffer: DeviceBuffer): Promise<HostArray> {
    using _ = span('wait');
    const bytes = bytesOf(buffer.dtype, buffer.length);
    this.#trim(this.#pool.excess(bytes, false));
    const staging = this.#staged(bytes, GPU_BUFFER_USAGE.MAP_READ | GPU_BUFFER_USAGE.COPY_DST);
    this.#endPass();
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#encoder.copyBufferToBuffer((buffer as WebGpuBuffer).pooled.gpu, 0, staging, 0, bytes);
    this.#submit();
    // Of what has been submitted by now: what comes later is not waited for.
    const timed = this.#timestamps?.settle();
    try {
      const mapped = staging.mapAsync(GPU_MAP_READ);
      await this.#patiently(mapped);
      await timed;
      const { profiler } = this.#options;
      if (profiler && this.#timestamps?.clock) profiler.clock = this.#timestamps.clock;
      this.#faults.check();
      const copy = staging.getMappedRange().slice(0);
      if (buffer.dtype === 'f16') return float32FromHalf(new Uint16Array(copy, 0, buffer.length));
      return buffer.dtype === 'i32' ? new Int32Array(copy) : new Float32Array(copy);
    } catch (error) {
      throw await this.#faults.behind(error);
    } finally {
      this.#destroy(staging);
    }
  }

  /** Records a kernel, in the variant chosen for this adapter if there are several. */
  run<D extends Declaration>(kernel: Kernel<D>, args: ArgsOf<D>, origin?: Origin): void {
    const { profiler } = this.#options;
    if (profiler) this.#profiled(profiler, kernel, args, origin);
    else this.dispatch(launchOf(kernel, this.#choose(kernel, args), args));
  }

  #profiled<D extends Declaration>(profiler: Profiler, kernel: Kernel<D>, args: ArgsOf<D>, origin?: Origin): void {
    using _ = span('record', { kernel: kernel.name });
    const dispatched = { kernel: kernel.name, cost: kernelCost(kernel, args), origin };
    const begin = performance.now();
    this.dispatch(launchOf(kernel, this.#choose(kernel, args), args), dispatched);
    // Without timestamps nobody knows when it runs.
    if (!this.#timestamps) profiler.keep({ ...dispatched, begin, end: performance.now() });
  }

  variant(kernel: Kernel, args: AnyArgs): string {
    return this.#choose(kernel, args).name;
  }

  #choose<D extends Declaration>(kernel: Kernel<D>, args: ArgsOf<D>): Variant {
    return chooseVariant(kernel, args, this.#choice);
  }

  /** How many programs are compiled. */
  get programs(): number {
    return this.#programs.size;
  }

  /** Compiles the programs of these calls together, without memory for their buffers; see `ProgramCache.prepare`. */
  prepare(calls: readonly (readonly [Kernel, AnyArgs])[]): Promise<void> {
    return this.#programs.prepare(calls.map(([kernel, args]) => launchOf(kernel, this.#choose(kernel, args), args)));
  }

  /** Compiles a launch's program again and returns the compiler's messages; see `ProgramCache.compile`. */
  compile(launch: Launch): Promise<Compilation> {
    return this.#programs.compile(launch);
  }

  /** Records one launch; with `dispatched`, its time is recorded as that kernel's. */
  dispatch(launch: Launch, dispatched?: Dispatched): void {
    this.#faults.check();
    const [x, y] = launch.workgroups;
    if (x === 0 || y === 0) return;
    const program = this.#programs.get(launch);
    if (this.#recorded === ARENA_SLOTS) this.#submit();
    const offset = this.#recorded * SLOT_BYTES;
    this.#storeParams(program, launch, offset);
    const bindGroup = this.#bindGroups.get(program, launch, this.#batch);
    this.#encoder ??= this.#device.createCommandEncoder();
    const { profiler } = this.#options;
    if (dispatched && profiler && this.#timestamps) {
      this.#endPass();
      this.#pass = this.#timedPass(this.#encoder, (begin, end) => profiler.add({ ...dispatched, begin, end }));
    }
    const stretch = this.#stretch;
    if (stretch && !this.#pass) {
      this.#pass = this.#timedPass(this.#encoder, (begin, end) => {
        stretch.seconds += (end - begin) / 1000;
      });
    }
    this.#pass ??= this.#encoder.beginComputePass();
    this.#pass.setPipeline(program.pipeline);
    this.#pass.setBindGroup(0, bindGroup, [offset]);
    this.#pass.dispatchWorkgroups(x, y);
    this.#recorded++;
    this.counters.dispatches++;
  }

  dispose(): void {
    this.#faults.expectEnd();
    this.#endPass();
    for (const staging of this.#staging.splice(0)) this.#destroy(staging);
    this.#device.destroy();
  }

  /** See `Backend.secondsOf`. As many dispatches as fit share a pass, so that its own cost counts little. */
  async #secondsOf(record: () => void): Promise<number> {
    this.#submit();
    const stretch = { seconds: 0 };
    this.#stretch = stretch;
    try {
      record();
      this.#submit();
    } finally {
      this.#stretch = undefined;
    }
    await this.#patiently(this.#timestamps!.settle());
    this.#faults.check();
    return stretch.seconds;
  }

  #timedPass(encoder: GPUCommandEncoder, onPass: OnPass): GPUComputePassEncoder {
    return encoder.beginComputePass({ timestampWrites: this.#timestamps!.next(onPass) });
  }

  #patiently<T>(pending: Promise<T>): Promise<T> {
    const { waitForSoftware } = this.#options;
    return waitForSoftware && this.adapter.software ? waitForSoftware(pending) : pending;
  }

  #storeParams(program: Program, { params }: Launch, offset: number): void {
    program.interface.params.forEach(({ name, type }, i) => {
      if (type === 'u32') this.#arenaData.setUint32(offset + 4 * i, params[name]!, true);
      else this.#arenaData.setFloat32(offset + 4 * i, params[name]!, true);
    });
  }

  #poison(buffer: PooledBuffer): void {
    if (this.#options.poison) this.#writeBytes(buffer, new Uint32Array(buffer.gpu.size / 4).fill(0x7fc00000));
  }

  #writeBytes(buffer: PooledBuffer, data: Uint32Array | Int32Array | Float32Array): void {
    // Pending copies count too: once they are submitted, this write can go directly to the queue.
    if (buffer.batch === this.#batch && this.memory.heldBytes + data.byteLength > this.#pool.limit) this.#submit();
    if (buffer.batch !== this.#batch) {
      this.#device.queue.writeBuffer(buffer.gpu, 0, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
      return;
    }
    const staging = this.#staged(data.byteLength, GPU_BUFFER_USAGE.COPY_SRC, true);
    new Uint8Array(staging.getMappedRange()).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    staging.unmap();
    this.#endPass();
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#encoder.copyBufferToBuffer(staging, 0, buffer.gpu, 0, data.byteLength);
    this.#staging.push(staging);
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }

  #submit(): void {
    this.#endPass();
    if (this.#recorded > 0) {
      this.#device.queue.writeBuffer(this.#arena, 0, this.#arenaData.buffer, 0, this.#recorded * SLOT_BYTES);
    }
    if (this.#encoder) {
      const submitted = this.#timestamps?.resolve(this.#encoder);
      this.#device.queue.submit([this.#encoder.finish()]);
      submitted?.();
      this.counters.submits++;
    }
    for (const staging of this.#staging.splice(0)) this.#destroy(staging);
    this.#encoder = undefined;
    this.#recorded = 0;
    this.#batch++;
  }

  /** A buffer for one copy to or from the host. */
  #staged(size: number, usage: number, mappedAtCreation = false): GPUBuffer {
    let buffer: GPUBuffer;
    try {
      buffer = this.#device.createBuffer({ size, usage, mappedAtCreation });
    } catch (error) {
      throw this.#faults.thrown(error);
    }
    this.memory.hold(size);
    return buffer;
  }

  #destroy(staging: GPUBuffer): void {
    this.memory.hold(-staging.size);
    staging.destroy();
  }

  /** Releases free buffers of at least this many bytes. */
  #trim(bytes: number): void {
    if (bytes <= 0) return;
    this.#submit();
    this.#pool.trim(bytes);
    this.#bindGroups.clear();
  }
}
