/**
 * Values of all lanes: a `Float64Array` of their words, each of all lanes: word `w` of lane `l` is at `w * lanes + l`. Where all lanes have the same, which
 * holds for most of what loops and addresses are made of, it is the words alone.
 */
import type { Machine } from './machine.js';

/** A variable of each lane's own. */
export class OwnVariable {
  data: Float64Array = new Float64Array(0);
  /** Lanes that were active where it was declared: only they have it. */
  #lanes = 0;

  constructor(private readonly words: number) {}

  /** Gives it its first value, by default zeros. */
  declare({ activeLanes }: Machine, value?: Float64Array): void {
    this.#lanes = activeLanes;
    this.data = value ? value.slice() : new Float64Array(this.words);
  }

  load({ lanes, active }: Machine, offset: Offset, words: number): Float64Array {
    return wordsAt(this.data, this.words, offset, words, lanes, active);
  }

  /** Of the active lanes. */
  store({ lanes, active, activeLanes }: Machine, offset: Offset, value: Float64Array, words: number): void {
    if (words === this.words && activeLanes === this.#lanes) {
      this.data = value.slice();
      return;
    }
    if (this.data.length === this.words) this.data = wide(this.data, this.words, lanes);
    const { data } = this;
    const step = value.length === words ? 0 : 1;
    for (let word = 0; word < words; word++) {
      const from = step === 0 ? word : word * lanes;
      for (let lane = 0; lane < lanes; lane++) {
        if (active[lane] === 0) continue;
        const at = typeof offset === 'number' ? offset : offset[lane]!;
        data[(at + word) * lanes + lane] = value[from + step * lane]!;
      }
    }
  }
}

/** How many words from the beginning: one number for all lanes, or one of each. */
export type Offset = number | Float64Array;

/** A value of all lanes, each with its own words. */
export function wide(value: Float64Array, words: number, lanes: number): Float64Array {
  if (value.length === words * lanes) return value;
  const out = new Float64Array(words * lanes);
  for (let word = 0; word < words; word++) out.fill(value[word]!, word * lanes, (word + 1) * lanes);
  return out;
}

/** Words of a value that has `all` of them. */
export function wordsAt(
  data: Float64Array,
  all: number,
  offset: Offset,
  words: number,
  lanes: number,
  active: Uint8Array,
): Float64Array {
  const isSame = data.length === all;
  if (typeof offset === 'number') {
    const of = isSame ? 1 : lanes;
    return data.subarray(offset * of, (offset + words) * of);
  }
  const out = new Float64Array(words * lanes);
  for (let lane = 0; lane < lanes; lane++) {
    if (active[lane] === 0) continue;
    for (let word = 0; word < words; word++) {
      const at = offset[lane]! + word;
      out[word * lanes + lane] = data[isSame ? at : at * lanes + lane]!;
    }
  }
  return out;
}

/** The sum of two offsets. */
export function added(a: Offset, b: Offset): Offset {
  if (typeof a === 'number') return typeof b === 'number' ? a + b : a === 0 ? b : b.map((one) => one + a);
  return typeof b === 'number' ? (b === 0 ? a : a.map((one) => one + b)) : a.map((one, lane) => one + b[lane]!);
}

/** Words from an index on. */
export function offsetOf(index: Float64Array, stride: number): Offset {
  if (index.length === 1) return index[0]! * stride;
  return stride === 1 ? index : index.map((at) => at * stride);
}

/** An operator on each component; a number meets every component of a vector. */
export function zipped(
  apply: (a: number, b: number) => number,
  x: Float64Array,
  y: Float64Array,
  countX: number,
  countY: number,
  lanes: number,
): Float64Array {
  const count = Math.max(countX, countY);
  const sameX = x.length === countX;
  const sameY = y.length === countY;
  const length = sameX && sameY ? 1 : lanes;
  const out = new Float64Array(count * length);
  const [stepX, stepY] = [Number(!sameX), Number(!sameY)];
  for (let component = 0; component < count; component++) {
    const from = component * length;
    const inX = countX === 1 ? 0 : sameX ? component : component * lanes;
    const inY = countY === 1 ? 0 : sameY ? component : component * lanes;
    for (let lane = 0; lane < length; lane++) out[from + lane] = apply(x[inX + stepX * lane]!, y[inY + stepY * lane]!);
  }
  return out;
}
