/** What the two kinds of coding have in common. */

/** Of one scan: which coefficients of the zigzag order it holds, and of those which bits (ITU-T T.81, G.1.1.1). */
export interface ScanParameters {
  readonly progressive: boolean;
  readonly first: number;
  readonly last: number;
  /** Bits below this one were not known before; 0: none were. */
  readonly high: number;
  /** Bits below this one are for later scans. */
  readonly low: number;
}

/** Decodes the blocks of a scan, one after another. */
export interface BlockDecoder {
  /** Begins anew with the data between two restart markers, in which no zero follows a byte 0xff that the data do not have. */
  start(data: Uint8Array): void;
  /** Writes coefficients of a block of the scan's component to the 64 of `out` from `at` on, by rows. */
  block(component: number, out: Int16Array, at: number): void;
  /** Whether more was read than there is; what is not there reads as 0. */
  readonly starved: boolean;
}

/**
 * Place in a block of 8 x 8 of each coefficient in zigzag order (figure A.6); then, as in libjpeg, 16 times the last one, where those end up
 * that damaged data have beyond it.
 */
export const ZIGZAG: Uint8Array = zigzag();

function zigzag(): Uint8Array {
  const places = Array.from({ length: 64 }, (_, i) => ({ x: i & 7, y: i >> 3 }));
  const along = ({ x, y }: { x: number; y: number }) => ((x + y) % 2 === 0 ? x : y);
  places.sort((a, b) => a.x + a.y - (b.x + b.y) || along(a) - along(b));
  return Uint8Array.from([...places.map(({ x, y }) => y * 8 + x), ...Array<number>(16).fill(63)]);
}

/** A number of `size` bits as JPEG writes those of either sign (table F.1). */
export function signed(value: number, size: number): number {
  return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
}
