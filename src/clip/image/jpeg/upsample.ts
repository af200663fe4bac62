/**
 * Rows of an image from its components' planes, equal to libjpeg-turbo's: chroma of half the resolution is interpolated (3 parts of the
 * nearer sample, 1 of the farther), other ratios repeat samples.
 */

export interface Plane {
  /** [rows, stride], rows and columns beyond the image among them. */
  readonly samples: Uint8ClampedArray;
  readonly stride: number;
  /** In samples, without those beyond the image. */
  readonly width: number;
  readonly height: number;
  /** Pixels of the image across and down that a sample stands for. */
  readonly across: number;
  readonly down: number;
}

/** Writes the component's samples for the pixels of row `y` to `out`, whose length is a multiple of a sample's pixels. */
export function upsampledRow(plane: Plane, y: number, out: Uint8Array): void {
  const { samples, stride, width, height, across, down } = plane;
  const row = Math.floor(y / down);
  const start = row * stride;
  // The next row above or below, of which there is none at the edges.
  const next = Math.min(height - 1, Math.max(0, row + (y % 2 === 0 ? -1 : 1))) * stride;
  if (across === 1 && down === 2) {
    const rounding = y % 2 === 0 ? 1 : 2;
    for (let x = 0; x < width; x++) out[x] = (3 * samples[start + x]! + samples[next + x]! + rounding) >> 2;
  } else if (across === 2 && down === 1 && width > 2) {
    interpolate(out, width, (x) => samples[start + x]!, 2, 1, 2);
  } else if (across === 2 && down === 2 && width > 2) {
    interpolate(out, width, (x) => 3 * samples[start + x]! + samples[next + x]!, 4, 8, 7);
  } else {
    for (let x = 0; x < width * across; x++) out[x] = samples[start + Math.floor(x / across)]!;
  }
}

/** Two pixels for each value, rounded down with another addition on its left than on its right. */
function interpolate(
  out: Uint8Array,
  width: number,
  value: (x: number) => number,
  bits: number,
  left: number,
  right: number,
): void {
  let [before, here] = [value(0), value(0)];
  for (let x = 0; x < width; x++) {
    const after = x + 1 < width ? value(x + 1) : here;
    out[2 * x] = (3 * here + before + left) >> bits;
    out[2 * x + 1] = (3 * here + after + right) >> bits;
    [before, here] = [here, after];
  }
}
