/**
 * WebP decoder using libwebp in WebAssembly (`codecs.ts`): lossy, lossless, with alpha; for animations, the first frame on its canvas.
 * The container is specified in RFC 9649, section 2.
 */
import { InputError, messageOf } from '../../errors.js';
import { quoted } from '../checkpoint/quoted.js';
import { discardCodec, webpDecoder } from './codecs.js';
import { checkClaim, checkDimensions, type DecodedImage } from './decoded-image.js';

/** Plausibility limit; a lossless image of 4000 x 3000 blank pixels takes 532 bytes. */
const MOST_PIXELS_PER_BYTE = 1 << 15;

/** libwebp's memory never shrinks; its instance is dropped after an image of more pixels than this. */
const MOST_PIXELS_KEPT = 16_000_000;

const RIFF_HEADER = 12;
const CHUNK_HEADER = 8;
const FRAME_HEADER = 16;
const HAS_ALPHA = 0x10;
const IS_ANIMATED = 0x02;

interface Chunk {
  readonly type: string;
  /** Including the header and the padding byte. */
  readonly whole: Uint8Array;
  readonly data: Uint8Array;
}

/** @throws InputError if the file is damaged, cut short, or too large; see `decodeImage`. */
export async function decodeWebp(bytes: Uint8Array, name: string): Promise<DecodedImage> {
  const chunks = [...chunksOf(bytes.subarray(RIFF_HEADER))];
  const extended = chunks[0]?.type === 'VP8X' && chunks[0].data.length >= 10 ? chunks[0].data : undefined;
  const flags = extended?.[0] ?? 0;
  const animated = (flags & IS_ANIMATED) !== 0 ? chunks.find(({ type }) => type === 'ANMF')?.data : undefined;
  const parts = animated ? [...chunksOf(animated.subarray(FRAME_HEADER))] : chunks;
  const pixels = parts.find(({ type }) => type === 'VP8 ' || type === 'VP8L');
  const size = pixels && sizeOf(pixels);
  if (!pixels || !size) throw new InputError(`${name}: WebP image is cut short (${bytes.length} bytes without pixels)`);
  const canvas = extended ? { width: uint24(extended, 4) + 1, height: uint24(extended, 7) + 1 } : size;
  for (const { width, height } of [canvas, size]) {
    checkDimensions(width, height, name);
    checkClaim(width, height, bytes.length, MOST_PIXELS_PER_BYTE, name);
  }
  const data = await decode(animated ? fileOf(pixels, parts, size) : bytes, size, name);
  const mode = (extended ? flags & HAS_ALPHA : pixels.type === 'VP8L' && pixels.data[4]! & 0x10) ? 'RGBA' : 'RGBX';
  if (!animated) return { ...size, mode, data };
  const left = 2 * uint24(animated, 0);
  const top = 2 * uint24(animated, 3);
  if (left + size.width > canvas.width || top + size.height > canvas.height) {
    throw new InputError(
      `${name}: WebP image has a frame that its canvas of ${canvas.width} x ${canvas.height} does not hold`,
    );
  }
  const whole = new Uint8Array(canvas.width * canvas.height * 4);
  for (let y = 0; y < size.height; y++) {
    const row = data.subarray(y * size.width * 4, (y + 1) * size.width * 4);
    whole.set(row, ((top + y) * canvas.width + left) * 4);
  }
  return { ...canvas, mode, data: whole };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

async function decode(file: Uint8Array, { width, height }: Size, name: string): Promise<Uint8Array> {
  const decoder = await webpDecoder();
  let decoded: ImageData | null;
  try {
    decoded = decoder.codec.decode(file);
  } catch (error) {
    discardCodec('webpDecoder');
    const message = messageOf(error);
    throw new InputError(`${name}: WebP image cannot be decoded (${quoted(message)})`);
  }
  if (!decoded || decoded.width !== width || decoded.height !== height) {
    discardCodec('webpDecoder');
    throw new InputError(`${name}: WebP image is damaged or cut short`);
  }
  if (width * height > MOST_PIXELS_KEPT) discardCodec('webpDecoder');
  return new Uint8Array(decoded.data.buffer, decoded.data.byteOffset, decoded.data.length);
}

/** The chunks in a part of the file; a truncated last one is shorter. */
function* chunksOf(bytes: Uint8Array): Generator<Chunk, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + CHUNK_HEADER <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    const end = at + CHUNK_HEADER + length;
    yield {
      type: String.fromCharCode(...bytes.subarray(at, at + 4)),
      whole: bytes.subarray(at, end + (length % 2)),
      data: bytes.subarray(at + CHUNK_HEADER, end),
    };
    at = end + (length % 2);
  }
}

/** The size in the bitstream, 14 bits each. */
function sizeOf({ type, data }: Chunk): Size | undefined {
  if (data.length < 10) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (type === 'VP8 ') return { width: view.getUint16(6, true) & 0x3fff, height: view.getUint16(8, true) & 0x3fff };
  const bits = view.getUint32(1, true);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

/** A WebP file with a single frame. */
function fileOf(pixels: Chunk, parts: readonly Chunk[], { width, height }: Size): Uint8Array {
  const alpha = parts.find(({ type }) => type === 'ALPH');
  const header = new Uint8Array(alpha ? CHUNK_HEADER + 10 : 0);
  if (alpha) {
    header.set(ascii('VP8X'));
    header.set([10, 0, 0, 0, HAS_ALPHA, 0, 0, 0], 4);
    setUint24(header, 12, width - 1);
    setUint24(header, 15, height - 1);
  }
  const body = [header, ...(alpha ? [alpha.whole] : []), pixels.whole];
  const length = 4 + body.reduce((sum, part) => sum + part.length, 0);
  const file = new Uint8Array(CHUNK_HEADER + length);
  file.set(ascii('RIFF'));
  new DataView(file.buffer).setUint32(4, length, true);
  file.set(ascii('WEBP'), CHUNK_HEADER);
  let at = RIFF_HEADER;
  for (const part of body) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

const ascii = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const uint24 = (bytes: Uint8Array, at: number) => bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);

function setUint24(bytes: Uint8Array, at: number, value: number): void {
  bytes.set([value & 255, (value >> 8) & 255, value >> 16], at);
}
