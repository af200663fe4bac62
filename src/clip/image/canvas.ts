/** Pixels decoded elsewhere, typically by a browser's canvas. */
import type { DecodedImage } from './decoded-image.js';

/** The result of `CanvasRenderingContext2D.getImageData`: [height, width, 4] RGBA, not premultiplied. */
export interface CanvasPixels {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** Row by row. */
  readonly data: Uint8Array | Uint8ClampedArray;
}

/**
 * A canvas's pixels as a decoded image, without copying. The browser may have applied EXIF orientation and a colour profile when decoding
 * the file, and its JPEG decoder may differ in the last bit; for exactly CLIP's preprocessing, use `decodeImage`.
 */
export function imageFromCanvas({ width, height, data }: CanvasPixels): DecodedImage {
  if (data.length !== width * height * 4)
    throw new RangeError(`expected ${width} x ${height} RGBA pixels, found ${data.length} bytes`);
  return { width, height, mode: 'RGBA', data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
}
