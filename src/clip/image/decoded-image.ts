/** What decoding gives: pixels in the layout that the file stored them in, because CLIP resizes before it converts to RGB. */
import { InputError } from '../../errors.js';

/**
 * Pillow's names. `1`: black and white, stored as 0 and 255; `L`: grey; `LA`: grey and alpha; `P`: indices into a palette;
 * `RGBX`: a fourth sample that means nothing; `CMYK`: four inks, 0 for none. All have 8 bits a sample, to whose high byte deeper files
 * are reduced; but `I`, 16-bit grey, has two bytes a sample, the high one first.
 */
export type ImageMode = '1' | 'L' | 'LA' | 'I' | 'RGB' | 'RGBX' | 'RGBA' | 'CMYK' | 'P';

/**
 * What becomes of a file that ends before its pixels do. `skip`: it is refused, and so left out; `read`: what is missing is filled as Pillow
 * fills it under `ImageFile.LOAD_TRUNCATED_IMAGES`, see docs/robustness.md.
 */
export const TRUNCATED_CHOICES = ['skip', 'read'] as const;

/** What becomes of truncated images. */
export type TruncatedImages = (typeof TRUNCATED_CHOICES)[number];

/** Pixels as the file stored them. */
export interface DecodedImage {
  readonly width: number;
  readonly height: number;
  readonly mode: ImageMode;
  /** [height, width, bytes of a pixel], row by row. */
  readonly data: Uint8Array;
  /** Mode P only: [256, 3] RGB; entries that the file does not define are greys. */
  readonly palette?: Uint8Array;
  /** The file ended before its pixels did, and the rest was filled. */
  readonly truncated?: true;
}

/** Bytes of a pixel. */
export const CHANNELS: Readonly<Record<ImageMode, number>> = {
  '1': 1,
  L: 1,
  LA: 2,
  I: 2,
  RGB: 3,
  RGBX: 4,
  RGBA: 4,
  CMYK: 4,
  P: 1,
};

/** The largest image that is decoded; photographs have a tenth of this, and 100 million RGBA pixels take 400 MB. */
export const MOST_PIXELS = 100_000_000;

/**
 * Checks the size that a header claims, before anything is allocated for it.
 *
 * @throws InputError naming the file.
 */
export function checkDimensions(width: number, height: number, name: string, most = MOST_PIXELS): void {
  if (width < 1 || height < 1 || width * height > most) {
    throw new InputError(`${name}: expected an image of 1 to ${most} pixels, found ${width} x ${height}`);
  }
}

/** A palette of 256 colours from those that a file defines, [entries, 3]; to Pillow, any other entry is the grey of its number. */
export function wholePalette(entries: Uint8Array): Uint8Array {
  const palette = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
  palette.set(entries.subarray(0, palette.length));
  return palette;
}

/** A file may claim so many pixels whatever its length: blank pictures are short in any format. */
export const PIXELS_FOR_NOTHING = 1 << 22;

/**
 * Checks the size against the length of the coded data, of which a byte stands for at most `perByte` pixels.
 *
 * @throws InputError naming the file.
 */
export function checkClaim(width: number, height: number, bytes: number, perByte: number, name: string): void {
  if (width * height > PIXELS_FOR_NOTHING + bytes * perByte) {
    throw new InputError(`${name}: image is cut short (${bytes} bytes for ${width} x ${height} pixels)`);
  }
}
