/** The chunks of a PNG file: length, type, data, checksum (PNG Specification, 5.3). */
import { InputError } from '../../errors.js';
import { quoted } from '../checkpoint/quoted.js';

export interface PngChunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** Less is there than the chunk claims. */
  readonly isCut: boolean;
}

/** Chunks that decide the pixels; only they are given. */
const USED = new Set(['IHDR', 'PLTE', 'IDAT']);

const SIGNATURE_BYTES = 8;
const CHUNK_HEADER = 8;

/**
 * The chunks that decide the pixels, in order, up to the end chunk or the end of the file. The last one may be cut: what
 * is there of it is given, so that a file whose pixels are all there is still read. Checksums are verified as Pillow does it: of all
 * chunks before the image data, but not of those, which have another one inside.
 *
 * @throws InputError on a wrong checksum.
 */
export function* pngChunks(bytes: Uint8Array, name: string): Generator<PngChunk, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = SIGNATURE_BYTES;
  let verifies = true;
  while (at + CHUNK_HEADER <= bytes.length) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (type === 'IEND') return;
    const end = at + 8 + length;
    if (type === 'IDAT') verifies = false;
    if (verifies && end + 4 <= bytes.length && crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end)) {
      throw new InputError(`${name}: damaged PNG image (wrong checksum of ${quoted(type)} at byte ${at})`);
    }
    if (USED.has(type)) yield { type, data: bytes.subarray(at + 8, end), isCut: end > bytes.length };
    at = end + 4;
  }
}

/** CRC-32 of zlib, gzip and PNG (polynomial 0xEDB88320, reflected), by byte. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** Of zlib, gzip and PNG alike. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
