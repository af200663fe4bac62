/** Decoder for JPEG's Huffman coding of coefficients, sequential (ITU-T T.81, F.2.2) and progressive (G.1.2). */
import { type BlockDecoder, type ScanParameters, signed, ZIGZAG } from './scan.js';

const LONGEST = 16;

/** By the next 16 bits: 256 * length of the code at their beginning + its symbol; 0 if there is no code. */
type Lookup = Uint16Array;

/**
 * @param counts number of codes of 1 to 16 bits
 * @param symbols in code order
 * @throws Error if there are more codes than fit.
 */
export function huffmanLookup(counts: Uint8Array, symbols: Uint8Array): Lookup {
  const lookup = new Uint16Array(1 << LONGEST);
  let [at, symbol] = [0, 0];
  for (let length = 1; length <= LONGEST; length++) {
    for (let i = 0; i < counts[length - 1]!; i++, symbol++) {
      const next = at + (1 << (LONGEST - length));
      if (next > lookup.length) throw new Error('a Huffman table of too many codes');
      lookup.fill((length << 8) | symbols[symbol]!, at, next);
      at = next;
    }
  }
  return lookup;
}

export class HuffmanDecoder implements BlockDecoder {
  readonly #scan: ScanParameters;
  readonly #dc: readonly (Lookup | undefined)[];
  readonly #ac: readonly (Lookup | undefined)[];
  #data: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** The lowest `#held` bits have been read but not used. */
  #bits = 0;
  #held = 0;
  #predictions = new Int32Array(4);
  /** Number of following blocks whose bands are empty. */
  #emptyBands = 0;

  /** @param dc, ac tables by component of the scan, if it needs them */
  constructor(scan: ScanParameters, dc: readonly (Lookup | undefined)[], ac: readonly (Lookup | undefined)[]) {
    this.#scan = scan;
    this.#dc = dc;
    this.#ac = ac;
  }

  start(data: Uint8Array): void {
    this.#data = data;
    this.#at = this.#bits = this.#held = this.#emptyBands = 0;
    this.#predictions.fill(0);
  }

  get starved(): boolean {
    return this.#at * 8 - this.#held > this.#data.length * 8;
  }

  block(component: number, out: Int16Array, at: number): void {
    const { progressive, first, high, low } = this.#scan;
    if (!progressive) this.#sequential(component, out, at);
    else if (first === 0 && high === 0) out[at] = this.#nextDc(component) << low;
    else if (first === 0) out[at]! |= this.#take(1) << low;
    else if (high === 0) this.#firstBits(component, out, at);
    else this.#nextBit(component, out, at);
  }

  #sequential(component: number, out: Int16Array, at: number): void {
    out[at] = this.#nextDc(component);
    const codes = this.#ac[component]!;
    for (let k = 1; k < 64; k++) {
      const symbol = this.#symbol(codes);
      const size = symbol & 15;
      k += symbol >> 4;
      if (size > 0) {
        const value = signed(this.#take(size), size);
        out[at + ZIGZAG[k]!] = value;
      } else if (symbol !== 0xf0) return;
    }
  }

  #nextDc(component: number): number {
    const size = this.#symbol(this.#dc[component]!) & 15;
    this.#predictions[component]! += size === 0 ? 0 : signed(this.#take(size), size);
    return this.#predictions[component]!;
  }

  /** Decodes the first bits of a band's coefficients (G.1.2.2). */
  #firstBits(component: number, out: Int16Array, at: number): void {
    if (this.#emptyBands > 0) {
      this.#emptyBands--;
      return;
    }
    const { first, last, low } = this.#scan;
    const codes = this.#ac[component]!;
    for (let k = first; k <= last; k++) {
      const symbol = this.#symbol(codes);
      const [run, size] = [symbol >> 4, symbol & 15];
      k += run;
      if (size > 0) {
        const value = signed(this.#take(size), size) << low;
        out[at + ZIGZAG[k]!] = value;
      } else if (run < 15) {
        this.#emptyBands = (1 << run) - 1 + this.#take(run);
        return;
      }
    }
  }

  /** Decodes one more bit of a band's coefficients (G.1.2.3): of those that are not 0, and of new ones. */
  #nextBit(component: number, out: Int16Array, at: number): void {
    const { first, last, low } = this.#scan;
    const codes = this.#ac[component]!;
    let k = first;
    while (this.#emptyBands === 0 && k <= last) {
      const symbol = this.#symbol(codes);
      const [run, size] = [symbol >> 4, symbol & 15];
      if (size === 0 && run < 15) {
        this.#emptyBands = (1 << run) + this.#take(run);
        break;
      }
      const fresh = size === 0 ? 0 : (this.#take(1) === 1 ? 1 : -1) * (1 << low);
      k = this.#refine(out, at, k, run);
      if (fresh !== 0) out[at + ZIGZAG[k]!] = fresh;
      k++;
    }
    if (this.#emptyBands > 0) {
      this.#refine(out, at, k, 64);
      this.#emptyBands--;
    }
  }

  /** Refines the nonzero coefficients starting at `k`; stops at the zero that follows `zeros` other zeros, or after the band. */
  #refine(out: Int16Array, at: number, k: number, zeros: number): number {
    const { last, low } = this.#scan;
    let left = zeros;
    for (; k <= last; k++) {
      const place = at + ZIGZAG[k]!;
      const value = out[place]!;
      if (value === 0) {
        if (left-- === 0) break;
      } else if (this.#take(1) === 1 && (value & (1 << low)) === 0)
        out[place] = value + (value > 0 ? 1 : -1) * (1 << low);
    }
    return k;
  }

  #symbol(codes: Lookup): number {
    this.#fill();
    const found = codes[(this.#bits >>> (this.#held - LONGEST)) & 0xffff]!;
    // As in libjpeg, bits that are not a code count as a code of maximum length for symbol 0.
    this.#held -= found === 0 ? LONGEST : found >> 8;
    return found & 255;
  }

  #take(count: number): number {
    if (count === 0) return 0;
    this.#fill();
    this.#held -= count;
    return (this.#bits >>> this.#held) & ((1 << count) - 1);
  }

  #fill(): void {
    for (; this.#held < LONGEST; this.#held += 8) this.#bits = (this.#bits << 8) | (this.#data[this.#at++] ?? 0);
  }
}
