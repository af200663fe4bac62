/**
 * Decoder for JPEG's arithmetic coding of coefficients, sequential (ITU-T T.81, annex D and F.2.4) and progressive (G.1.3). Such files are
 * rare, but Pillow reads them.
 */
import { type BlockDecoder, type ScanParameters, ZIGZAG } from './scan.js';

/** Table D.3: by state, the share of the less probable symbol, and the next states after it and after the more probable one. */
const SHARE = Uint16Array.from([
  0x5a1d, 0x2586, 0x1114, 0x080b, 0x03d8, 0x01da, 0x00e5, 0x006f, 0x0036, 0x001a, 0x000d, 0x0006, 0x0003, 0x0001,
  0x5a7f, 0x3f25, 0x2cf2, 0x207c, 0x17b9, 0x1182, 0x0cef, 0x09a1, 0x072f, 0x055c, 0x0406, 0x0303, 0x0240, 0x01b1,
  0x0144, 0x00f5, 0x00b7, 0x008a, 0x0068, 0x004e, 0x003b, 0x002c, 0x5ae1, 0x484c, 0x3a0d, 0x2ef1, 0x261f, 0x1f33,
  0x19a8, 0x1518, 0x1177, 0x0e74, 0x0bfb, 0x09f8, 0x0861, 0x0706, 0x05cd, 0x04de, 0x040f, 0x0363, 0x02d4, 0x025c,
  0x01f8, 0x01a4, 0x0160, 0x0125, 0x00f6, 0x00cb, 0x00ab, 0x008f, 0x5b12, 0x4d04, 0x412c, 0x37d8, 0x2fe8, 0x293c,
  0x2379, 0x1edf, 0x1aa9, 0x174e, 0x1424, 0x119c, 0x0f6b, 0x0d51, 0x0bb6, 0x0a40, 0x5832, 0x4d1c, 0x438e, 0x3bdd,
  0x34ee, 0x2eae, 0x299a, 0x2516, 0x5570, 0x4ca9, 0x44d9, 0x3e22, 0x3824, 0x32b4, 0x2e17, 0x56a8, 0x4f46, 0x47e5,
  0x41cf, 0x3c3d, 0x375e, 0x5231, 0x4c0f, 0x4639, 0x415e, 0x5627, 0x50e7, 0x4b85, 0x5597, 0x504f, 0x5a10, 0x5522,
  0x59eb, 0x5a1d,
]);
const AFTER_LESS = Uint8Array.from([
  1, 14, 16, 18, 20, 23, 25, 28, 30, 33, 35, 9, 10, 12, 15, 36, 38, 39, 40, 42, 43, 45, 46, 48, 49, 51, 52, 54, 56, 57,
  59, 60, 62, 63, 32, 33, 37, 64, 65, 67, 68, 69, 70, 72, 73, 74, 75, 77, 78, 79, 48, 50, 50, 51, 52, 53, 54, 55, 56,
  57, 58, 59, 61, 61, 65, 80, 81, 82, 83, 84, 86, 87, 87, 72, 72, 74, 74, 75, 77, 77, 80, 88, 89, 90, 91, 92, 93, 86,
  88, 95, 96, 97, 99, 99, 93, 95, 101, 102, 103, 104, 99, 105, 106, 107, 103, 105, 108, 109, 110, 111, 110, 112, 112,
  113,
]);
const AFTER_MORE = Uint8Array.from([
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32,
  33, 34, 35, 9, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
  63, 32, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 48, 81, 82, 83, 84, 85, 86, 87, 71, 89, 90, 91,
  92, 93, 94, 86, 96, 97, 98, 99, 100, 93, 102, 103, 104, 99, 106, 107, 103, 109, 107, 111, 109, 111, 113,
]);
/** States in which the symbols swap roles after the less probable one. */
const SWITCHING = new Set([0, 14, 36, 64, 80, 88, 95, 105, 110, 112]);

/** Limits between small and large DC differences, and between low and high AC coefficients (B.2.4.3). */
export interface Conditioning {
  readonly smallest: number;
  readonly largest: number;
  readonly lowest: number;
}
export const USUAL_CONDITIONING: Conditioning = { smallest: 0, largest: 1, lowest: 5 };

/** Statistics of binary decisions: the state of table D.3, and the more probable symbol in bit 7. */
type Statistics = Uint8Array;
const MORE_PROBABLE = 0x80;
const EVEN_ODDS = 113;

/** Layout of the decisions (tables F.4 and F.5): those about a DC difference or a coefficient, followed by those about its magnitude. */
const DC_DECISIONS = 64;
const AC_DECISIONS = 256;
const DC_MAGNITUDE = 20;
const LOW_MAGNITUDE = 189;
const HIGH_MAGNITUDE = 217;
/** Offset from the decision about a magnitude's number of bits to the one about the bits. */
const TO_BITS = 14;
const LARGEST_MAGNITUDE = 0x8000;

export class ArithmeticDecoder implements BlockDecoder {
  readonly #scan: ScanParameters;
  readonly #conditioning: readonly Conditioning[];
  /** By component of the scan; components with the same table share its statistics. */
  readonly #dc: readonly Statistics[];
  readonly #ac: readonly Statistics[];
  #evenOdds = Uint8Array.of(EVEN_ODDS);
  #data: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** The registers C, A and CT of annex D. */
  #code = 0;
  #interval = 0;
  #shifts = 0;
  #predictions = new Int32Array(4);
  /** By component: the first DC decision, a multiple of 4 that depends on the previous difference. */
  #contexts = new Uint8Array(4);

  /** @param tables, conditioning by component of the scan */
  constructor(
    scan: ScanParameters,
    tables: readonly { readonly dc: number; readonly ac: number }[],
    conditioning: readonly Conditioning[],
  ) {
    this.#scan = scan;
    this.#conditioning = conditioning;
    const shared = (size: number, which: readonly number[]) => {
      const byTable = new Map(which.map((table) => [table, new Uint8Array(size)]));
      return which.map((table) => byTable.get(table)!);
    };
    this.#dc = shared(
      DC_DECISIONS,
      tables.map(({ dc }) => dc),
    );
    this.#ac = shared(
      AC_DECISIONS,
      tables.map(({ ac }) => ac),
    );
  }

  start(data: Uint8Array): void {
    for (const statistics of [...this.#dc, ...this.#ac]) statistics.fill(0);
    this.#predictions.fill(0);
    this.#contexts.fill(0);
    this.#data = data;
    this.#code = ((data[0] ?? 0) * 256 + (data[1] ?? 0)) * 65_536;
    this.#at = 2;
    this.#interval = 0x10000;
    this.#shifts = 0;
  }

  get starved(): boolean {
    return this.#at > this.#data.length;
  }

  block(component: number, out: Int16Array, at: number): void {
    const { progressive, first, last, high, low } = this.#scan;
    if (first === 0 && high > 0) out[at]! |= this.#even() << low;
    else if (first === 0) out[at] = this.#nextDc(component) << low;
    if (!progressive) this.#firstBits(component, out, at, 1, 63);
    else if (first > 0 && high === 0) this.#firstBits(component, out, at, first, last);
    else if (first > 0) this.#nextBit(component, out, at);
  }

  /** Decodes a DC difference (F.2.4.1). */
  #nextDc(component: number): number {
    const statistics = this.#dc[component]!;
    const context = this.#contexts[component]!;
    this.#contexts[component] = 0;
    if (this.#decide(statistics, context)) {
      const { smallest, largest } = this.#conditioning[component]!;
      const negative = this.#decide(statistics, context + 1);
      const sign = context + 2 + negative;
      let [magnitude, at] = [this.#decide(statistics, sign), sign];
      if (magnitude > 0) [magnitude, at] = this.#magnitude(statistics, 1, DC_MAGNITUDE);
      if (magnitude > (1 << largest) >> 1) this.#contexts[component] = 12 + 4 * negative;
      else if (magnitude >= (1 << smallest) >> 1) this.#contexts[component] = 4 + 4 * negative;
      const size = this.#bitsBelow(statistics, magnitude, at) + 1;
      this.#predictions[component]! += negative ? -size : size;
    }
    return this.#predictions[component]!;
  }

  /** Decodes a band's coefficients, or their first bits (F.2.4.2). */
  #firstBits(component: number, out: Int16Array, at: number, first: number, last: number): void {
    const statistics = this.#ac[component]!;
    for (let k = first; k <= last; k++) {
      if (this.#decide(statistics, 3 * (k - 1))) return;
      while (!this.#decide(statistics, 3 * (k - 1) + 1)) if (++k > last) return;
      const negative = this.#even();
      const here = 3 * (k - 1) + 2;
      let [magnitude, place] = [this.#decide(statistics, here), here];
      if (magnitude > 0 && this.#decide(statistics, here)) {
        const lowest = this.#conditioning[component]!.lowest;
        [magnitude, place] = this.#magnitude(statistics, 2, k <= lowest ? LOW_MAGNITUDE : HIGH_MAGNITUDE);
      }
      const size = this.#bitsBelow(statistics, magnitude, place) + 1;
      out[at + ZIGZAG[k]!] = (negative ? -size : size) << this.#scan.low;
    }
  }

  /** Decodes one more bit of a band's coefficients (G.1.3.3). */
  #nextBit(component: number, out: Int16Array, at: number): void {
    const { first, last, low } = this.#scan;
    const statistics = this.#ac[component]!;
    let end = last;
    while (end > 0 && out[at + ZIGZAG[end]!] === 0) end--;
    for (let k = first; k <= last; k++) {
      if (k > end && this.#decide(statistics, 3 * (k - 1))) return;
      for (; ; k++) {
        const place = at + ZIGZAG[k]!;
        const value = out[place]!;
        if (value !== 0) {
          if (this.#decide(statistics, 3 * (k - 1) + 2)) out[place] = value + (value > 0 ? 1 : -1) * (1 << low);
          break;
        }
        if (this.#decide(statistics, 3 * (k - 1) + 1)) {
          out[place] = (this.#even() ? -1 : 1) * (1 << low);
          break;
        }
        if (k === last) return;
      }
    }
  }

  /** Doubles `magnitude` for each positive decision; also returns the index of the last decision. */
  #magnitude(statistics: Statistics, magnitude: number, from: number): [magnitude: number, at: number] {
    let [doubled, at] = [magnitude, from];
    while (this.#decide(statistics, at) && doubled < LARGEST_MAGNITUDE) {
      doubled *= 2;
      at++;
    }
    return [doubled, at];
  }

  /** Decodes the bits below a magnitude's highest bit; returns the complete value. */
  #bitsBelow(statistics: Statistics, magnitude: number, at: number): number {
    let value = magnitude;
    for (let bit = magnitude >> 1; bit > 0; bit >>= 1) if (this.#decide(statistics, at + TO_BITS)) value |= bit;
    return value;
  }

  #even(): number {
    return this.#decide(this.#evenOdds, 0);
  }

  /** One binary decision (D.2): 0 or 1. */
  #decide(statistics: Statistics, at: number): number {
    const known = statistics[at]!;
    const state = known & 127;
    const more = known >> 7;
    const share = SHARE[state]!;
    this.#interval -= share;
    const inUpper = Math.floor(this.#code / 65_536) >= this.#interval;
    if (!inUpper && this.#interval >= 0x8000) return more;
    // The larger part of the interval belongs to the more probable symbol.
    const isLess = inUpper === this.#interval >= share;
    if (inUpper) {
      this.#code -= this.#interval * 65_536;
      this.#interval = share;
    }
    if (isLess)
      statistics[at] =
        AFTER_LESS[state]! | (SWITCHING.has(state) ? (known & MORE_PROBABLE) ^ MORE_PROBABLE : known & MORE_PROBABLE);
    else statistics[at] = AFTER_MORE[state]! | (known & MORE_PROBABLE);
    do {
      if (this.#shifts === 0) {
        this.#code += (this.#data[this.#at++] ?? 0) * 256;
        this.#shifts = 8;
      }
      this.#interval *= 2;
      this.#code *= 2;
      this.#shifts--;
    } while (this.#interval < 0x8000);
    return isLess ? 1 - more : more;
  }
}
