/** Decoded images. Pixels keep the layout of the file, because CLIP resizes before converting to RGB. */
import { InputError } from '../../errors.js';

/**
 * Pillow's mode names. `1`: black and white, stored as 0 and 255; `L`: grey; `LA`: grey and alpha; `P`: palette indices; `RGBX`: the
 * fourth sample is padding; `CMYK`: four inks, 0 for none. Samples have 8 bits (deeper ones are reduced to their high byte), except that
 * `I`, 16-bit grey, has two bytes per sample, high byte first.
 */
export type ImageMode = '1' | 'L' | 'LA' | 'I' | 'RGB' | 'RGBX' | 'RGBA' | 'CMYK' | 'P';

/**
 * Handling of truncated files. `skip`: refused, and so left out; `read`: missing pixels are filled as by Pillow with
 * `ImageFile.LOAD_TRUNCATED_IMAGES`, see docs/robustness.md.
 */
export const TRUNCATED_CHOICES = ['skip', 'read'] as const;

/** Handling of truncated images, see `TRUNCATED_CHOICES`. */
export type TruncatedImages = (typeof TRUNCATED_CHOICES)[number];

/** A decoded image, with pixels as stored in the file. */
export interface DecodedImage {
  readonly width: number;
  readonly height: number;
  readonly mode: ImageMode;
  /** [height, width, bytes per pixel], row-major. */
  readonly data: Uint8Array;
  /** Mode P only: [256, 3] RGB; entries missing from the file are greys. */
  readonly palette?: Uint8Array;
  /** Set if the file was truncated and missing pixels were filled. */
  readonly truncated?: true;
}

/** Bytes per pixel. */
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

/** Maximum size of an image. Ten times a typical photograph; as RGBA, this takes 400 MB. */
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

/** Extends a file's palette [entries, 3] to 256 colours; as in Pillow, missing entries are the grey with the value of their index. */
export function wholePalette(entries: Uint8Array): Uint8Array {
  const palette = Uint8Array.from({ length: 768 }, (_, i) => Math.floor(i / 3));
  palette.set(entries.subarray(0, palette.length));
  return palette;
}

/** Number of pixels that a file may claim regardless of its length, since blank images are small in any format. */
export const PIXELS_FOR_NOTHING = 1 << 22;

/**
 * Checks the size against the length of the coded data, in which a byte can hold at most `perByte` pixels.
 *
 * @throws InputError naming the file.
 */
export function checkClaim(width: number, height: number, bytes: number, perByte: number, name: string): void {
  if (width * height > PIXELS_FOR_NOTHING + bytes * perByte) {
    throw new InputError(`${name}: image is cut short (${bytes} bytes for ${width} x ${height} pixels)`);
  }
}
