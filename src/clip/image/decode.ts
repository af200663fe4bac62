/** Detects an image file's format by its first bytes, regardless of its name, and decodes it. */
import { InputError } from '../../errors.js';
import { decodeBmp } from './bmp.js';
import type { DecodedImage, TruncatedImages } from './decoded-image.js';
import { IMAGE_FORMAT_NAMES } from './formats.js';
import { decodeGif } from './gif.js';
import { decodeJpeg } from './jpeg/index.js';
import { decodePng } from './png.js';
import { decodeWebp } from './webp.js';

/** Formats that are recognised only to name them in errors; `.` in a signature matches any byte. */
const UNSUPPORTED: readonly (readonly [signature: string, format: string])[] = [
  ['II*\0', 'a TIFF image'],
  ['MM\0*', 'a TIFF image'],
  ['....ftypavif', 'an AVIF image'],
  ['....ftyphei', 'an HEIC image'],
  ['\xff\x0a', 'a JPEG XL image'],
  ['\0\0\0\x0cJXL ', 'a JPEG XL image'],
  ['\0\0\0\x0cjP', 'a JPEG 2000 image'],
  ['%PDF', 'a PDF document'],
  ['<', 'a text (SVG or HTML?)'],
];

/**
 * Decodes a file in one of `IMAGE_FORMATS`; for an animation, its first frame. As in CLIP's preprocessing, EXIF orientation is not applied.
 *
 * @param name shown in errors
 * @param truncated whether to read a truncated JPEG, PNG, GIF or BMP file
 * @throws InputError if the file is not an image in a supported format, is damaged, truncated (unless allowed) or over 100 megapixels.
 */
export async function decodeImage(
  bytes: Uint8Array,
  name: string,
  truncated: TruncatedImages = 'skip',
): Promise<DecodedImage> {
  if (startsWith(bytes, '\x89PNG\r\n\x1a\n')) return decodePng(bytes, name, truncated);
  if (startsWith(bytes, '\xff\xd8\xff')) return decodeJpeg(bytes, name, truncated);
  if (startsWith(bytes, 'RIFF....WEBP')) return decodeWebp(bytes, name);
  if (startsWith(bytes, 'GIF87a') || startsWith(bytes, 'GIF89a')) return decodeGif(bytes, name, truncated);
  if (startsWith(bytes, 'BM')) return decodeBmp(bytes, name, truncated);
  throw new InputError(`${name}: expected a ${IMAGE_FORMAT_NAMES} image, found ${describe(bytes)}`);
}

function describe(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file';
  const format = UNSUPPORTED.find(([signature]) => startsWith(bytes, signature))?.[1];
  if (format) return format;
  if (bytes.every((byte) => byte === 0)) return `${bytes.length} zero bytes`;
  const start = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `${bytes.length} bytes that start with ${start}`;
}

function startsWith(bytes: Uint8Array, signature: string): boolean {
  if (bytes.length < signature.length) return false;
  for (let i = 0; i < signature.length; i++) {
    if (signature[i] !== '.' && signature.charCodeAt(i) !== bytes[i]) return false;
  }
  return true;
}
