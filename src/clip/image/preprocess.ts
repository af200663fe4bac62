/**
 * A model's image preprocessing up to 8-bit RGB, on Pillow images: resize, centre crop, `convert("RGB")`. For CLIP's own it is
 * `Resize(size, BICUBIC)`, `CenterCrop(size)` and `convert("RGB")` of the original (`clip/clip.py` of openai/CLIP), in this order.
 * Equal to it byte for byte.
 */
import { InputError } from '../../errors.js';
import { CHANNELS, type DecodedImage } from './decoded-image.js';
import { normalizePixels } from './normalize.js';
import { clipPreprocessing, type Preprocessing } from './preprocessing.js';
import { type Filter, resizeDeep, resizeFiltered, resizeNearest, type Window } from './resample.js';
import { premultiply, toRgb, unpremultiply } from './to-rgb.js';

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
  if (preprocessing.toRgb === 'after') return toRgb(resizedAndCropped(image, preprocessing, name));
  const { width, height } = image;
  return resizedAndCropped({ width, height, mode: 'RGB', data: toRgb(image) }, preprocessing, name).data;
}

/** What a model's image tower takes: `preprocess` and `normalizePixels` with the model's own figures. Returns [3, size, size]. */
export function modelPixels(image: DecodedImage, how: Preprocessing, name = 'image'): Float32Array {
  return normalizePixels(preprocess(image, how, name), how.size, how);
}

/** Resized, and of that the middle square of `size`; in the image's own mode. */
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

/** The long side in proportion, rounded down. */
function shortSideTo({ width, height }: DecodedImage, short: number): [width: number, height: number] {
  const side = Math.min(width, height);
  return [Math.floor((short * width) / side), Math.floor((short * height) / side)];
}

/** The window of the resized image in the image's own mode, 16-bit grey clipped to 8 bits. */
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
  // An image that already has the right size stays as it is, whatever its alpha.
  const hasAlpha = (mode === 'LA' || mode === 'RGBA') && (width !== image.width || height !== image.height);
  const data = hasAlpha ? premultiply(image.data, channels) : image.data;
  const out = resizeFiltered(data, image.width, image.height, channels, width, height, window, filter);
  if (hasAlpha) unpremultiply(out, channels);
  return { ...resized, data: out };
}

/** Python's `round` for halves: 0.5 is 0, 1.5 is 2. */
function roundHalfToEven(value: number): number {
  const down = Math.floor(value);
  return value - down === 0.5 && down % 2 === 0 ? down : Math.round(value);
}
