/**
 * PNG decoder (W3C PNG Specification, third edition), using zlib in Node and fflate's inflate elsewhere.
 *
 * Why not a library: fast-png 8 misreads interlaced images of less than 8 bits and inflates hostile files without limit; pngjs
 * needs Node's zlib. With fflate this decoder streams: inflated bytes become rows as they arrive, so it holds the image and two rows and
 * stops at the end of the image. Like CLIP's preprocessing, it ignores colour management (gAMA, iCCP) and transparency chunks.
 */
import { Unzlib } from 'fflate';
import { InputError } from '../../errors.js';
import {
  CHANNELS,
  checkDimensions,
  type DecodedImage,
  type ImageMode,
  PIXELS_FOR_NOTHING,
  type TruncatedImages,
  wholePalette,
} from './decoded-image.js';
import { inflateCut } from './inflate-cut.js';
import { PngRows, pngChunks } from './png-rows.js';

/** By colour type: mode and permitted depths. One-bit grey is Pillow's mode 1, 16-bit grey its mode I. */
const COLOR_TYPES: Readonly<Record<number, { mode: ImageMode; depths: readonly number[] }>> = {
  0: { mode: 'L', depths: [1, 2, 4, 8, 16] },
  2: { mode: 'RGB', depths: [8, 16] },
  3: { mode: 'P', depths: [1, 2, 4, 8] },
  4: { mode: 'LA', depths: [8, 16] },
  6: { mode: 'RGBA', depths: [8, 16] },
};

/** Deflate's maximum expansion. */
const DEFLATE_RATIO = 1032;

/** Compressed bytes inflated at a time; bounds how much is inflated beyond the last row. */
const INFLATE_STEP = 1 << 13;

/** @throws InputError if the file is damaged, cut short, or too large; see `decodeImage`. */
export function decodePng(bytes: Uint8Array, name: string, truncated: TruncatedImages = 'skip'): DecodedImage {
  const chunks = pngChunks(bytes, name);
  const header = chunks.next().value;
  if (header?.type !== 'IHDR' || header.data.length !== 13) {
    throw new InputError(`${name}: expected a PNG header (IHDR of 13 bytes) first, found ${header?.type ?? 'nothing'}`);
  }
  const { width, height, depth, mode, interlaced } = readHeader(header.data, name);
  checkDimensions(width, height, name);

  const parts: Uint8Array[] = [];
  let palette: Uint8Array | undefined;
  let isCut = false;
  for (const chunk of chunks) {
    isCut = chunk.isCut;
    if (chunk.type === 'IDAT') parts.push(chunk.data);
    else if (chunk.type === 'PLTE' && mode === 'P') palette = readPalette(chunk.data, name);
  }
  if (mode === 'P' && !palette) throw new InputError(`${name}: PNG image has palette indices but no palette`);

  const channels = CHANNELS[mode];
  const packedSize = Math.ceil((width * channels * depth) / 8) * height;
  const data = joined(parts);
  const isRead = truncated === 'read' && parts.length > 0;
  if (data.length * DEFLATE_RATIO < packedSize && !(isRead && width * height <= PIXELS_FOR_NOTHING)) {
    throw cutShort(name, `${data.length} bytes of image data`);
  }

  const newRows = () => new PngRows(width, height, channels, depth, interlaced, mode === 'P');
  // Each row begins with its filter, and an interlaced image has at most seven partial rows for each row.
  const filtered = packedSize + (interlaced ? 14 * height : height);
  const whole = isCut ? undefined : inflateNatively(data, filtered);
  if (whole) {
    const rows = newRows();
    rows.push(whole);
    if (rows.complete && !rows.surplus) return { width, height, mode, data: rows.pixels, ...(palette && { palette }) };
  }
  // Slower, and exact about what a damaged or truncated image still has.
  let rows = newRows();
  const pixels = inflateInto(rows, data, name);
  if (!rows.complete && !rows.error && isRead) rows = cutRows(newRows(), data, name);
  if (rows.error) throw new InputError(`${name}: damaged PNG image (${rows.error})`);
  if (!rows.complete && !isRead) throw cutShort(name, `${rows.rowsDone} whole rows`);
  if (rows.complete && !rows.surplus && !isCut && isWrong(pixels, data)) {
    throw new InputError(`${name}: damaged PNG image data (wrong checksum)`);
  }
  const image: DecodedImage = { width, height, mode, data: rows.pixels, ...(palette && { palette }) };
  return rows.complete ? image : { ...image, truncated: true };
}

function readHeader(data: Uint8Array, name: string) {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const depth = view.getUint8(8);
  const colorType = COLOR_TYPES[view.getUint8(9)];
  const [compression, filter, interlace] = [view.getUint8(10), view.getUint8(11), view.getUint8(12)];
  if (!colorType?.depths.includes(depth)) {
    throw new InputError(`${name}: PNG has no colour type ${view.getUint8(9)} with ${depth} bits`);
  }
  if (compression !== 0 || filter !== 0 || interlace > 1) {
    throw new InputError(
      `${name}: expected PNG compression 0, filter 0, interlace 0 or 1, found ${compression}, ${filter}, ${interlace}`,
    );
  }
  const size = { width: view.getUint32(0), height: view.getUint32(4), interlaced: interlace === 1 };
  // A 16-bit sample is read as two bytes.
  if (colorType.mode === 'L' && depth === 16) return { ...size, mode: 'I' as const, depth: 8 };
  return { ...size, mode: colorType.mode === 'L' && depth === 1 ? ('1' as const) : colorType.mode, depth };
}

function readPalette(data: Uint8Array, name: string): Uint8Array {
  if (data.length === 0 || data.length % 3 !== 0 || data.length > 768) {
    throw new InputError(`${name}: expected a PNG palette of 1 to 256 colours, found ${data.length} bytes`);
  }
  return wholePalette(data);
}

/** Images of more filtered bytes are not inflated as a whole: streaming takes less memory. */
const NATIVE_BYTES = 64 << 20;

/** All of the data by Node's zlib, if it is there and finds nothing wrong, the checksum included. */
function inflateNatively(data: Uint8Array, most: number): Uint8Array | undefined {
  if (most > NATIVE_BYTES) return undefined;
  try {
    return globalThis.process?.getBuiltinModule?.('node:zlib').inflateSync(data, {
      maxOutputLength: most,
      // One piece, so that none has to be copied.
      chunkSize: Math.max(64, most),
    });
  } catch {
    return undefined;
  }
}

/** Number of inflated bytes, and their Adler-32. */
interface Inflated {
  readonly length: number;
  readonly checksum: number;
}

/** Feeds the inflated image data to `rows` until it has more than it needs. */
function inflateInto(rows: PngRows, data: Uint8Array, name: string): Inflated {
  try {
    return inflate(data, (piece) => {
      rows.push(piece);
      return !rows.surplus && rows.error === undefined;
    });
  } catch (error) {
    throw new InputError(`${name}: damaged PNG image data (${(error as Error).message})`);
  }
}

/** Feeds truncated image data to `rows`, and returns it. Of `late` pieces, uses only the rest of the current row, as Pillow does. */
function cutRows(rows: PngRows, data: Uint8Array, name: string): PngRows {
  try {
    inflateCut(data, (piece, late) => {
      rows.push(late ? piece.subarray(0, rows.restOfRow) : piece);
      return !rows.complete && rows.error === undefined;
    });
  } catch (error) {
    throw new InputError(`${name}: damaged PNG image data (${(error as Error).message})`);
  }
  return rows;
}

/** Inflates until the data end or `take` returns false. */
function inflate(data: Uint8Array, take: (piece: Uint8Array) => boolean): Inflated {
  let [wanted, length, a, b] = [true, 0, 1, 0];
  const stream = new Unzlib((piece) => {
    length += piece.length;
    for (let at = 0; at < piece.length; ) {
      // The maximum for which the sums stay below 2^32.
      for (const end = Math.min(piece.length, at + 5552); at < end; at++) {
        a += piece[at]!;
        b += a;
      }
      a %= ADLER_MODULUS;
      b %= ADLER_MODULUS;
    }
    wanted &&= take(piece);
  });
  for (let at = 0; at < data.length && wanted; at += INFLATE_STEP) stream.push(data.subarray(at, at + INFLATE_STEP));
  return { length, checksum: b * 65_536 + a };
}

const ADLER_MODULUS = 65_521;

/**
 * Whether the deflated data are followed by a wrong checksum. A correct one may be followed by other bytes. If the checksum is missing,
 * at most the last 15 bits are not pixel data, so inflating without the last four bytes yields fewer bytes.
 */
function isWrong({ length, checksum }: Inflated, data: Uint8Array): boolean {
  for (let at = data.length - 4; at >= Math.max(0, data.length - INFLATE_STEP); at--) {
    if (new DataView(data.buffer, data.byteOffset + at, 4).getUint32(0) === checksum) return false;
  }
  return inflate(data.subarray(0, -4), () => true).length === length;
}

/** Concatenates the image data, since each call of the inflater has a cost and a file may consist of one-byte chunks. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function cutShort(name: string, found: string): InputError {
  return new InputError(`${name}: PNG image is cut short after ${found}`);
}
