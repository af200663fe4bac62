/**
 * Seeded random numbers and lattice noise that give the same values on every JavaScript engine.
 *
 * Only 32-bit integer operations and the exactly rounded + - * / are used, so that a scene drawn from a seed is
 * equal byte for byte everywhere. Generator: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom
 * number generators", 2021), its state initialised by splitmix32 (Steele, Lea and Flood, 2014).
 */

/** Mixes the bits of a 32-bit integer (the finaliser of splitmix32). */
function scramble(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}

const rotateLeft = (value: number, count: number): number => (value << count) | (value >>> (32 - count));

/** A stream of random numbers; two streams with the same seed are equal. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed any number; only its low 32 bits are used. */
  constructor(seed: number) {
    const word = (index: number): number => scramble(seed + Math.imul(index, 0x9e3779b9));
    this.#a = word(1);
    this.#b = word(2);
    this.#c = word(3);
    this.#d = word(4) | 1; // the state must not be all zeros
  }

  /** A whole number in [0, 2^32). */
  uint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return result;
  }

  /** A number in [0, 1). */
  unit(): number {
    return this.uint32() / 4294967296;
  }

  /** A number in [low, high). */
  range(low: number, high: number): number {
    return low + (high - low) * this.unit();
  }

  /** A whole number in [0, count). */
  below(count: number): number {
    return Math.floor(this.unit() * count);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** One of the items, each equally likely. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  /** An index drawn in proportion to the weights. */
  weighted(weights: readonly number[]): number {
    let left = this.unit() * weights.reduce((sum, weight) => sum + weight, 0);
    for (let index = 0; index < weights.length; index++) {
      left -= weights[index]!;
      if (left < 0) return index;
    }
    return weights.length - 1;
  }

  /** The items in a random order (Fisher-Yates), as a new array. */
  shuffled<Item>(items: readonly Item[]): Item[] {
    const result = [...items];
    for (let last = result.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [result[last], result[other]] = [result[other]!, result[last]!];
    }
    return result;
  }
}

/** Folds several integers into one 32-bit seed. */
export function mixSeeds(...parts: readonly number[]): number {
  return parts.reduce(
    (state, part) => scramble(Math.imul(state, 0x01000193) ^ scramble(part + 0x9e3779b9)),
    0x811c9dc5,
  );
}

/** A random value in [0, 1) for a point of the integer lattice. */
export function latticeValue(x: number, y: number, seed: number): number {
  return scramble(Math.imul(x, 0x27d4eb2d) ^ scramble(Math.imul(y, 0x165667b1) ^ seed)) / 4294967296;
}

const smooth = (t: number): number => t * t * (3 - 2 * t);

/** Value noise in [0, 1): lattice values joined smoothly. One unit of x or y is one cell. */
export function valueNoise(x: number, y: number, seed: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const u = smooth(x - column);
  const v = smooth(y - row);
  const top = latticeValue(column, row, seed) * (1 - u) + latticeValue(column + 1, row, seed) * u;
  const bottom = latticeValue(column, row + 1, seed) * (1 - u) + latticeValue(column + 1, row + 1, seed) * u;
  return top * (1 - v) + bottom * v;
}

/** Three octaves of value noise, in [0, 1). */
export function cloudNoise(x: number, y: number, seed: number): number {
  return (4 * valueNoise(x, y, seed) + 2 * valueNoise(2 * x, 2 * y, seed + 1) + valueNoise(4 * x, 4 * y, seed + 2)) / 7;
}
