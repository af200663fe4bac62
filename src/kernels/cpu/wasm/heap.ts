/**
 * The memory of the CPU backend: one WebAssembly memory that contains all tensors, so that the compiled kernels read
 * and write them in place. It is shared between threads if the host allows it.
 */
import { InputError } from '../../../errors.js';
import { FreeList } from './free-list.js';
import { NUMBERS } from './layout.generated.js';

const PAGE = 65_536;
/** Every address is a multiple of it: a cache line. */
const ALIGNMENT = 64;
/** Largest sizes to ask for, in bytes: a host that does not reserve 4 GiB of addresses is asked for less. */
const MAXIMUM_BYTES = [2 ** 32, 2 ** 31, 2 ** 30, 2 ** 28];

export interface HeapOptions {
  /** Share the memory with worker threads. Default: where `SharedArrayBuffer` exists. */
  shared?: boolean;
  /** Upper bound in bytes. Default 4 GiB, all that 32-bit addresses can reach. */
  maximumBytes?: number;
  /** Called with the number of bytes added to the memory, including the first ones. */
  onGrowth?: (bytes: number) => void;
}

export class CpuHeap {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  readonly maximumBytes: number;
  /** Beyond this the memory grows only for what is indispensable. */
  softLimit = Number.POSITIVE_INFINITY;
  readonly #onGrowth: (bytes: number) => void;
  readonly #free = new FreeList();
  /** Address to size of every live block. */
  readonly #live = new Map<number, number>();
  #buffer: ArrayBufferLike;
  #bytesInUse = 0;

  constructor(options: HeapOptions = {}) {
    this.shared = options.shared ?? typeof SharedArrayBuffer === 'function';
    const limit = Math.min(options.maximumBytes ?? 2 ** 32, 2 ** 32);
    [this.memory, this.maximumBytes] = reserve(this.shared, Math.max(PAGE, limit - (limit % PAGE)));
    this.#buffer = this.memory.buffer;
    this.#onGrowth = options.onGrowth ?? (() => {});
    this.#onGrowth(this.#buffer.byteLength);
    // The first bytes belong to no block, since to the kernels address 0 means "absent": they hold numbers that the kernels need.
    const numbers = Object.values(NUMBERS);
    const first = Math.ceil((4 * numbers.length) / ALIGNMENT) * ALIGNMENT;
    this.f32(0, numbers.length).set(numbers);
    this.#free.release(first, this.#buffer.byteLength - first);
  }

  /** Bytes in live blocks, each rounded up to 64. */
  get bytesInUse(): number {
    return this.#bytesInUse;
  }

  /** Number of live blocks. */
  get blocks(): number {
    return this.#live.size;
  }

  /** Number of separate free ranges: 1 when everything has been freed. */
  get freeBlocks(): number {
    return this.#free.count;
  }

  /** Address of at least `bytes` bytes, aligned to 64, contents undefined. Throws InputError when the heap is used up. */
  allocate(bytes: number): number {
    if (!(bytes >= 0)) throw new Error(`cannot allocate ${bytes} bytes`);
    const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    const address = this.#free.take(size) ?? this.#takeAfterGrowing(size);
    this.#live.set(address, size);
    this.#bytesInUse += size;
    return address;
  }

  /** The same, or undefined if the memory would have to grow past `softLimit`, or cannot grow. For what is dispensable. */
  allocateWithinLimit(bytes: number): number | undefined {
    const end = this.#buffer.byteLength;
    const fits =
      this.#free.largest >= bytes + ALIGNMENT || end + bytes - this.#free.sizeEndingAt(end) <= this.softLimit;
    if (!fits) return undefined;
    try {
      return this.allocate(bytes);
    } catch {
      return undefined;
    }
  }

  /** Frees what `allocate` returned. */
  free(address: number): void {
    const size = this.#live.get(address);
    if (size === undefined) throw new Error(`no live block at address ${address}`);
    this.#live.delete(address);
    this.#bytesInUse -= size;
    this.#free.release(address, size);
  }

  /** Size in bytes of the live block at `address`, 0 if there is none. */
  sizeOf(address: number): number {
    return this.#live.get(address) ?? 0;
  }

  /**
   * `length` floats at `address`. Take a fresh view after any `allocate` or matrix product: where the memory is not shared,
   * growing it detaches the views that exist.
   */
  f32(address: number, length: number): Float32Array {
    return new Float32Array(this.#buffer, address, length);
  }

  /** `length` integers at `address`; see `f32`. */
  i32(address: number, length: number): Int32Array {
    return new Int32Array(this.#buffer, address, length);
  }

  /** `length` fp16 bit patterns; see `f32`. */
  u16(address: number, length: number): Uint16Array {
    return new Uint16Array(this.#buffer, address, length);
  }

  #takeAfterGrowing(size: number): number {
    const end = this.#buffer.byteLength;
    const missing = pages(size - this.#free.sizeEndingAt(end));
    if (missing > (this.maximumBytes - end) / PAGE || !this.#grow(missing)) {
      const limit = Math.round(this.maximumBytes / 2 ** 20);
      throw new InputError(
        `out of memory: the CPU heap of ${limit} MiB cannot hold another ${size} bytes (${this.#bytesInUse} in use)`,
      );
    }
    this.#free.release(end, this.#buffer.byteLength - end);
    return this.#free.take(size)!;
  }

  #grow(by: number): boolean {
    try {
      this.memory.grow(by);
    } catch {
      return false;
    }
    this.#onGrowth(this.memory.buffer.byteLength - this.#buffer.byteLength);
    this.#buffer = this.memory.buffer;
    return true;
  }
}

function pages(bytes: number): number {
  return Math.ceil(bytes / PAGE);
}

/** A memory that can grow to `limit` bytes, or to as much as the host agrees to. */
function reserve(shared: boolean, limit: number): [WebAssembly.Memory, number] {
  for (const bytes of [limit, ...MAXIMUM_BYTES.filter((size) => size < limit)]) {
    try {
      return [new WebAssembly.Memory({ initial: 1, maximum: bytes / PAGE, shared }), bytes];
    } catch {
      // The host refused: ask for less.
    }
  }
  throw new InputError(`out of memory: no WebAssembly memory of ${limit} bytes or less can be reserved`);
}
