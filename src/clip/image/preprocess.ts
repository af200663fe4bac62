/**
 * A model's image preprocessing up to 8-bit RGB, on Pillow images: resize, centre crop, `convert("RGB")`. For CLIP's own it is
 * `Resize(size, BICUBIC)`, `CenterCrop(size)` and `convert("RGB")` of the original (`clip/clip.py` of openai/CLIP), in this order.
 * Equal to it byte for byte.
 */
import { InputError } from '../../errors.js';
import { premultiply, unpremultiply } from './alpha.js';
import { CHANNELS, type DecodedImage } from './decoded-image.js';
import { normalizePixels } from './normalize.js';
import { clipPreprocessing, type Preprocessing } from './preprocessing.js';
import { type Filter, resizeFiltered, resizeNearest, type Window } from './resample.js';

/**
 * The longest side that a resized image may have. The original makes all of it before it crops, fifteen gigabytes at this
 * length and 224 pixels across.
 */
const LONGEST_RESIZED = 1 << 24;

/**
 * The pixels that a model sees.
 *
 * @param how the model's preprocessing; a number stands for CLIP's own at that size
 * @returns [size, size, 3] RGB
 * @param name shown in errors
 * @throws InputError if the size is not a whole number from 1 to 4096, or the image is too narrow a strip.
 */
export function preprocess(image: DecodedImage, how: Preprocessing | number, name = 'image'): Uint8Array {
  const preprocessing = typeof how === 'number' ? clipPreprocessing(how) : how;
  if (preprocessing.toRgb === 'after') return toRgb(resizedAndCropped(image, preprocessing, name), image);
  const { width, height } = image;
  return resizedAndCropped({ width, height, mode: 'RGB', data: toRgb(image.data, image) }, preprocessing, name);
}

/** What a model's image tower takes: `preprocess` and `normalizePixels` with the model's own figures. Returns [3, size, size]. */
export function modelPixels(image: DecodedImage, how: Preprocessing, name = 'image'): Float32Array {
  return normalizePixels(preprocess(image, how, name), how.size, how);
}

/** Resized, and of that the middle square of `size`; in the image's own mode. */
function resizedAndCropped(image: DecodedImage, how: Preprocessing, name: string): Uint8Array {
  const { size, resize: to, filter } = how;
  const [width, height] = how.shape === 'squash' ? [to, to] : shortSideTo(image, to);
  if (Math.max(width, height) > LONGEST_RESIZED) {
    throw new InputError(
      `${name}: ${image.width} x ${image.height} pixels are too narrow a strip, resized it would have ${width} x ${height}`,
    );
  }
  const window = {
    left: roundHalfToEven((width - size) / 2),
    top: roundHalfToEven((height - size) / 2),
    width: size,
    height: size,
  };
  return resize(image, width, height, window, filter);
}

/** The long side in proportion, rounded down. */
function shortSideTo({ width, height }: DecodedImage, short: number): [width: number, height: number] {
  const side = Math.min(width, height);
  return [Math.floor((short * width) / side), Math.floor((short * height) / side)];
}

/** The window of the resized image, in the image's own mode. */
function resize(image: DecodedImage, width: number, height: number, window: Window, filter: Filter): Uint8Array {
  const { mode } = image;
  const channels = CHANNELS[mode];
  if (mode === 'P' || mode === '1') return resizeNearest(image.data, image.width, image.height, width, height, window);
  // An image that already has the right size stays as it is, whatever its alpha.
  const hasAlpha = (mode === 'LA' || mode === 'RGBA') && (width !== image.width || height !== image.height);
  const data = hasAlpha ? premultiply(image.data, channels) : image.data;
  const resized = resizeFiltered(data, image.width, image.height, channels, width, height, window, filter);
  if (hasAlpha) unpremultiply(resized, channels);
  return resized;
}

function toRgb(data: Uint8Array, { mode, palette }: DecodedImage): Uint8Array {
  if (mode === 'RGB') return data;
  const channels = CHANNELS[mode];
  const isColor = mode === 'RGBA' || mode === 'RGBX';
  const rgb = new Uint8Array((data.length / channels) * 3);
  for (let from = 0, to = 0; from < data.length; from += channels, to += 3) {
    const value = data[from]!;
    for (let channel = 0; channel < 3; channel++) {
      rgb[to + channel] = palette ? palette[value * 3 + channel]! : isColor ? data[from + channel]! : value;
    }
  }
  return rgb;
}

/** Python's `round` for halves: 0.5 is 0, 1.5 is 2. */
function roundHalfToEven(value: number): number {
  const down = Math.floor(value);
  return value - down === 0.5 && down % 2 === 0 ? down : Math.round(value);
}
