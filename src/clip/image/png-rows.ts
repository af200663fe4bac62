/**
 * Decodes PNG's stream of filtered rows into 8-bit samples (PNG Specification: 8 interlacing, 9 filtering, 7.2 packing).
 *
 * An interlaced image is a sequence of seven smaller images (Adam7); other images are treated as a single pass with all pixels.
 */
import { InputError } from '../../errors.js';
import { quoted } from '../checkpoint/quoted.js';

interface Pass {
  readonly left: number;
  readonly top: number;
  readonly stepX: number;
  readonly stepY: number;
}

const WHOLE: readonly Pass[] = [{ left: 0, top: 0, stepX: 1, stepY: 1 }];

const ADAM7: readonly Pass[] = [
  { left: 0, top: 0, stepX: 8, stepY: 8 },
  { left: 4, top: 0, stepX: 8, stepY: 8 },
  { left: 0, top: 4, stepX: 4, stepY: 8 },
  { left: 2, top: 0, stepX: 4, stepY: 4 },
  { left: 0, top: 2, stepX: 2, stepY: 4 },
  { left: 1, top: 0, stepX: 2, stepY: 2 },
  { left: 0, top: 1, stepX: 1, stepY: 2 },
];

export class PngRows {
  /** [height, width, channels]; the high byte of 16-bit samples, grey of fewer than 8 bits scaled up to 255. */
  readonly pixels: Uint8Array;
  /** The error, if a row could not be decoded. */
  error: string | undefined;
  /** Whether there were bytes after the last row. */
  surplus = false;
  /** Rows decoded so far, in all passes. */
  rowsDone = 0;

  readonly #width: number;
  readonly #height: number;
  readonly #channels: number;
  readonly #depth: number;
  /** Factor for samples of fewer than 8 bits; 1 for palette indices. */
  readonly #scale: number;
  /** Distance in bytes to the sample's left neighbour; at least 1. */
  readonly #pixelBytes: number;
  readonly #passes: Pass[];

  #pass: Pass | undefined;
  #passWidth = 0;
  #y = 0;
  /** The row being filled (filter type first) and the row above it. */
  #row = new Uint8Array(0);
  #above = new Uint8Array(0);
  #filled = 0;

  constructor(width: number, height: number, channels: number, depth: number, interlaced: boolean, indexed: boolean) {
    this.pixels = new Uint8Array(width * height * channels);
    this.#width = width;
    this.#height = height;
    this.#channels = channels;
    this.#depth = depth;
    this.#scale = indexed || depth >= 8 ? 1 : 255 / (2 ** depth - 1);
    this.#pixelBytes = Math.max(1, (channels * depth) >> 3);
    // In small images some passes are empty, and then have no rows.
    this.#passes = (interlaced ? ADAM7 : WHOLE).filter(({ left, top }) => left < width && top < height);
    this.#startPass();
  }

  /** Whether all pixels are decoded. */
  get complete(): boolean {
    return this.#pass === undefined;
  }

  /** Bytes missing from a row that has been started, or from the first row. */
  get restOfRow(): number {
    return this.#filled > 0 || this.rowsDone === 0 ? this.#row.length - this.#filled : 0;
  }

  /** Takes the next inflated bytes, in pieces of any size; bytes after the last row are ignored. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.complete && this.error === undefined) {
      const take = Math.min(bytes.length - at, this.#row.length - this.#filled);
      this.#row.set(bytes.subarray(at, at + take), this.#filled);
      this.#filled += take;
      at += take;
      if (this.#filled === this.#row.length) this.#endRow();
    }
    this.surplus ||= this.complete && at < bytes.length;
  }

  #startPass(): void {
    this.#pass = this.#passes.shift();
    if (!this.#pass) return;
    this.#passWidth = Math.ceil((this.#width - this.#pass.left) / this.#pass.stepX);
    const bytes = 1 + Math.ceil((this.#passWidth * this.#channels * this.#depth) / 8);
    this.#row = new Uint8Array(bytes);
    this.#above = new Uint8Array(bytes);
    this.#filled = 0;
    this.#y = this.#pass.top;
  }

  #endRow(): void {
    const pass = this.#pass;
    if (!pass) return;
    const filter = this.#row[0] ?? 0;
    if (filter > 4) {
      this.error = `row filter ${filter}`;
      return;
    }
    unfilter(filter, this.#row, this.#above, this.#pixelBytes);
    this.#unpack(pass);
    [this.#row, this.#above] = [this.#above, this.#row];
    this.#filled = 0;
    this.rowsDone++;
    this.#y += pass.stepY;
    if (this.#y >= this.#height) this.#startPass();
  }

  #unpack(pass: Pass): void {
    const { pixels } = this;
    const row = this.#row;
    const channels = this.#channels;
    const depth = this.#depth;
    const start = (this.#y * this.#width + pass.left) * channels;
    if (depth === 8 && pass.stepX === 1) {
      pixels.set(row.subarray(1), start);
      return;
    }
    const step = pass.stepX * channels;
    const mask = 2 ** depth - 1;
    for (let x = 0, to = start; x < this.#passWidth; x++, to += step) {
      for (let channel = 0; channel < channels; channel++) {
        const bit = (x * channels + channel) * depth;
        const byte = row[1 + (bit >> 3)] ?? 0;
        pixels[to + channel] = depth >= 8 ? byte : ((byte >> (8 - depth - (bit & 7))) & mask) * this.#scale;
      }
    }
  }
}

/** Undoes a row's filter in place. Index 0 of both rows is the filter type; before the first row, `above` is all zero. */
function unfilter(filter: number, row: Uint8Array, above: Uint8Array, pixelBytes: number): void {
  // The bytes of the first pixel have no left neighbour, and index 0 holds the filter type.
  const first = 1 + pixelBytes;
  const end = row.length;
  if (filter === 1) {
    for (let i = first; i < end; i++) row[i] = row[i]! + row[i - pixelBytes]!;
  } else if (filter === 2) {
    for (let i = 1; i < end; i++) row[i] = row[i]! + above[i]!;
  } else if (filter === 3) {
    for (let i = 1; i < end; i++) row[i] = row[i]! + ((above[i]! + (i < first ? 0 : row[i - pixelBytes]!)) >> 1);
  } else if (filter === 4) {
    // A channel at a time, with its neighbours in variables: several times as fast as to read them again.
    for (let channel = 1; channel < first; channel++) {
      let left = 0;
      let upperLeft = 0;
      for (let i = channel; i < end; i += pixelBytes) {
        const up = above[i]!;
        left = (row[i]! + paeth(left, up, upperLeft)) & 0xff;
        upperLeft = up;
        row[i] = left;
      }
    }
  }
}

/** Whichever of left, above and upper left is nearest to left + above - upperLeft; ties go to the first. */
function paeth(left: number, above: number, upperLeft: number): number {
  const toLeft = Math.abs(above - upperLeft);
  const toAbove = Math.abs(left - upperLeft);
  const toUpperLeft = Math.abs(left + above - 2 * upperLeft);
  if (toLeft <= toAbove && toLeft <= toUpperLeft) return left;
  return toAbove <= toUpperLeft ? above : upperLeft;
}

export interface PngChunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** Whether the chunk is truncated. */
  readonly isCut: boolean;
}

/** Chunks that determine the pixels; others are skipped. */
const USED = new Set(['IHDR', 'PLTE', 'IDAT']);

const SIGNATURE_BYTES = 8;
const CHUNK_HEADER = 8;

/**
 * The chunks that determine the pixels, in order, up to the end chunk or the end of the file. A truncated last chunk is
 * included, so that a file with all pixels can still be read. As in Pillow, checksums are verified for all chunks before the image
 * data, but not for the image data, which contain another one.
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

/** Table of the CRC-32 of zlib, gzip and PNG (polynomial 0xEDB88320, reflected), by byte. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** The CRC-32 of zlib, gzip and PNG. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
