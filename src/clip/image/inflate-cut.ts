/**
 * Inflates truncated zlib data to the last byte that can be recovered (RFC 1950 and 1951), as zlib does.
 *
 * Why not fflate, which inflates complete PNG files: it outputs a stored block, of up to 65,535 bytes, only when it has all of it.
 */

/** Length codes 257 to 285 and distance codes 0 to 29: the smallest value of each, and its number of extra bits. */
const LENGTHS = steps([3, 4, 5, 6, 7, 8, 9, 10], 4, 29);
const DISTANCES = steps([1, 2, 3, 4], 2, 30);
LENGTHS[28] = { least: 258, extra: 0 };

/** The order in which the code lengths of the code-length alphabet are stored. */
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const END_OF_BLOCK = 256;
const LONGEST_CODE = 15;
const WINDOW = 1 << 15;

interface Step {
  readonly least: number;
  readonly extra: number;
}

function steps(first: readonly number[], perExtra: number, count: number): Step[] {
  const all: Step[] = first.map((least) => ({ least, extra: 0 }));
  while (all.length < count) {
    const { least, extra } = all.at(-1)!;
    all.push({ least: least + (1 << extra), extra: Math.floor(all.length / perExtra) - 1 });
  }
  return all;
}

/** Thrown at the end of the data. */
class DataEnd extends Error {}

/** Lookup by the next bits, lowest first: 16 * symbol + code length, or 0 for no code. */
interface Codes {
  readonly lookup: Uint16Array;
  readonly bits: number;
}

/**
 * Inflates until the data end or `take` returns false. Pieces are only valid until `take` returns. `late` pieces come from the bits of the
 * last byte; zlib outputs them only if called again after the others.
 *
 * @throws Error if the data are not zlib data.
 */
export function inflateCut(data: Uint8Array, take: (piece: Uint8Array, late: boolean) => boolean): void {
  const window = new Uint8Array(WINDOW);
  const input = new Bits(data, 2);
  let [start, at, wanted, late] = [0, 0, true, false];
  const flush = () => {
    wanted = take(window.subarray(start, at), late);
    start = at %= WINDOW;
  };
  const put = (byte: number) => {
    if (input.isEmpty && !late) {
      flush();
      late = true;
    }
    window[at++] = byte;
    if (at === WINDOW) flush();
  };
  try {
    for (let last = 0; last === 0 && wanted; ) {
      last = input.take(1);
      const kind = input.take(2);
      if (kind === 3) throw new Error('invalid block type');
      if (kind === 0) for (let left = input.storedLength(); left > 0 && wanted; left--) put(input.take(8));
      else {
        const [symbols, distances] = kind === 1 ? fixedCodes() : readCodes(input);
        for (let symbol = 0; symbol !== END_OF_BLOCK && wanted; ) {
          symbol = input.symbol(symbols);
          if (symbol < END_OF_BLOCK) put(symbol);
          if (symbol <= END_OF_BLOCK) continue;
          const length = input.step(LENGTHS[symbol - END_OF_BLOCK - 1]);
          const distance = input.step(DISTANCES[input.symbol(distances)]);
          for (let i = 0; i < length && wanted; i++) put(window[(at - distance) & (WINDOW - 1)]!);
        }
      }
    }
  } catch (error) {
    if (!(error instanceof DataEnd)) throw error;
  }
  if (wanted) flush();
}

/** A bit reader, lowest bits first. */
class Bits {
  #held = 0;
  #count = 0;

  constructor(
    private readonly data: Uint8Array,
    private at: number,
  ) {}

  /** Whether all bytes have been consumed; bits of the last one may be left. */
  get isEmpty(): boolean {
    return this.at >= this.data.length;
  }

  take(count: number): number {
    this.#fill(count);
    if (this.#count < count) throw new DataEnd();
    const value = this.#held & ((1 << count) - 1);
    this.#drop(count);
    return value;
  }

  symbol({ lookup, bits }: Codes): number {
    for (;;) {
      // Bits not read yet are 0 and may complete a wrong code, which is then longer than the bits available.
      const found = lookup[this.#held & ((1 << bits) - 1)]!;
      const length = found & 15;
      if (length > 0 && length <= this.#count) {
        this.#drop(length);
        return found >> 4;
      }
      if (this.#count >= bits) throw new Error('invalid code');
      if (this.isEmpty) throw new DataEnd();
      this.#fill(this.#count + 1);
    }
  }

  step(step: Step | undefined): number {
    if (!step) throw new Error('invalid length or distance');
    return step.least + this.take(step.extra);
  }

  /** Length of a stored block, which is aligned to a byte. */
  storedLength(): number {
    this.#drop(this.#count & 7);
    const length = this.take(16);
    if ((this.take(16) ^ length) !== 0xffff) throw new Error('invalid stored block');
    return length;
  }

  #fill(count: number): void {
    for (; this.#count < count && this.at < this.data.length; this.#count += 8)
      this.#held |= this.data[this.at++]! << this.#count;
  }

  #drop(count: number): void {
    this.#held >>>= count;
    this.#count -= count;
  }
}

function fixedCodes(): [symbols: Codes, distances: Codes] {
  const lengths = new Uint8Array(288).fill(8).fill(9, 144, 256).fill(7, 256, 280);
  return [codesOf(lengths), codesOf(new Uint8Array(30).fill(5))];
}

/** The codes defined at the beginning of a block (3.2.7). */
function readCodes(input: Bits): [symbols: Codes, distances: Codes] {
  const symbols = input.take(5) + 257;
  const distances = input.take(5) + 1;
  const own = new Uint8Array(19);
  for (let left = input.take(4) + 4, i = 0; i < left; i++) own[CODE_ORDER[i]!] = input.take(3);
  const codes = codesOf(own);
  const lengths = new Uint8Array(symbols + distances);
  for (let at = 0; at < lengths.length; ) {
    const symbol = input.symbol(codes);
    if (symbol < 16) {
      lengths[at++] = symbol;
      continue;
    }
    const times = symbol === 16 ? 3 + input.take(2) : symbol === 17 ? 3 + input.take(3) : 11 + input.take(7);
    lengths.fill(symbol === 16 ? (lengths[at - 1] ?? 0) : 0, at, at + times);
    at += times;
  }
  return [codesOf(lengths.subarray(0, symbols)), codesOf(lengths.subarray(symbols))];
}

/** Canonical codes from their lengths (3.2.2). */
function codesOf(lengths: Uint8Array): Codes {
  const bits = Math.max(1, ...lengths);
  const lookup = new Uint16Array(1 << bits);
  let code = 0;
  for (let length = 1; length <= LONGEST_CODE; length++, code <<= 1) {
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      if (code >= 1 << length) throw new Error('too many codes');
      // Codes are stored with their highest bit first.
      let reversed = 0;
      for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
      for (let at = reversed; at < lookup.length; at += 1 << length) lookup[at] = (symbol << 4) | length;
      code++;
    }
  }
  return { lookup, bits };
}
