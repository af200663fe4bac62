/** What Pillow's `convert("RGB")` gives for each mode: alpha and unused samples dropped, 16 bits clipped to 8, inks mixed. */
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

/** Each colour is what its ink leaves of what black leaves: 255 - k - round(c * (255 - k) / 255). */
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

/** Samples of two bytes, all above 255 white: Pillow does not scale them, and so neither does CLIP's preprocessing. */
function clipped(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(data.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = data[2 * i] ? 255 : data[2 * i + 1]!;
  return out;
}
