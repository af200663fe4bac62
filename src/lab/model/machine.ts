/**
 * The state of one workgroup whose invocations run in lockstep: every statement is executed by all of them before the next, as within a subgroup of
 * a GPU. So barriers need nothing, and all addresses of a memory access are known together.
 *
 * A value is a `Float64Array` of its words, each of all lanes: word `w` of lane `l` is at `w * lanes + l`.
 */

/** A statement's access to memory, the same object each time. */
export interface Site {
  /** As it stands in the text. */
  readonly text: string;
  readonly space: 'storage' | 'workgroup';
  readonly buffer: string;
  readonly write: boolean;
}

/** Memory that invocations share. */
export class SharedMemory {
  readonly f32: Float32Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;

  constructor(
    readonly name: string,
    readonly space: string,
    readonly words: number,
  ) {
    const bytes = new ArrayBuffer(4 * words);
    this.f32 = new Float32Array(bytes);
    this.u32 = new Uint32Array(bytes);
    this.i32 = new Int32Array(bytes);
  }
}

/** Instructions of all subgroups, by what they do; a vector's components each count. */
export interface Counts {
  /** Additions, products (with an addition of the product: one) and the like in single precision. */
  arithmetic: number;
  /** Divisions, roots, exponentials and the like. */
  special: number;
  /** Whole numbers and comparisons: addresses and loops, as the text has them. */
  integer: number;
  /** What lanes of a subgroup pass to each other. */
  exchange: number;
  /** Of the workgroup. */
  barriers: number;
}

export class Machine {
  lanes = 1;
  active = new Uint8Array(1).fill(1);
  /** Subgroups with an active lane. */
  activeSubgroups = 1;
  readonly counts: Counts = { arithmetic: 0, special: 0, integer: 0, exchange: 0, barriers: 0 };
  /** Accesses beyond the end of memory, which WGSL lets a device answer with anything. */
  outside = 0;
  /** Is told of every access: `words` from `offsets[lane]` on, of each active lane. */
  onAccess: ((site: Site, offsets: Float64Array, words: number) => void) | undefined;
  readonly #filled = new Map<number, Float64Array>();

  constructor(readonly subgroupSize: number) {}

  /** Begins a workgroup of so many invocations. */
  start(lanes: number): void {
    if (lanes !== this.lanes) this.#filled.clear();
    this.lanes = lanes;
    this.activate(new Uint8Array(lanes).fill(1));
  }

  /** From here on only these lanes are active. */
  activate(mask: Uint8Array<ArrayBuffer>): void {
    this.active = mask;
    this.activeSubgroups = 0;
    for (let from = 0; from < this.lanes; from += this.subgroupSize) {
      const end = Math.min(from + this.subgroupSize, this.lanes);
      for (let lane = from; lane < end; lane++) {
        if (mask[lane] === 0) continue;
        this.activeSubgroups++;
        break;
      }
    }
  }

  count(kind: keyof Counts, components: number): void {
    this.counts[kind] += components * this.activeSubgroups;
  }

  /** The same number in all lanes. Not to be written to. */
  filled(value: number): Float64Array {
    let known = this.#filled.get(value);
    // -0 and 0 are one key, and NaN is never asked for.
    if (!known || Object.is(value, -0)) {
      known = new Float64Array(this.lanes).fill(value);
      if (this.#filled.size < 1000 && !Object.is(value, -0)) this.#filled.set(value, known);
    }
    return known;
  }

  /** The active lanes for which a condition holds, or does not. */
  where(condition: Float64Array, holds: boolean): Uint8Array<ArrayBuffer> {
    const mask = new Uint8Array(this.lanes);
    for (let lane = 0; lane < this.lanes; lane++) {
      if (this.active[lane] !== 0 && (condition[lane] !== 0) === holds) mask[lane] = 1;
    }
    return mask;
  }

  /** Words of shared memory, of each active lane from its own offset on; 0 of the others. */
  load(
    memory: SharedMemory,
    offsets: Float64Array,
    words: number,
    type: 'f32' | 'u32' | 'i32',
    site?: Site,
  ): Float64Array {
    const { lanes, active } = this;
    const view = memory[type];
    if (site) this.#told(site, offsets, words);
    const out = new Float64Array(words * lanes);
    for (let lane = 0; lane < lanes; lane++) {
      if (active[lane] === 0) continue;
      const from = this.#inside(memory, offsets[lane]!, words);
      for (let word = 0; word < words; word++) out[word * lanes + lane] = view[from + word]!;
    }
    return out;
  }

  store(
    memory: SharedMemory,
    offsets: Float64Array,
    value: Float64Array,
    words: number,
    type: 'f32' | 'u32' | 'i32',
    site?: Site,
  ): void {
    const { lanes, active } = this;
    const view = memory[type];
    if (site) this.#told(site, offsets, words);
    for (let lane = 0; lane < lanes; lane++) {
      if (active[lane] === 0) continue;
      const from = this.#inside(memory, offsets[lane]!, words);
      for (let word = 0; word < words; word++) view[from + word] = value[word * lanes + lane]!;
    }
  }

  /** In pieces of a quad, the most that one instruction moves. */
  #told(site: Site, offsets: Float64Array, words: number): void {
    if (!this.onAccess) return;
    if (words <= 4) {
      this.onAccess(site, offsets, words);
      return;
    }
    for (let word = 0; word < words; word += 4) {
      const from = offsets.map((offset) => offset + word);
      this.onAccess(site, from, Math.min(4, words - word));
    }
  }

  #inside({ words: size }: SharedMemory, offset: number, words: number): number {
    if (offset >= 0 && offset + words <= size) return offset;
    this.outside++;
    return Math.max(0, Math.min(offset, size - words));
  }
}

export function isAny(mask: Uint8Array): boolean {
  return mask.includes(1);
}

/** The lanes of either. */
export function either(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(one, (lane, i) => lane | other[i]!);
}
