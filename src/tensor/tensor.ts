/** Tensors: a shape over device memory that several tensors may share. */
import type { DeviceBuffer, DType } from '../kernels/index.js';
import type { Engine } from './engine.js';
import type { Vertex } from './tape.js';

/** Device memory with a count of its users; it is freed with the last one. */
export class Storage {
  #users = 0;

  constructor(
    readonly engine: Engine,
    readonly buffer: DeviceBuffer,
  ) {}

  retain(): void {
    this.#users++;
  }

  release(): void {
    this.#users--;
    if (this.#users === 0) this.engine.backend.free(this.buffer);
  }
}

/**
 * A dense row-major array on a device. Operations (ops/) make new tensors and do not change their inputs. A tensor is
 * disposed explicitly, by `using`, or by the scope that it was made in.
 */
export class Tensor implements Disposable {
  readonly shape: readonly number[];
  readonly #storage: Storage;
  #disposed = false;

  /**
   * Where gradients for this tensor are collected; undefined for frozen tensors and for results that depend on no parameter,
   * which therefore never get a gradient buffer.
   */
  vertex: Vertex | undefined;

  /** Takes part in `storage`; made by Engine and by operations, not by users. */
  constructor(storage: Storage, shape: readonly number[], vertex?: Vertex) {
    storage.retain();
    this.#storage = storage;
    this.shape = shape;
    this.vertex = vertex;
  }

  get engine(): Engine {
    return this.#storage.engine;
  }

  get dtype(): DType {
    return this.#storage.buffer.dtype;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Product of all axes but the last: kernels see a tensor as this many rows. */
  get rows(): number {
    return this.size / this.columns;
  }

  /** Length of the last axis. */
  get columns(): number {
    return this.shape.at(-1) ?? 1;
  }

  /** The memory, for kernels. */
  get buffer(): DeviceBuffer {
    if (this.#disposed) throw new Error(`tensor [${this.shape.join(', ')}] was used after it was disposed`);
    return this.#storage.buffer;
  }

  /** The gradient collected by Tape.backward, if this is a parameter and one has arrived. */
  get grad(): Tensor | undefined {
    return this.vertex?.grad;
  }

  /** Clears the collected gradient. */
  zeroGrad(): void {
    this.vertex?.clear();
  }

  /** The same memory and history under another shape of the same size. */
  reshape(shape: readonly number[]): Tensor {
    return this.engine.adopt(this.share(shape));
  }

  /** Another handle on the same memory, under another shape of the same size if given, that no scope owns: its holder disposes it. */
  share(shape = this.shape): Tensor {
    if (this.#disposed) throw new Error(`tensor [${this.shape.join(', ')}] was shared after it was disposed`);
    if (sizeOf(shape) !== this.size)
      throw new Error(`cannot reshape [${this.shape.join(', ')}] to [${shape.join(', ')}]`);
    return new Tensor(this.#storage, shape, this.vertex);
  }

  /** Waits for everything queued before and copies the values to the host. */
  async read(): Promise<Float32Array> {
    const data = await this.engine.backend.read(this.buffer);
    return data instanceof Float32Array ? data : Float32Array.from(data);
  }

  /** Reads in the backend's own precision: float64 on the oracle, where `checkGradient` takes differences. */
  async readExact(): Promise<Float64Array> {
    return Float64Array.from(await this.engine.backend.read(this.buffer));
  }

  /** Frees the memory, unless another handle shares it. A second call does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#storage.release();
  }

  /** One line: shape, type of the elements, device, and whether it collects a gradient or is disposed. */
  toString(): string {
    const { kind } = this.engine.backend;
    const state = this.#disposed ? ', disposed' : this.vertex ? ', with gradient' : '';
    return `Tensor [${this.shape.join(', ')}] ${this.dtype} on ${kind}${state}`;
  }

  /** What `console.log` prints in Node: `toString`. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  /** As `dispose`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Number of elements. Throws Error if an axis is not a whole number of at least 1. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => {
    if (Number.isInteger(length) && length > 0) return product * length;
    throw new Error(`a tensor of shape [${shape.join(', ')}]: expected whole numbers from 1`);
  }, 1);
}
