/** Encodes RGB pixels as PNG or JPEG. */
import { encode as encodeWithFastPng } from 'fast-png';
import { InputError } from '../../errors.js';
import { jpegEncoder } from './codecs.js';

/** A PNG file of [height, width, 3] RGB pixels. */
export function encodePng(rgb: Uint8Array, width: number, height: number): Uint8Array {
  checkSize(rgb, width, height);
  return encodeWithFastPng({ width, height, data: rgb, channels: 3, depth: 8 });
}

/**
 * A JPEG file of [height, width, 3] RGB pixels.
 *
 * @param quality 1 to 100
 * @throws InputError if the quality is out of range.
 */
export async function encodeJpeg(rgb: Uint8Array, width: number, height: number, quality: number): Promise<Uint8Array> {
  checkSize(rgb, width, height);
  if (!(quality >= 1 && quality <= 100)) {
    throw new InputError(`JPEG quality: expected a number from 1 to 100, found ${quality}`);
  }
  const rgba = new Uint8Array(width * height * 4).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++) rgba.set(rgb.subarray(pixel * 3, pixel * 3 + 3), pixel * 4);
  const { codec } = await jpegEncoder();
  // Copied, since the encoder returns a view of its memory.
  return codec.encode(rgba, width, height, { ...ENCODER_OPTIONS, quality }).slice();
}

/** Baseline JPEG; `color_space` 3 is YCbCr, `quant_table` 0 the tables of annex K of the standard. */
const ENCODER_OPTIONS = {
  baseline: true,
  arithmetic: false,
  progressive: false,
  optimize_coding: true,
  smoothing: 0,
  color_space: 3,
  quant_table: 0,
  trellis_multipass: false,
  trellis_opt_zero: false,
  trellis_opt_table: false,
  trellis_loops: 1,
  auto_subsample: true,
  chroma_subsample: 2,
  separate_chroma_quality: false,
  chroma_quality: 75,
};

function checkSize(rgb: Uint8Array, width: number, height: number): void {
  if (rgb.length !== width * height * 3) {
    throw new RangeError(`expected ${width} x ${height} RGB pixels, found ${rgb.length} bytes`);
  }
}
