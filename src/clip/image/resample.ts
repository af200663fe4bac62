/**
 * Resizing of 8-bit images, identical to Pillow's (`ImagingResample` and the affine nearest-neighbour transform, reimplemented
 * from their arithmetic).
 *
 * Bicubic (a = -0.5) and bilinear: the filter is widened by the reduction factor, so that it also acts as the low-pass filter. Its
 * weights are rounded to 22 fractional bits; the horizontal pass comes first, and its result is rounded and clipped to 8 bits. Only the
 * requested window of the output is computed, from the input rows that it needs.
 */
import { resampleSimd, type Taps } from './resample-simd.js';

/** Part of the resized image, in pixels. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Fractional bits of a weight: 32, minus 8 for the sample, minus 2 for overshoot and sign. */
const WEIGHT_BITS = 22;
const HALF = 1 << (WEIGHT_BITS - 1);

/** Pillow's antialiased filters that CLIP models are trained with. */
export type Filter = 'bicubic' | 'bilinear';

/** The filters' weight at a distance, and their support; both in pixels of the smaller image. */
const FILTERS: Readonly<Record<Filter, { weight(distance: number): number; support: number }>> = {
  bicubic: { weight: bicubic, support: 2 },
  bilinear: { weight: (distance) => Math.max(0, 1 - Math.abs(distance)), support: 1 },
};

/**
 * Resizes to `width` x `height` with one of Pillow's antialiased filters and returns the window of the result.
 *
 * @param data [inHeight, inWidth, channels]
 * @returns [window.height, window.width, channels]
 */
export function resizeFiltered(
  data: Uint8Array,
  inWidth: number,
  inHeight: number,
  channels: number,
  width: number,
  height: number,
  window: Window,
  filter: Filter = 'bicubic',
): Uint8Array {
  const rows = tapsFor(filter, inHeight, height, window.top, window.height);
  const firstRow = rows.starts[0]!;
  const endRow = rows.starts[window.height - 1]! + rows.counts[window.height - 1]!;
  // Pillow skips a pass that does not change the size. Its weights would be exactly 1, so the result is the same.
  const needed = data.subarray(firstRow * inWidth * channels, endRow * inWidth * channels);
  const columns = tapsFor(filter, inWidth, width, window.left, window.width);
  const down = { ...rows, starts: rows.starts.map((start) => start - firstRow) };
  return (
    ((channels === 3 || channels === 4) && resampleSimd(needed, inWidth, channels, columns, down)) ||
    resamplePlain(needed, inWidth, channels, columns, down)
  );
}

/** Both passes in plain TypeScript, for any number of channels; the reference for `resampleSimd`. */
export function resamplePlain(
  data: Uint8Array,
  inWidth: number,
  channels: number,
  across: Taps,
  down: Taps,
): Uint8Array {
  const rows = data.length / (inWidth * channels);
  const narrowed = resampleColumns(data, inWidth, rows, channels, across);
  return resampleRows(narrowed, across.starts.length * channels, down);
}

/** Nearest-neighbour resizing of one channel, which Pillow uses for palette and black-and-white images. */
export function resizeNearest(
  data: Uint8Array,
  inWidth: number,
  inHeight: number,
  width: number,
  height: number,
  window: Window,
): Uint8Array {
  const columns = nearest(inWidth, width, window.left, window.width);
  const rows = nearest(inHeight, height, window.top, window.height);
  const out = new Uint8Array(window.width * window.height);
  let to = 0;
  for (const y of rows) for (const x of columns) out[to++] = data[y * inWidth + x]!;
  return out;
}

/** Input position for each output position. The step is accumulated as in Pillow, to reproduce its rounding errors. */
function nearest(inSize: number, outSize: number, first: number, count: number): Int32Array {
  const step = inSize / outSize;
  const positions = new Int32Array(count);
  let at = step * 0.5;
  for (let out = 0; out < first + count; out++, at += step) {
    if (out >= first) positions[out - first] = Math.min(Math.trunc(at), inSize - 1);
  }
  return positions;
}

/** Horizontal pass: resizes each row of `inWidth` pixels to the positions of `taps`. */
function resampleColumns(data: Uint8Array, inWidth: number, rows: number, channels: number, taps: Taps): Uint8Array {
  const { starts, counts, weights, most } = taps;
  const width = starts.length;
  const out = new Uint8ClampedArray(rows * width * channels);
  let to = 0;
  for (let row = 0; row < rows; row++) {
    const line = row * inWidth * channels;
    for (let x = 0; x < width; x++) {
      const from = line + starts[x]! * channels;
      const firstWeight = x * most;
      const endWeight = firstWeight + counts[x]!;
      if (channels === 3) {
        let red = HALF;
        let green = HALF;
        let blue = HALF;
        for (let w = firstWeight, at = from; w < endWeight; w++, at += 3) {
          const weight = weights[w]!;
          red = (red + Math.imul(data[at]!, weight)) | 0;
          green = (green + Math.imul(data[at + 1]!, weight)) | 0;
          blue = (blue + Math.imul(data[at + 2]!, weight)) | 0;
        }
        out[to++] = red >> WEIGHT_BITS;
        out[to++] = green >> WEIGHT_BITS;
        out[to++] = blue >> WEIGHT_BITS;
      } else {
        for (let channel = 0; channel < channels; channel++) {
          let sum = HALF;
          for (let w = firstWeight, at = from + channel; w < endWeight; w++, at += channels) {
            sum = (sum + Math.imul(data[at]!, weights[w]!)) | 0;
          }
          out[to++] = sum >> WEIGHT_BITS;
        }
      }
    }
  }
  return new Uint8Array(out.buffer);
}

/** Vertical pass over rows of `rowBytes` samples. */
function resampleRows(data: Uint8Array, rowBytes: number, taps: Taps): Uint8Array {
  const { starts, counts, weights, most } = taps;
  const height = starts.length;
  const out = new Uint8ClampedArray(height * rowBytes);
  const sums = new Int32Array(rowBytes);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    for (let tap = 0; tap < counts[y]!; tap++) {
      const weight = weights[y * most + tap]!;
      const from = (starts[y]! + tap) * rowBytes;
      for (let i = 0; i < rowBytes; i++) sums[i] = sums[i]! + Math.imul(data[from + i]!, weight);
    }
    for (let i = 0, to = y * rowBytes; i < rowBytes; i++) out[to + i] = sums[i]! >> WEIGHT_BITS;
  }
  return new Uint8Array(out.buffer);
}

/** Photographs from one camera have the same size, so the weights for a data set are mostly computed once. */
const tapsCache = new Map<string, Taps>();
const CACHED_TAPS = 64;

function tapsFor(filter: Filter, inSize: number, outSize: number, first: number, count: number): Taps {
  const key = `${filter} ${inSize} ${outSize} ${first} ${count}`;
  const cached = tapsCache.get(key);
  if (cached) return cached;
  const taps = filterTaps(filter, inSize, outSize, first, count);
  if (tapsCache.size >= CACHED_TAPS) tapsCache.clear();
  tapsCache.set(key, taps);
  return taps;
}

/** `Taps` with unrounded weights: [positions, most] in float64, summing to 1 per position. */
export interface ExactTaps extends Omit<Taps, 'weights'> {
  readonly weights: Float64Array;
}

/** The weights of output positions `first` to `first + count`. */
export function filterTaps(filter: Filter, inSize: number, outSize: number, first: number, count: number): Taps {
  const taps = exactTaps(filter, inSize, outSize, first, count);
  const weights = new Int32Array(taps.weights.length);
  for (let i = 0; i < weights.length; i++) {
    const weight = taps.weights[i]! * (1 << WEIGHT_BITS);
    weights[i] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
  }
  return { ...taps, weights };
}

/** The same, unrounded. The order of operations is Pillow's. */
export function exactTaps(filter: Filter, inSize: number, outSize: number, first: number, count: number): ExactTaps {
  const { weight: weightAt, support: reach } = FILTERS[filter];
  const scale = inSize / outSize;
  const filterScale = Math.max(scale, 1);
  const support = reach * filterScale;
  const most = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(count);
  const counts = new Int32Array(count);
  const weights = new Float64Array(count * most);
  for (let position = 0; position < count; position++) {
    const center = (first + position + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const taps = Math.min(inSize, Math.trunc(center + support + 0.5)) - start;
    const own = weights.subarray(position * most, position * most + taps);
    let total = 0;
    for (let tap = 0; tap < taps; tap++) {
      const weight = weightAt((tap + start - center + 0.5) * (1 / filterScale));
      own[tap] = weight;
      total += weight;
    }
    if (total !== 0) for (let tap = 0; tap < taps; tap++) own[tap]! /= total;
    starts[position] = start;
    counts[position] = taps;
  }
  return { starts, counts, weights, most };
}

/** Keys's cubic convolution kernel with a = -0.5. */
function bicubic(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/**
 * `resizeFiltered` for 16-bit grey, as in Pillow's mode I: float64 weights and sums, each pass rounded to integers, not clipped between
 * the passes.
 *
 * @param data [inHeight, inWidth, 2], high byte first
 * @returns [window.height, window.width] integers, which exceed 16 bits if the filter overshoots
 */
export function resizeDeep(
  data: Uint8Array,
  inWidth: number,
  inHeight: number,
  width: number,
  height: number,
  window: Window,
  filter: Filter,
): Int32Array {
  const columns = exactTaps(filter, inWidth, width, window.left, window.width);
  const rows = exactTaps(filter, inHeight, height, window.top, window.height);
  const last = window.height - 1;
  const firstRow = rows.starts[0]!;
  const endRow = rows.starts[last]! + rows.counts[last]!;
  const narrowed = new Int32Array((endRow - firstRow) * window.width);
  const line = new Int32Array(inWidth);
  for (let y = firstRow; y < endRow; y++) {
    for (let x = 0, at = y * inWidth * 2; x < inWidth; x++, at += 2) line[x] = (data[at]! << 8) | data[at + 1]!;
    const out = narrowed.subarray((y - firstRow) * window.width);
    for (let x = 0; x < window.width; x++) out[x] = weighted(line, columns.starts[x]!, 1, columns, x);
  }
  const out = new Int32Array(window.height * window.width);
  for (let y = 0; y < window.height; y++) {
    const from = (rows.starts[y]! - firstRow) * window.width;
    for (let x = 0; x < window.width; x++) {
      out[y * window.width + x] = weighted(narrowed, from + x, window.width, rows, y);
    }
  }
  return out;
}

/** Weighted sum for an output position of the samples starting at `at`, `step` apart; halves are rounded away from 0. */
function weighted(samples: Int32Array, at: number, step: number, taps: ExactTaps, position: number): number {
  const { counts, weights, most } = taps;
  let sum = 0;
  for (let tap = 0; tap < counts[position]!; tap++) sum += samples[at + tap * step]! * weights[position * most + tap]!;
  return sum < 0 ? -Math.floor(0.5 - sum) : Math.floor(sum + 0.5);
}
