/** Pillow's `convert("RGB")` for each mode: drops alpha and unused samples, clips 16 bits to 8, mixes inks. */
import { CHANNELS, type DecodedImage } from './decoded-image.js';

/** @returns [height, width, 3] */
export function toRgb(image: DecodedImage): Uint8Array {
  const { mode, data, palette } = image;
  if (mode === 'RGB') return data;
  if (mode === 'CMYK') return fromInks(data);
  if (mode === 'I') return toRgb({ ...image, mode: 'L', data: clipped(data) });
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

/** Each colour is 255 - k - round(c * (255 - k) / 255). */
function fromInks(data: Uint8Array): Uint8Array {
  const rgb = new Uint8ClampedArray((data.length / 4) * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    const light = 255 - data[from + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      const product = data[from + channel]! * light + 128;
      rgb[to + channel] = light - (((product >> 8) + product) >> 8);
    }
  }
  return new Uint8Array(rgb.buffer);
}

/** Clips two-byte samples at 255 (white); Pillow, and so CLIP's preprocessing, does not scale them. */
function clipped(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = data[2 * i] ? 255 : data[2 * i + 1]!;
  return out;
}

// Premultiplied alpha in 8-bit arithmetic, as in Pillow's RGBa and La modes. Images with alpha are resized premultiplied, so
// that the colours of transparent pixels do not bleed into visible ones.

/** Multiplies the colours of [pixels, channels] by the alpha in the last channel: round(colour * alpha / 255). */
export function premultiply(data: Uint8Array, channels: number): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let pixel = 0; pixel < data.length; pixel += channels) {
    const alpha = data[pixel + channels - 1]!;
    for (let channel = 0; channel < channels - 1; channel++) {
      const product = data[pixel + channel]! * alpha + 128;
      out[pixel + channel] = ((product >> 8) + product) >> 8;
    }
    out[pixel + channels - 1] = alpha;
  }
  return out;
}

/** Divides the colours by alpha in place, rounding down; pixels with alpha 0 are unchanged. */
export function unpremultiply(data: Uint8Array, channels: number): void {
  for (let pixel = 0; pixel < data.length; pixel += channels) {
    const alpha = data[pixel + channels - 1]!;
    if (alpha === 0 || alpha === 255) continue;
    for (let channel = 0; channel < channels - 1; channel++) {
      data[pixel + channel] = Math.min(255, Math.trunc((255 * data[pixel + channel]!) / alpha));
    }
  }
}
