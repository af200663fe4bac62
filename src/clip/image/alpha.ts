/**
 * Premultiplied alpha in 8-bit arithmetic, as Pillow's RGBa and La modes have it. Images with alpha are resized premultiplied,
 * so that the colours of transparent pixels do not bleed into visible ones.
 */

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

/** Divides the colours by alpha in place, rounding down; where alpha is 0 they stay as they are. */
export function unpremultiply(data: Uint8Array, channels: number): void {
  for (let pixel = 0; pixel < data.length; pixel += channels) {
    const alpha = data[pixel + channels - 1]!;
    if (alpha === 0 || alpha === 255) continue;
    for (let channel = 0; channel < channels - 1; channel++) {
      data[pixel + channel] = Math.min(255, Math.trunc((255 * data[pixel + channel]!) / alpha));
    }
  }
}
