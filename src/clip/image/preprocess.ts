/**
 * A model's image preprocessing up to 8-bit RGB: resize, centre crop, convert to RGB. For CLIP, the result is byte for byte that of
 * `Resize(size, BICUBIC)`, `CenterCrop(size)` and `convert("RGB")` on Pillow images in the original (`clip/clip.py` of openai/CLIP).
 */
import { InputError } from '../../errors.js';
import { CHANNELS, type DecodedImage } from './decoded-image.js';
import { clipPreprocessing, type Preprocessing } from './preprocessing.js';
import { type Filter, resizeDeep, resizeFiltered, resizeNearest, type Window } from './resample.js';
import { premultiply, toRgb, unpremultiply } from './to-rgb.js';

/**
 * Maximum side of a resized image. The original computes all of it before cropping: 15 GB at this length and 224 pixels
 * across.
 */
const LONGEST_RESIZED = 1 << 24;

/**
 * Resizes, crops and converts an image for a model.
 *
 * @param how the model's preprocessing; a number means CLIP's at that size
 * @returns [size, size, 3] RGB
 * @param name shown in errors
 * @throws InputError if the size is not a whole number from 1 to 4096, or the image is too narrow.
 */
export function preprocess(image: DecodedImage, how: Preprocessing | number, name = 'image'): Uint8Array {
  return toRgb(prepared(image, typeof how === 'number' ? clipPreprocessing(how) : how, name));
}

/**
 * The same as whole numbers [size, size], in which a model's image tower takes pictures: red in the lowest byte, then green, then blue; the
 * highest byte is not defined.
 */
export function modelPixels(image: DecodedImage, how: Preprocessing, name = 'image'): Int32Array {
  const found = prepared(image, how, name);
  const pixels = how.size * how.size;
  if (found.mode === 'RGBX') return new Int32Array(found.data.buffer, found.data.byteOffset, pixels);
  const rgb = toRgb(found);
  const words = new Int32Array(pixels);
  for (let pixel = 0, at = 0; pixel < pixels; pixel++, at += 3)
    words[pixel] = rgb[at]! | (rgb[at + 1]! << 8) | (rgb[at + 2]! << 16);
  return words;
}

/** The image resized and cropped; in RGB if the model wants it so before, else in its own mode. */
function prepared(image: DecodedImage, how: Preprocessing, name: string): DecodedImage {
  if (how.toRgb === 'after') return resizedAndCropped(image, how, name);
  const { width, height } = image;
  return resizedAndCropped({ width, height, mode: 'RGB', data: toRgb(image) }, how, name);
}

/** Resizes and crops the central square of `size`, keeping the image's mode. */
function resizedAndCropped(image: DecodedImage, how: Preprocessing, name: string): DecodedImage {
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

/** Size with the given short side; the long side keeps the aspect ratio, rounded down. */
function shortSideTo({ width, height }: DecodedImage, short: number): [width: number, height: number] {
  const side = Math.min(width, height);
  return [Math.floor((short * width) / side), Math.floor((short * height) / side)];
}

/** The window of the resized image in the image's mode, with 16-bit grey clipped to 8 bits. */
function resize(image: DecodedImage, width: number, height: number, window: Window, filter: Filter): DecodedImage {
  const { mode } = image;
  const resized = { ...image, width: window.width, height: window.height };
  if (mode === 'P' || mode === '1') {
    return { ...resized, data: resizeNearest(image.data, image.width, image.height, width, height, window) };
  }
  if (mode === 'I') {
    const grey = Uint8ClampedArray.from(
      resizeDeep(image.data, image.width, image.height, width, height, window, filter),
    );
    return { ...resized, mode: 'L', data: new Uint8Array(grey.buffer) };
  }
  const channels = CHANNELS[mode];
  // An image that already has the right size is unchanged, whatever its alpha.
  const hasAlpha = (mode === 'LA' || mode === 'RGBA') && (width !== image.width || height !== image.height);
  const data = hasAlpha ? premultiply(image.data, channels) : image.data;
  const out = resizeFiltered(data, image.width, image.height, channels, width, height, window, filter);
  if (hasAlpha) unpremultiply(out, channels);
  return { ...resized, data: out };
}

/** Python's `round`: halves go to even, so 0.5 is 0 and 1.5 is 2. */
function roundHalfToEven(value: number): number {
  const down = Math.floor(value);
  return value - down === 0.5 && down % 2 === 0 ? down : Math.round(value);
}
