/** Pixels that something else has decoded: a browser's canvas, above all. */
import type { DecodedImage } from './decoded-image.js';

/** What `CanvasRenderingContext2D.getImageData` gives: [height, width, 4] RGBA, alpha not multiplied in. */
export interface CanvasPixels {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** Row by row. */
  readonly data: Uint8Array | Uint8ClampedArray;
}

/**
 * A canvas's pixels as a decoded image, without a copy. A browser may have applied EXIF orientation and a colour profile when it decoded
 * the file, and its JPEG decoder may differ in the last bit; `decodeImage` does what CLIP's own preprocessing does.
 */
export function imageFromCanvas({ width, height, data }: CanvasPixels): DecodedImage {
  if (data.length !== width * height * 4)
    throw new RangeError(`expected ${width} x ${height} RGBA pixels, found ${data.length} bytes`);
  return { width, height, mode: 'RGBA', data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
}
