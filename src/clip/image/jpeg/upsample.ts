/**
 * Upsamples component planes to image rows, identical to libjpeg-turbo: chroma at half resolution is interpolated (3 parts of the nearer
 * sample, 1 of the farther); for other ratios, samples are repeated.
 */

export interface Plane {
  /** [rows, stride], including rows and columns beyond the image. */
  readonly samples: Uint8ClampedArray;
  readonly stride: number;
  /** Size in samples, excluding those beyond the image. */
  readonly width: number;
  readonly height: number;
  /** Image pixels per sample, across and down. */
  readonly across: number;
  readonly down: number;
}

/** Writes the component's samples for the pixels of row `y` to `out`, whose length is a multiple of a sample's pixels. */
export function upsampledRow(plane: Plane, y: number, out: Uint8Array): void {
  const { samples, stride, width, height, across, down } = plane;
  const row = Math.floor(y / down);
  const start = row * stride;
  // The nearer of the rows above and below; at the edges, the row itself.
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

/** Two pixels per value, rounded down after adding a different bias for the left and the right one. */
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
