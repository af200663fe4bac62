/** What decoding gives: pixels in the layout that the file stored them in, because CLIP resizes before it converts to RGB. */
import { InputError } from '../../errors.js';

/**
 * Pillow's names. `1`: black and white, stored as 0 and 255; `L`: grey; `LA`: grey and alpha; `P`: indices into a palette;
 * `RGBX`: a fourth sample that means nothing. All
 * have 8 bits a sample, deeper files are reduced to their high byte.
 */
export type ImageMode = '1' | 'L' | 'LA' | 'RGB' | 'RGBX' | 'RGBA' | 'P';

/** Pixels as the file stored them. */
export interface DecodedImage {
  readonly width: number;
  readonly height: number;
  readonly mode: ImageMode;
  /** [height, width, channels], row by row. */
  readonly data: Uint8Array;
  /** Mode P only: [256, 3] RGB; entries that the file does not define are black. */
  readonly palette?: Uint8Array;
}

export const CHANNELS: Readonly<Record<ImageMode, number>> = { '1': 1, L: 1, LA: 2, RGB: 3, RGBX: 4, RGBA: 4, P: 1 };

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
