/**
 * BMP decoder for every header and depth that Pillow reads, with Pillow's modes: palette images keep their palette.
 *
 * Why not a library: fast-bmp does not read 4 or 16 bits or run-length encoding; bmp-ts needs Node's Buffer and returns RGBA, which loses
 * the palette indices that CLIP's preprocessing resizes.
 */
import { InputError } from '../../errors.js';
import {
  CHANNELS,
  checkClaim,
  checkDimensions,
  type DecodedImage,
  type ImageMode,
  type TruncatedImages,
  wholePalette,
} from './decoded-image.js';

const FILE_HEADER = 14;
const CORE_HEADER = 12;
const INFO_HEADERS = [40, 64, 108, 124];
const RLE8 = 1;
const RLE4 = 2;
const BITFIELDS = 3;

/** Two bytes of run-length encoding hold at most 255 pixels. */
const MOST_PIXELS_PER_BYTE = 128;

interface Layout {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly compression: number;
  /** True if the height is negative; otherwise rows are stored bottom-up. */
  readonly isTopDown: boolean;
  /** Offset of the end of the header. */
  readonly end: number;
  /** Number of palette entries. */
  readonly colors: number;
  readonly paletteStep: number;
  /** Bit masks of red, green, blue and alpha. */
  readonly masks: readonly number[];
}

/** Byte positions of red, green, blue and (if present) alpha in a 32-bit pixel, by masks. */
const CHANNELS_OF_32: readonly (readonly [masks: string, bytes: readonly number[]])[] = [
  ['ff0000 ff00 ff 0', [2, 1, 0]],
  ['ff000000 ff0000 ff00 0', [3, 2, 1]],
  ['ff000000 ff0000 ff00 ff', [3, 2, 1, 0]],
  ['ff ff00 ff0000 ff000000', [0, 1, 2, 3]],
  ['ff0000 ff00 ff ff000000', [2, 1, 0, 3]],
  ['0 0 0 0', [2, 1, 0, 3]],
];

/** @throws InputError if the file is damaged, cut short, too large, or of a kind that Pillow cannot read either. */
export function decodeBmp(bytes: Uint8Array, name: string, truncated: TruncatedImages = 'skip'): DecodedImage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const cutShort = () => new InputError(`${name}: BMP image is cut short (${bytes.length} bytes)`);
  if (bytes.length < FILE_HEADER + 4) throw cutShort();
  const headerBytes = view.getUint32(FILE_HEADER, true);
  if (headerBytes !== CORE_HEADER && !INFO_HEADERS.includes(headerBytes)) {
    throw new InputError(`${name}: expected a BMP header of 12, 40, 64, 108 or 124 bytes, found ${headerBytes}`);
  }
  if (bytes.length < FILE_HEADER + headerBytes) throw cutShort();
  const layout = headerBytes === CORE_HEADER ? coreLayout(view) : infoLayout(view, headerBytes);
  const { width, height, bits, compression, end, colors, paletteStep } = layout;
  checkDimensions(width, height, name);
  if (![1, 4, 8, 16, 24, 32].includes(bits) || compression > BITFIELDS) {
    throw new InputError(`${name}: BMP image of ${bits} bits with compression ${compression} cannot be read`);
  }
  const paletteBytes = bits <= 8 ? colors * paletteStep : 0;
  if (end + paletteBytes > bytes.length) throw cutShort();
  let at = view.getUint32(10, true);
  if (at === FILE_HEADER + headerBytes && bits <= 8) at += 4 * colors;
  const pixels = bytes.subarray(at === 0 ? end + paletteBytes : at);

  const checkLength = (needed: number) => {
    if (pixels.length >= needed) return;
    if (truncated === 'skip') throw cutShort();
    checkClaim(width, height, pixels.length, 8, name);
  };
  if (bits > 8) {
    const channels = compression === BITFIELDS ? channelsByMask(layout, name) : usualChannels(bits);
    return unpackRows(pixels, layout, channels.mode, channels.write, checkLength);
  }
  const palette = readPalette(bytes.subarray(end, end + paletteBytes), colors, paletteStep);
  const mode = paletteMode(palette, colors);
  const image = (data: Uint8Array): DecodedImage => ({ width, height, mode, data, ...(mode === 'P' && { palette }) });
  if (compression === RLE8 || compression === RLE4) {
    checkClaim(width, height, pixels.length, MOST_PIXELS_PER_BYTE, name);
    const data = unpackRuns(bytes, bytes.length - pixels.length, layout);
    if (!data) throw cutShort();
    return image(layout.isTopDown ? data : upsideDown(data, width));
  }
  const scale = mode === '1' ? 255 : 1;
  const perByte = 8 / bits;
  const write: Writer = (row, x, out, to) => {
    const byte = row[Math.floor(x / perByte)]!;
    out[to] = ((byte >> (8 - bits - bits * (x % perByte))) & ((1 << bits) - 1)) * scale;
  };
  const unpacked = unpackRows(pixels, layout, mode, write, checkLength);
  return { ...unpacked, ...image(unpacked.data) };
}

/** The header of OS/2 1. */
function coreLayout(view: DataView): Layout {
  const [width, height, bits] = [18, 20, 24].map((at) => view.getUint16(at, true)) as [number, number, number];
  const end = FILE_HEADER + CORE_HEADER;
  return { width, height, bits, compression: 0, isTopDown: false, end, colors: 2 ** bits, paletteStep: 3, masks: [] };
}

function infoLayout(view: DataView, headerBytes: number): Layout {
  // Masks follow the header if it has no fields for them; the file may end before them.
  const number = (at: number) => (at + 4 > view.byteLength ? 0 : view.getUint32(at, true));
  const bits = view.getUint16(28, true);
  const compression = number(30);
  const isTopDown = view.getUint8(25) === 0xff;
  const hasMasks = headerBytes >= 56;
  return {
    width: number(18),
    height: isTopDown ? 2 ** 32 - number(22) : number(22),
    bits,
    compression,
    isTopDown,
    end: FILE_HEADER + headerBytes + (compression === BITFIELDS && !hasMasks ? 12 : 0),
    colors: number(46) || 2 ** bits,
    paletteStep: 4,
    masks: [54, 58, 62, ...(hasMasks ? [66] : [])].map(number),
  };
}

/** Writes pixel `x` of a row to `out` at `to`. */
type Writer = (row: Uint8Array, x: number, out: Uint8Array, to: number) => void;

interface Channels {
  readonly mode: ImageMode;
  readonly write: Writer;
}

function usualChannels(bits: number): Channels {
  if (bits === 16) return sixteen(5, 10);
  return { mode: 'RGB', write: copyBytes(bits / 8, [2, 1, 0]) };
}

function channelsByMask({ bits, masks }: Layout, name: string): Channels {
  const [red, green, blue, alpha = 0] = masks;
  const text = [red, green, blue, alpha].map((mask) => mask!.toString(16)).join(' ');
  const rgb = [red, green, blue].map((mask) => mask!.toString(16)).join(' ');
  if (bits === 16 && rgb === 'f800 7e0 1f') return sixteen(6, 11);
  if (bits === 16 && rgb === '7c00 3e0 1f') return sixteen(5, 10);
  if (bits === 24 && rgb === 'ff0000 ff00 ff') return usualChannels(24);
  const found = bits === 32 ? CHANNELS_OF_32.find(([known]) => known === text)?.[1] : undefined;
  if (!found) throw new InputError(`${name}: BMP image of ${bits} bits with masks ${text} cannot be read`);
  return { mode: found.length === 4 ? 'RGBA' : 'RGB', write: copyBytes(4, found) };
}

function copyBytes(step: number, channels: readonly number[]): Writer {
  return (row, x, out, to) => {
    for (let i = 0; i < channels.length; i++) out[to + i] = row[x * step + channels[i]!]!;
  };
}

/** Pixels with 5 bits per colour (5 or 6 for green), scaled up to 255 and rounded down. */
function sixteen(greenBits: 5 | 6, redShift: number): Channels {
  const most = (1 << greenBits) - 1;
  const write: Writer = (row, x, out, to) => {
    const value = row[2 * x]! | (row[2 * x + 1]! << 8);
    out[to] = Math.floor((((value >> redShift) & 31) * 255) / 31);
    out[to + 1] = Math.floor((((value >> 5) & most) * 255) / most);
    out[to + 2] = Math.floor(((value & 31) * 255) / 31);
  };
  return { mode: 'RGB', write };
}

function unpackRows(
  pixels: Uint8Array,
  { width, height, bits, isTopDown }: Layout,
  mode: ImageMode,
  write: Writer,
  checkLength: (needed: number) => void,
): DecodedImage {
  const stride = Math.ceil((width * bits) / 32) * 4;
  // The last row needs no padding.
  const rowBytes = Math.ceil((width * bits) / 8);
  checkLength(stride * (height - 1) + rowBytes);
  // Incomplete rows stay zero.
  const rows = Math.min(height, Math.floor((pixels.length + stride - rowBytes) / stride));
  const channels = CHANNELS[mode];
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < rows; y++) {
    const row = pixels.subarray(y * stride, (y + 1) * stride);
    let to = (isTopDown ? y : height - 1 - y) * width * channels;
    for (let x = 0; x < width; x++, to += channels) write(row, x, data, to);
  }
  return { width, height, mode, data, ...(rows < height && { truncated: true as const }) };
}

/** A palette [256, 3] from entries of blue, green, red and possibly a padding byte. */
function readPalette(entries: Uint8Array, colors: number, step: number): Uint8Array {
  const palette = new Uint8Array(3 * Math.min(colors, 256));
  for (let i = 0; i < Math.min(colors, 256); i++) {
    for (let channel = 0; channel < 3; channel++) palette[3 * i + channel] = entries[i * step + 2 - channel]!;
  }
  return wholePalette(palette);
}

/** Pillow drops a palette that is black and white or a full grey ramp. */
function paletteMode(palette: Uint8Array, colors: number): ImageMode {
  const value = (i: number) => (colors === 2 ? 255 * i : i);
  const isGrey = colors <= 256 && palette.subarray(0, 3 * colors).every((one, i) => one === value(Math.floor(i / 3)));
  return !isGrey ? 'P' : colors === 2 ? '1' : 'L';
}

/**
 * Decodes run lengths starting at `start`, as Pillow does: missing pixels at the end of a row are 0, and the last of an odd number of
 * literal 4-bit pixels is lost. Returns undefined if there are too few rows.
 */
function unpackRuns(bytes: Uint8Array, start: number, { width, height, compression }: Layout): Uint8Array | undefined {
  const data = new Uint8Array(width * height);
  const isFour = compression === RLE4;
  let [done, x, at] = [0, 0, start];
  while (done < data.length && at + 1 < bytes.length) {
    const [count, byte] = [bytes[at]!, bytes[at + 1]!];
    at += 2;
    if (count > 0) {
      const pixels = Math.max(0, Math.min(count, width - x));
      for (let i = 0; i < pixels; i++) data[done++] = isFour ? (i % 2 === 0 ? byte >> 4 : byte & 15) : byte;
      x += pixels;
    } else if (byte === 0) {
      done = Math.ceil(done / width) * width;
      x = 0;
    } else if (byte === 1) {
      break;
    } else if (byte === 2) {
      if (at + 4 > bytes.length) break;
      done += bytes[at + 2]! + bytes[at + 3]! * width;
      x = done % width;
      at += 4;
    } else {
      const literal = bytes.subarray(at, at + (isFour ? byte >> 1 : byte));
      for (const value of literal) {
        if (isFour) {
          data[done++] = value >> 4;
          data[done++] = value & 15;
        } else data[done++] = value;
      }
      at += literal.length;
      if (literal.length < (isFour ? byte >> 1 : byte)) break;
      x += byte;
      at += at % 2;
    }
  }
  return done < data.length ? undefined : data;
}

function upsideDown(data: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let from = 0; from < data.length; from += width)
    out.set(data.subarray(from, from + width), data.length - width - from);
  return out;
}
