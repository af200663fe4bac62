/** Definitions shared by Huffman and arithmetic coding. */

/** The coefficients (in zigzag order) of a scan, and their bits (ITU-T T.81, G.1.1.1). */
export interface ScanParameters {
  readonly progressive: boolean;
  readonly first: number;
  readonly last: number;
  /** Lowest bit known from earlier scans; 0 in the first scan. */
  readonly high: number;
  /** Lowest bit in this scan. */
  readonly low: number;
}

/** Decodes the blocks of a scan in order. */
export interface BlockDecoder {
  /** Restarts with the data between two restart markers, from which stuffed zeros have been removed. */
  start(data: Uint8Array): void;
  /** Decodes a block of the scan's component into the 64 coefficients of `out` starting at `at`, row-major. */
  block(component: number, out: Int16Array, at: number): void;
  /** Whether it has read past the end of the data, which yields zeros. */
  readonly starved: boolean;
}

/**
 * Position in an 8 x 8 block of each coefficient in zigzag order (figure A.6), followed as in libjpeg by 16 times the last position, for
 * the excess coefficients of damaged data.
 */
export const ZIGZAG: Uint8Array = zigzag();

function zigzag(): Uint8Array {
  const places = Array.from({ length: 64 }, (_, i) => ({ x: i & 7, y: i >> 3 }));
  const along = ({ x, y }: { x: number; y: number }) => ((x + y) % 2 === 0 ? x : y);
  places.sort((a, b) => a.x + a.y - (b.x + b.y) || along(a) - along(b));
  return Uint8Array.from([...places.map(({ x, y }) => y * 8 + x), ...Array<number>(16).fill(63)]);
}

/** Decodes JPEG's representation of a signed number with `size` bits (table F.1). */
export function signed(value: number, size: number): number {
  return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
}
