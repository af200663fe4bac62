/**
 * GIF decoder (GIF89a specification, CompuServe 1990) for the first frame, as in Pillow: palette indices, on a canvas the size of the
 * logical screen.
 *
 * Why not a library: omggif, gifuct-js and the like are made for animations. They read all frames, and either compose them in RGBA, which
 * loses the palette indices that CLIP's preprocessing resizes, or use a JavaScript array with 8 bytes per pixel.
 */
import { InputError } from '../../errors.js';
import { checkClaim, checkDimensions, type DecodedImage, type TruncatedImages, wholePalette } from './decoded-image.js';

const EXTENSION = 0x21;
const IMAGE = 0x2c;
const TRAILER = 0x3b;
const GRAPHIC_CONTROL = 0xf9;

/** Each 12-bit code stands for a string of at most 4096 pixels: 4096 * 8 / 12. */
const MOST_PIXELS_PER_BYTE = 2731;

/** First row and row distance of the four passes of an interlaced image. */
const PASSES = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
] as const;

/** @throws InputError if the file is damaged, cut short, or too large; see `decodeImage`. */
export function decodeGif(bytes: Uint8Array, name: string, truncated: TruncatedImages = 'skip'): DecodedImage {
  const cutShort = () => new InputError(`${name}: GIF image is cut short after ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const paletteAt = (at: number, flags: number) => {
    const palette = bytes.subarray(at, at + (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0));
    return { palette: flags & 0x80 ? palette : undefined, end: at + palette.length };
  };
  if (bytes.length < 13) throw cutShort();
  let { palette, end: at } = paletteAt(13, bytes[10]!);
  let transparent = 0;
  for (; bytes[at] !== IMAGE; at++) {
    if (at >= bytes.length || bytes[at] === TRAILER) throw new InputError(`${name}: GIF image without a frame`);
    if (bytes[at] !== EXTENSION) continue;
    if (bytes[at + 1] === GRAPHIC_CONTROL && bytes[at + 3]! & 1) transparent = bytes[at + 6] ?? 0;
    at += 2;
    while (bytes[at]) at += bytes[at]! + 1;
  }
  if (at + 10 > bytes.length) throw cutShort();
  const [left, top, frameWidth, frameHeight] = [1, 3, 5, 7].map((field) => view.getUint16(at + field, true)) as [
    ...[number, number, number, number],
  ];
  const flags = bytes[at + 9]!;
  const own = paletteAt(at + 10, flags);
  if (own.end >= bytes.length) throw cutShort();
  palette = own.palette ?? palette;
  const width = Math.max(view.getUint16(6, true), left + frameWidth);
  const height = Math.max(view.getUint16(8, true), top + frameHeight);
  checkDimensions(width, height, name);
  checkClaim(width, height, bytes.length, MOST_PIXELS_PER_BYTE, name);

  const indices = new Uint8Array(frameWidth * frameHeight);
  const bits = bytes[own.end] ?? 0;
  if (bits < 1 || bits > 11) throw new InputError(`${name}: expected GIF codes of 1 to 11 bits, found ${bits}`);
  const done = unpack(subBlocks(bytes, own.end + 1, truncated), bits, indices);
  const isCut = done < indices.length;
  if (isCut && truncated === 'skip') throw new InputError(`${name}: GIF image is cut short after ${done} pixels`);
  indices.fill(transparent, done);

  // The area not covered by the frame is transparent, or has the first colour.
  const data = new Uint8Array(width * height).fill(transparent);
  let from = 0;
  for (const [first, step] of flags & 0x40 ? PASSES : ([[0, 1]] as const)) {
    for (let y = first; y < frameHeight; y += step, from += frameWidth) {
      data.set(indices.subarray(from, from + frameWidth), (top + y) * width + left);
    }
  }
  const image = { width, height, data, ...(isCut && { truncated: true as const }) };
  return palette && isNeeded(palette)
    ? { ...image, mode: 'P', palette: wholePalette(palette) }
    : { ...image, mode: 'L' };
}

/** Whether the palette is anything but a grey ramp; with a grey ramp, Pillow reads a grey image. */
function isNeeded(palette: Uint8Array): boolean {
  return palette.some((value, i) => value !== Math.floor(i / 3));
}

/**
 * Concatenates a chain of length-prefixed blocks, up to an empty one or the end of the file. Like Pillow, drops a truncated last block when
 * reading truncated files.
 */
function subBlocks(bytes: Uint8Array, start: number, truncated: TruncatedImages): Uint8Array {
  const out = new Uint8Array(bytes.length - start);
  let length = 0;
  for (let at = start; bytes[at]; at += bytes[at]! + 1) {
    const block = bytes.subarray(at + 1, at + 1 + bytes[at]!);
    if (truncated === 'read' && block.length < bytes[at]!) break;
    out.set(block, length);
    length += block.length;
  }
  return out.subarray(0, length);
}

/** Decodes the variable-length LZW of appendix F into `out`. Returns the number of pixels. */
function unpack(data: Uint8Array, bits: number, out: Uint8Array): number {
  const clear = 1 << bits;
  const end = clear + 1;
  // A string is stored as its prefix string and its last pixel.
  const prefixes = new Uint16Array(4096);
  const lasts = new Uint8Array(4096);
  const lengths = new Uint16Array(4096).fill(1, 0, clear);
  for (let code = 0; code < clear; code++) lasts[code] = code;
  let [next, size, before] = [end + 1, bits + 1, -1];
  let [at, held, waiting, done] = [0, 0, 0, 0];
  while (done < out.length) {
    for (; held < size && at < data.length; held += 8) waiting |= data[at++]! << held;
    if (held < size) break;
    const code = waiting & ((1 << size) - 1);
    waiting >>>= size;
    held -= size;
    if (code === end) break;
    if (code === clear) {
      [next, size, before] = [end + 1, bits + 1, -1];
      continue;
    }
    // A code may be the one being defined: the previous string followed by its own first pixel.
    if (code > next || (before < 0 && code > end)) break;
    const isNew = code === next;
    const known = isNew ? before : code;
    const length = lengths[known]!;
    let first = known;
    for (let place = done + length - 1; place >= done; place--, first = prefixes[first]!) {
      if (place < out.length) out[place] = lasts[first]!;
    }
    if (isNew && done + length < out.length) out[done + length] = out[done]!;
    if (before >= 0 && next < 4096) {
      prefixes[next] = before;
      lasts[next] = out[done]!;
      lengths[next] = lengths[before]! + 1;
      next++;
      if (next === 1 << size && size < 12) size++;
    }
    done = Math.min(out.length, done + length + (isNew ? 1 : 0));
    before = code;
  }
  return done;
}
