/**
 * JPEG decoder, byte for byte equal to Pillow. Most files are decoded by libjpeg-turbo in WebAssembly (`../codecs.ts`), and those that
 * this build cannot decode like Pillow by `plain.ts`.
 */
import { InputError, isError } from '../../../errors.js';
import { quoted } from '../../checkpoint/quoted.js';
import { discardCodec, jpegDecoder } from '../codecs.js';
import {
  checkDimensions,
  type DecodedImage,
  MOST_PIXELS,
  PIXELS_FOR_NOTHING,
  type TruncatedImages,
} from '../decoded-image.js';
import { cutShort, type JpegHeader, readJpegHeader } from './header.js';
import { decodePlainJpeg } from './plain.js';

/** The plain decoder takes up to 16 bytes per CMYK pixel. */
const MOST_CMYK_PIXELS = 25_000_000;

/**
 * Each scan of a progressive file covers the whole image, so a small file with very many scans would take minutes. Encoders
 * write about ten.
 */
const MOST_SCANNED_PIXELS = 2_000_000_000;
const MOST_SCANS = 1000;

/**
 * Huffman coding takes at least one bit per block, so a small file cannot claim a large image. Arithmetic coding may take less for
 * uniform blocks, but each block takes microseconds per scan; this many are allowed regardless of the file's length.
 */
const MOST_BLOCKS_PER_BYTE = 8;
const ARITHMETIC_BLOCKS_FOR_NOTHING = 1 << 19;

/**
 * The codec's memory grows with the largest image decoded (about 14 bytes per pixel) and never shrinks; the instance is dropped after
 * an image of more pixels than this, of which every decoding thread would keep as much.
 */
const MOST_PIXELS_KEPT = 4_000_000;

/** libjpeg's warning if coded data end before the image. */
const DATA_END = /premature end of data segment/i;

/** @throws InputError if the file is damaged, cut short, or too large; see `decodeImage`. */
export async function decodeJpeg(
  bytes: Uint8Array,
  name: string,
  truncated: TruncatedImages = 'skip',
): Promise<DecodedImage> {
  const header = readJpegHeader(bytes, name, truncated);
  const { width, height, components, scans, blocks } = header;
  const mayBeCut = truncated === 'read' && header.end !== 'marker';
  const isPlain = mayBeCut || needsPlain(header);
  checkDimensions(width, height, name, components.length === 4 ? MOST_CMYK_PIXELS : MOST_PIXELS);
  if (scans > MOST_SCANS || scans * width * height > MOST_SCANNED_PIXELS) {
    throw new InputError(`${name}: expected a JPEG image of few scans, found ${scans} of ${width} x ${height}`);
  }
  const forNothing = header.arithmetic ? ARITHMETIC_BLOCKS_FOR_NOTHING : mayBeCut ? (3 * PIXELS_FOR_NOTHING) / 64 : 0;
  if (blocks * (header.arithmetic ? scans : 1) > bytes.length * MOST_BLOCKS_PER_BYTE + forNothing) {
    throw new InputError(`${name}: JPEG image is cut short (${bytes.length} bytes for ${width} x ${height} pixels)`);
  }
  return isPlain ? decodePlainJpeg(bytes, header, name, truncated) : decodeGreyOrColor(bytes, header, name);
}

/**
 * Whether an image, even if complete, needs the plain decoder: CMYK, arithmetic coding, and chroma subsampled only vertically, which the
 * WebAssembly build upsamples by repetition.
 */
function needsPlain({ components, arithmetic }: JpegHeader): boolean {
  const across = Math.max(...components.map((one) => one.across));
  const down = Math.max(...components.map((one) => one.down));
  return (
    arithmetic || components.length === 4 || components.some((one) => across === one.across && down === 2 * one.down)
  );
}

async function decodeGreyOrColor(bytes: Uint8Array, header: JpegHeader, name: string): Promise<DecodedImage> {
  const { width, height } = header;
  const decoder = await jpegDecoder();
  decoder.lastMessage = '';
  let rgba: Uint8ClampedArray;
  try {
    const decoded = decoder.codec.decode(header.end === 'marker' ? bytes : withEnd(bytes), false);
    if (!decoded || decoded.width !== width || decoded.height !== height) throw new Error('no image');
    rgba = decoded.data;
  } catch (error) {
    discardCodec('jpegDecoder');
    // A C++ exception arrives as a number; libjpeg has already printed its message.
    const message = decoder.lastMessage || (isError(error) ? error.message : 'unknown error');
    throw new InputError(`${name}: JPEG image cannot be decoded (${quoted(message)})`);
  }
  if (width * height > MOST_PIXELS_KEPT) discardCodec('jpegDecoder');
  if (header.end !== 'marker' && DATA_END.test(decoder.lastMessage)) throw cutShort(bytes, name);
  if (header.components.length === 1) return { width, height, mode: 'L', data: firstChannel(rgba) };
  return { width, height, mode: 'RGBX', data: new Uint8Array(rgba.buffer, rgba.byteOffset, rgba.length) };
}

function withEnd(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.length + 2);
  whole.set(bytes);
  whole.set([0xff, 0xd9], bytes.length);
  return whole;
}

function firstChannel(rgba: Uint8ClampedArray): Uint8Array {
  const out = new Uint8Array(rgba.length / 4);
  for (let pixel = 0; pixel < out.length; pixel++) out[pixel] = rgba[4 * pixel]!;
  return out;
}
