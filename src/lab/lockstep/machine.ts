/**
 * The state of one workgroup whose invocations run in lockstep: every statement is executed by all of them before the next, as within a subgroup of
 * a GPU. So barriers need nothing, and all addresses of a memory access are known together.
 */
import { InputError } from '../../errors.js';
import type { Offset } from './values.js';

/** A statement's access to memory, the same object each time. */
export interface Site {
  /** As it stands in the text. */
  readonly text: string;
  readonly space: 'storage' | 'workgroup';
  readonly buffer: string;
  readonly write: boolean;
  /** Of an invocation's access, and of its words: halves have two. */
  readonly bytes: number;
  readonly wordBytes: 2 | 4;
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

/** An assignment by the active lanes to a variable of their own. Values are as in `Value.run`. */
export interface Assigned {
  /** What is assigned to, as it stands in the text. */
  readonly text: string;
  /** The operator before the `=`, or nothing. */
  readonly operator: string;
  /** Where in the variable. */
  readonly offset: Offset;
  readonly words: number;
  readonly before: Float64Array;
  readonly now: Float64Array;
  /** Of a product that is assigned or added: its operands. */
  readonly factors: readonly Factor[] | undefined;
}

/** An operand of a product: a number, or as many words as the product has. */
export interface Factor {
  readonly value: Float64Array;
  readonly words: number;
}

/** What a load beyond the end of memory gives where that is to show. */
const NONSENSE = { f32: Number.NaN, u32: 0x5eed5eed, i32: 0x5eed5eed } as const;

export class Machine {
  lanes = 1;
  /** A mask, which is never written to again. */
  active: Uint8Array = new Uint8Array(1).fill(1);
  activeLanes = 1;
  /** Subgroups with an active lane. */
  activeSubgroups = 1;
  readonly counts: Counts = { arithmetic: 0, special: 0, integer: 0, exchange: 0, barriers: 0 };
  /** Accesses beyond the end of memory, which WGSL lets a device answer with anything. */
  outside = 0;
  /** Is told of every access after it: `words` of four bytes from `offsets[lane]` on, of each active lane. */
  onAccess: ((site: Site, offsets: Float64Array, words: number, memory: SharedMemory) => void) | undefined;
  /** Is told of every assignment to a variable of the lanes' own, after it. */
  onAssign: ((assigned: Assigned) => void) | undefined;
  /** Is told of every barrier of the workgroup. */
  onBarrier: (() => void) | undefined;
  /** The line of the statement that runs, and those of the calls that it runs in, the entry point's first. */
  line = 0;
  readonly callers: number[] = [];
  /** The operands of the product that was worked out last; kept for `onAssign` only. */
  factors: readonly Factor[] | undefined;
  /** Whether a load from there gives nonsense: by default the nearest element. */
  poisonsOutside = false;
  /** Barriers that some invocations of the workgroup did not come by, which WGSL forbids. */
  divergedBarriers = 0;
  /** Rounds of loops before it gives up: whoever lends it a user's text sets a bound. */
  roundsLeft = Number.POSITIVE_INFINITY;
  /** The mask of no lane. */
  #none: Uint8Array = new Uint8Array(1);

  constructor(readonly subgroupSize: number) {}

  /** Begins a workgroup of so many invocations. */
  start(lanes: number): void {
    this.lanes = lanes;
    this.line = 0;
    this.callers.length = 0;
    this.#none = new Uint8Array(lanes);
    this.activate(new Uint8Array(lanes).fill(1));
  }

  /** From here on only these lanes are active. */
  activate(mask: Uint8Array): void {
    if (mask === this.active) return;
    this.active = mask;
    this.activeSubgroups = 0;
    this.activeLanes = 0;
    if (mask === this.#none) return;
    for (let from = 0; from < this.lanes; from += this.subgroupSize) {
      const before = this.activeLanes;
      const end = Math.min(from + this.subgroupSize, this.lanes);
      for (let lane = from; lane < end; lane++) this.activeLanes += mask[lane]!;
      if (this.activeLanes > before) this.activeSubgroups++;
    }
  }

  /** From here on no lane is active. */
  deactivate(): void {
    this.activate(this.#none);
  }

  /** Counts a round of a loop. Throws InputError when there were too many. */
  countRound(): void {
    if (--this.roundsLeft < 0)
      throw new InputError(`line ${this.line}: a loop does not end, or takes far too many rounds`);
  }

  count(kind: keyof Counts, components: number): void {
    this.counts[kind] += components * this.activeSubgroups;
  }

  /** Leaves active only the lanes for which a condition holds (or, with false, does not); gives the others, if there are any. */
  narrow(condition: Float64Array, holds = true): Uint8Array | undefined {
    const { lanes, active } = this;
    if (condition.length === 1) {
      if ((condition[0] !== 0) === holds) return undefined;
      this.deactivate();
      return active;
    }
    const kept = new Uint8Array(lanes);
    const left = new Uint8Array(lanes);
    let count = 0;
    for (let lane = 0; lane < lanes; lane++) {
      if (active[lane] === 0) continue;
      if ((condition[lane] !== 0) === holds) kept[lane] = 1;
      else {
        left[lane] = 1;
        count++;
      }
    }
    if (count === 0) return undefined;
    if (count === this.activeLanes) this.deactivate();
    else this.activate(kept);
    return left;
  }

  /** Words of shared memory, of each active lane from its own offset on; 0 of the others. */
  load(memory: SharedMemory, offset: Offset, words: number, type: 'f32' | 'u32' | 'i32', site?: Site): Float64Array {
    const { lanes, active } = this;
    const view = memory[type];
    if (site) this.tell(site, offset, words, memory);
    if (typeof offset === 'number') {
      const outside = this.outside;
      const from = this.#inside(memory, offset, words);
      if (this.poisonsOutside && this.outside > outside) return new Float64Array(words).fill(NONSENSE[type]);
      return Float64Array.from(view.subarray(from, from + words));
    }
    const out = new Float64Array(words * lanes);
    for (let lane = 0; lane < lanes; lane++) {
      if (active[lane] === 0) continue;
      const outside = this.outside;
      const from = this.#inside(memory, offset[lane]!, words);
      const isNonsense = this.poisonsOutside && this.outside > outside;
      for (let word = 0; word < words; word++)
        out[word * lanes + lane] = isNonsense ? NONSENSE[type] : view[from + word]!;
    }
    return out;
  }

  store(
    memory: SharedMemory,
    offset: Offset,
    value: Float64Array,
    words: number,
    type: 'f32' | 'u32' | 'i32',
    site?: Site,
  ): void {
    const { lanes, active } = this;
    const view = memory[type];
    const isSame = value.length === words;
    for (let lane = 0; lane < lanes; lane++) {
      if (active[lane] === 0) continue;
      const from = this.#inside(memory, typeof offset === 'number' ? offset : offset[lane]!, words);
      for (let word = 0; word < words; word++) view[from + word] = value[isSame ? word : word * lanes + lane]!;
    }
    if (site) this.tell(site, offset, words, memory);
  }

  /** Tells of an access in pieces of a quad, the most that one instruction moves. */
  tell(site: Site, offset: Offset, words: number, memory: SharedMemory): void {
    if (!this.onAccess) return;
    const given = typeof offset === 'number' ? new Float64Array(this.lanes).fill(offset) : offset;
    const isHalf = site.wordBytes === 2;
    const offsets = isHalf ? given.map((one) => Math.floor(one / 2)) : given;
    const length = isHalf ? Math.ceil(words / 2) : words;
    for (let word = 0; word < length; word += 4) {
      const from = word === 0 ? offsets : offsets.map((one) => one + word);
      this.onAccess(site, from, Math.min(4, length - word), memory);
    }
  }

  #inside({ words: size }: SharedMemory, offset: number, words: number): number {
    if (offset >= 0 && offset + words <= size) return offset;
    this.outside++;
    return Math.max(0, Math.min(offset, size - words));
  }
}

/** The lanes of either mask. */
export function either(one: Uint8Array | undefined, other: Uint8Array): Uint8Array {
  if (!one) return other;
  const both = new Uint8Array(one.length);
  for (let lane = 0; lane < both.length; lane++) both[lane] = one[lane]! | other[lane]!;
  return both;
}
