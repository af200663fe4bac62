/**
 * CLIP's image preprocessing up to 8-bit RGB: `Resize(size, BICUBIC)`, `CenterCrop(size)` and `convert("RGB")` of the original
 * (`clip/clip.py` of openai/CLIP), in this order, on Pillow images. Equal to it byte for byte.
 */
import { InputError } from '../../errors.js';
import { premultiply, unpremultiply } from './alpha.js';
import { CHANNELS, type DecodedImage } from './decoded-image.js';
import { resizeBicubic, resizeNearest, type Window } from './resample.js';

/** CLIP models take 224 to 448 pixels. */
const LARGEST_SIZE = 4096;

/**
 * The longest side that a resized image may have. The original makes all of it before it crops, fifteen gigabytes at this
 * length and 224 pixels across.
 */
const LONGEST_RESIZED = 1 << 24;

/**
 * The pixels that CLIP sees: the short side resized to `size`, the long side cropped to it in the middle, alpha dropped.
 *
 * @returns [size, size, 3] RGB
 * @param name shown in errors
 * @throws InputError if `size` is not a whole number from 1 to 4096, or the image is too narrow a strip.
 */
export function preprocess(image: DecodedImage, size: number, name = 'image'): Uint8Array {
  if (!Number.isInteger(size) || size < 1 || size > LARGEST_SIZE) {
    throw new InputError(`image size: expected a whole number from 1 to ${LARGEST_SIZE}, found ${size}`);
  }
  return toRgb(shortSideTo(image, size, size, name), image);
}

/**
 * The pixels that DeiT sees (`build_transform` of facebookresearch/deit, in evaluation): to RGB first, the short side resized to 256 /
 * 224 of `size` by bicubic filter, the middle cropped.
 *
 * @returns [size, size, 3] RGB
 */
export function preprocessImageNet(image: DecodedImage, size: number, name = 'image'): Uint8Array {
  const { width, height } = image;
  const rgb: DecodedImage = { width, height, mode: 'RGB', data: toRgb(image.data, image) };
  return shortSideTo(rgb, Math.trunc((256 / 224) * size), size, name);
}

/** Resized to a short side of `short` pixels, and of that the middle square of `size`; in the image's own mode. */
function shortSideTo(image: DecodedImage, short: number, size: number, name: string): Uint8Array {
  const side = Math.min(image.width, image.height);
  const width = Math.floor((short * image.width) / side);
  const height = Math.floor((short * image.height) / side);
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
  return resize(image, width, height, window);
}

/** The window of the resized image, in the image's own mode. */
function resize(image: DecodedImage, width: number, height: number, window: Window): Uint8Array {
  const { mode } = image;
  const channels = CHANNELS[mode];
  if (mode === 'P' || mode === '1') return resizeNearest(image.data, image.width, image.height, width, height, window);
  // An image that already has the right size stays as it is, whatever its alpha.
  const hasAlpha = (mode === 'LA' || mode === 'RGBA') && (width !== image.width || height !== image.height);
  const data = hasAlpha ? premultiply(image.data, channels) : image.data;
  const resized = resizeBicubic(data, image.width, image.height, channels, width, height, window);
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
