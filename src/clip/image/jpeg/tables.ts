/** Tables defined between a JPEG file's scans; later definitions replace earlier ones (ITU-T T.81, B.2.4). */
import { type Conditioning, USUAL_CONDITIONING } from './arithmetic.js';
import type { JpegSegment } from './header.js';
import { huffmanLookup } from './huffman.js';
import { ZIGZAG } from './scan.js';

const DQT = 0xdb;
const DHT = 0xc4;
const DAC = 0xcc;
const DRI = 0xdd;

export class JpegTables {
  /** By table index: factors of the coefficients, row-major. */
  readonly quantisation: Map<number, Uint16Array> = new Map();
  /** Units of a scan between two restart markers; 0 if there are no markers. */
  restartInterval = 0;
  /** By table index, plus `AC` for AC tables. */
  readonly #codes = new Map<number, Uint8Array>();
  readonly #lookups = new Map<Uint8Array, Uint16Array>();
  readonly #conditioning = new Map<number, Conditioning>();

  /** Applies the definitions in a segment. */
  read({ marker, data }: JpegSegment): void {
    if (marker === DQT) this.#readQuantisation(data);
    else if (marker === DHT) this.#readCodes(data);
    else if (marker === DAC) this.#readConditioning(data);
    else if (marker === DRI) this.restartInterval = ((data[0] ?? 0) << 8) | (data[1] ?? 0);
  }

  /** The Huffman codes of a table. Throws Error if they are undefined or invalid. */
  lookup(kind: 'DC' | 'AC', table: number): Uint16Array {
    const codes = this.#codes.get(table + (kind === 'AC' ? 16 : 0));
    if (!codes) throw new Error(`no Huffman table ${table} for ${kind}`);
    const lookup = this.#lookups.get(codes) ?? huffmanLookup(codes.subarray(0, 16), codes.subarray(16));
    this.#lookups.set(codes, lookup);
    return lookup;
  }

  conditioning(dc: number, ac: number): Conditioning {
    const { smallest, largest } = this.#conditioning.get(dc) ?? USUAL_CONDITIONING;
    return { smallest, largest, lowest: (this.#conditioning.get(ac + 16) ?? USUAL_CONDITIONING).lowest };
  }

  #readQuantisation(data: Uint8Array): void {
    for (let at = 0; at < data.length; ) {
      const [bytes, table] = [data[at]! >> 4 ? 2 : 1, new Uint16Array(64)];
      const factors = data.subarray(at + 1, at + 1 + 64 * bytes);
      if (factors.length < 64 * bytes) throw new Error('a quantisation table that is cut');
      for (let k = 0; k < 64; k++) {
        table[ZIGZAG[k]!] = bytes === 1 ? factors[k]! : (factors[2 * k]! << 8) | factors[2 * k + 1]!;
      }
      this.quantisation.set(data[at]! & 15, table);
      at += 1 + 64 * bytes;
    }
  }

  #readCodes(data: Uint8Array): void {
    for (let at = 0; at < data.length; ) {
      const symbols = data.subarray(at + 1, at + 17).reduce((sum, count) => sum + count, 0);
      const codes = data.subarray(at + 1, at + 17 + symbols);
      if (symbols > 256 || codes.length < 16 + symbols) throw new Error('a Huffman table that is cut');
      this.#codes.set(data[at]! & 31, codes);
      at += 17 + symbols;
    }
  }

  #readConditioning(data: Uint8Array): void {
    for (let at = 0; at + 1 < data.length; at += 2) {
      const value = data[at + 1]!;
      this.#conditioning.set(data[at]! & 31, { smallest: value & 15, largest: value >> 4, lowest: value });
    }
  }
}
