/**
 * JPEG files: grey and colour ones by libjpeg-turbo (`jpeg-wasm.ts`), byte for byte what Pillow decodes.
 *
 * CMYK files are the exception: that build cannot give CMYK, so they go to jpeg-js, which converts them to RGB by itself.
 * Pillow would resize them first and convert then; the README of the test fixtures has the differences measured.
 */
import jpegJs from 'jpeg-js';
import { InputError } from '../../errors.js';
import { quoted } from '../checkpoint/quoted.js';
import { checkDimensions, type DecodedImage } from './decoded-image.js';
import { type JpegHeader, readJpegHeader } from './jpeg-header.js';
import { discardJpegDecoder, jpegDecoder } from './jpeg-wasm.js';

/** jpeg-js takes about 20 bytes a CMYK pixel and a microsecond. */
const MOST_CMYK_PIXELS = 25_000_000;

/**
 * Progressive files are decoded over the whole image once a scan, so a small file of very many scans would take minutes.
 * Encoders write about ten.
 */
const MOST_SCANNED_PIXELS = 2_000_000_000;
const MOST_SCANS = 1000;

/** Huffman coding takes a bit for a block at the very least, so a small file cannot claim a large image. */
const MOST_BLOCKS_PER_BYTE = 8;

/**
 * The codec's memory grows to the largest image that it has met (about 14 bytes a pixel) and never shrinks; after one of more
 * pixels than this it is given up.
 */
const MOST_PIXELS_KEPT = 16_000_000;

/** @throws InputError if the file is damaged, cut short, or too large; see `decodeImage`. */
export async function decodeJpeg(bytes: Uint8Array, name: string): Promise<DecodedImage> {
  const header = readJpegHeader(bytes, name);
  const { width, height, components, scans, blocks } = header;
  checkDimensions(width, height, name, components === 4 ? MOST_CMYK_PIXELS : undefined);
  if (scans > MOST_SCANS || scans * width * height > MOST_SCANNED_PIXELS) {
    throw new InputError(`${name}: expected a JPEG image of few scans, found ${scans} of ${width} x ${height}`);
  }
  if (blocks > bytes.length * MOST_BLOCKS_PER_BYTE) {
    throw new InputError(`${name}: JPEG image is cut short (${bytes.length} bytes for ${width} x ${height} pixels)`);
  }
  return components === 4 ? decodeCmyk(bytes, header, name) : decodeGreyOrColor(bytes, header, name);
}

async function decodeGreyOrColor(bytes: Uint8Array, header: JpegHeader, name: string): Promise<DecodedImage> {
  const { width, height } = header;
  const decoder = await jpegDecoder();
  let rgba: Uint8ClampedArray;
  try {
    const decoded = decoder.codec.decode(bytes, false);
    if (!decoded || decoded.width !== width || decoded.height !== height) throw new Error('no image');
    rgba = decoded.data;
  } catch (error) {
    discardJpegDecoder();
    // A C++ exception arrives as a number; libjpeg's own message was printed before.
    throw damaged(name, decoder.lastMessage || (error instanceof Error ? error.message : 'unknown error'));
  }
  if (width * height > MOST_PIXELS_KEPT) discardJpegDecoder();
  if (header.components === 1) return { width, height, mode: 'L', data: firstChannel(rgba) };
  return { width, height, mode: 'RGBX', data: new Uint8Array(rgba.buffer, rgba.byteOffset, rgba.length) };
}

function decodeCmyk(bytes: Uint8Array, header: JpegHeader, name: string): DecodedImage {
  const { width, height } = header;
  try {
    const decoded = jpegJs.decode(bytes, { useTArray: true, maxMemoryUsageInMB: 1024 });
    if (decoded.width !== width || decoded.height !== height) throw new Error('no image');
    return { width, height, mode: 'RGBX', data: decoded.data };
  } catch (error) {
    throw damaged(name, error instanceof Error ? error.message : 'unknown error');
  }
}

function firstChannel(rgba: Uint8ClampedArray): Uint8Array {
  const out = new Uint8Array(rgba.length / 4);
  for (let pixel = 0; pixel < out.length; pixel++) out[pixel] = rgba[4 * pixel]!;
  return out;
}

function damaged(name: string, message: string): InputError {
  return new InputError(`${name}: JPEG image cannot be decoded (${quoted(message)})`);
}
