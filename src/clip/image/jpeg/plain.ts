/**
 * A JPEG decoder for files that the WebAssembly build of libjpeg-turbo cannot decode, or decodes differently from Pillow: unconverted
 * CMYK, arithmetic coding, chroma subsampled only vertically, and truncated files. Byte for byte equal to libjpeg-turbo 2.1.
 *
 * Why not a library: jpeg-js returns CMYK only as RGB, has a different inverse DCT and no arithmetic coding; `@cwasm/jpeg-turbo` is
 * libjpeg-turbo 2.0, also without arithmetic coding; `@cornerstonejs/codec-libjpeg-turbo-8bit` has no CMYK and cannot be bundled as an
 * ES module; ImageMagick's WebAssembly is 14 MB.
 */
import { InputError } from '../../../errors.js';
import { CHANNELS, type DecodedImage, type ImageMode, type TruncatedImages } from '../decoded-image.js';
import { ArithmeticDecoder } from './arithmetic.js';
import { type JpegComponent, type JpegHeader, type JpegSegment, jpegSegments, SOS } from './header.js';
import { HuffmanDecoder } from './huffman.js';
import { inverseDct } from './idct.js';
import type { BlockDecoder, ScanParameters } from './scan.js';
import { ScanProgress, smoothed } from './smoothing.js';
import { JpegTables } from './tables.js';
import { type Plane, upsampledRow } from './upsample.js';

/** A component's coefficients and samples; sequential images need the coefficients of only one block. */
interface Component extends JpegComponent {
  readonly plane: Plane;
  /** Width in blocks including padding; `own...` counts the blocks that overlap the image. */
  readonly blocksAcross: number;
  readonly ownAcross: number;
  readonly ownDown: number;
  readonly coefficients: Int16Array;
  /** The table defined when the component's first scan begins. */
  quantisation?: Uint16Array | undefined;
}

/** Colour space of the components. */
type ColorSpace = 'grey' | 'rgb' | 'ycc' | 'cmyk' | 'ycck';

/**
 * @param header of `bytes`; its size must have been checked
 * @returns mode L, RGB, or CMYK with 0 for no ink, which is the inverse of the file's values
 * @throws InputError if the file is damaged, or truncated and `truncated` is not 'read'.
 */
export function decodePlainJpeg(
  bytes: Uint8Array,
  header: JpegHeader,
  name: string,
  truncated: TruncatedImages,
): DecodedImage {
  try {
    return decode(bytes, header, truncated);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${name}: JPEG image cannot be decoded (${(error as Error).message})`);
  }
}

function decode(bytes: Uint8Array, header: JpegHeader, truncated: TruncatedImages): DecodedImage {
  const components = layOut(header);
  const progress = new ScanProgress(components.length);
  let isStarved = false;
  const tables = new JpegTables();
  const markers: JpegSegment[] = [];
  for (const segment of jpegSegments(bytes)) {
    tables.read(segment);
    if (segment.marker === SOS) {
      isStarved = decodeScan(segment, header, components, tables, progress) || isStarved;
      if (isStarved && header.end !== 'marker' && (truncated === 'skip' || header.arithmetic))
        throw new Error('its data are cut short');
      // Like libjpeg, ignore anything after it.
      if (header.single) break;
    }
    if (segment.marker === APP0 || segment.marker === APP14) markers.push(segment);
  }
  const space = colorSpace(header, markers);
  const isCut = !header.complete || (isStarved && header.end !== 'marker');
  // libjpeg outputs pixels only after all scans, and would still be waiting for the rest of the segment.
  if (header.end === 'segment' && !header.single) return { ...blank(header, space), truncated: true };
  if (header.progressive) transformAll(components, progress);
  return { ...paint(header, components, space), ...(isCut && { truncated: true as const }) };
}

function layOut({ width, height, components, progressive }: JpegHeader): Component[] {
  const across = Math.max(...components.map((one) => one.across));
  const down = Math.max(...components.map((one) => one.down));
  return components.map((one) => {
    if (across % one.across !== 0 || down % one.down !== 0) throw new Error('sampling factors without a whole ratio');
    const blocksAcross = Math.ceil(width / (8 * across)) * one.across;
    const blocksDown = Math.ceil(height / (8 * down)) * one.down;
    const plane: Plane = {
      samples: new Uint8ClampedArray(blocksAcross * blocksDown * 64).fill(128),
      stride: 8 * blocksAcross,
      width: Math.ceil((width * one.across) / across),
      height: Math.ceil((height * one.down) / down),
      across: across / one.across,
      down: down / one.down,
    };
    return {
      ...one,
      plane,
      blocksAcross,
      ownAcross: Math.ceil(plane.width / 8),
      ownDown: Math.ceil(plane.height / 8),
      coefficients: new Int16Array(progressive ? blocksAcross * blocksDown * 64 : 64),
    };
  });
}

/** Decodes the blocks of a scan (A.2, B.2.3). Returns whether its data ended early. */
function decodeScan(
  { data, coded }: JpegSegment,
  header: JpegHeader,
  all: readonly Component[],
  tables: JpegTables,
  progress: ScanProgress,
): boolean {
  const count = data[0] ?? 0;
  if (count < 1 || count > 4 || data.length < 4 + 2 * count) throw new Error('a scan header that is cut');
  const chosen = Array.from({ length: count }, (_, i) => {
    const component = all.find(({ id }) => id === data[1 + 2 * i]);
    if (!component) throw new Error(`a scan of component ${data[1 + 2 * i]}, which there is none of`);
    component.quantisation ??= tables.quantisation.get(component.table);
    if (!component.quantisation) throw new Error(`no quantisation table ${component.table}`);
    return { component, dc: data[2 + 2 * i]! >> 4, ac: data[2 + 2 * i]! & 15 };
  });
  const [first, last, bits] = data.subarray(1 + 2 * count);
  const scan: ScanParameters = header.progressive
    ? { progressive: true, first: first!, last: last!, high: bits! >> 4, low: bits! & 15 }
    : { progressive: false, first: 0, last: 63, high: 0, low: 0 };
  if (scan.last > 63 || scan.first > scan.last || (scan.progressive && (scan.first === 0) !== (scan.last === 0))) {
    throw new Error(`a scan of coefficients ${scan.first} to ${scan.last}`);
  }
  if (scan.first > 0 && count > 1) throw new Error('a scan of several components that is not of DC');

  progress.begin(
    scan,
    chosen.map(({ component }) => all.indexOf(component)),
  );
  const decoder = blockDecoder(header, scan, chosen, tables);
  const intervals = restartIntervals(coded);
  const single = count === 1 ? chosen[0]!.component : undefined;
  const reference = all[0]!;
  const unitsAcross = single ? single.ownAcross : reference.blocksAcross / reference.across;
  const unitsDown = single
    ? single.ownDown
    : reference.plane.samples.length / (64 * reference.blocksAcross) / reference.down;
  const units = unitsAcross * unitsDown;
  const interval = tables.restartInterval || units;
  let starved = false;
  for (let unit = 0; unit < units; unit++) {
    if (unit % interval === 0) {
      const next = intervals.next();
      // As in libjpeg, once data are missing, the decoder is not restarted after the end of the data.
      if (!next.done || !decoder.starved || header.arithmetic) decoder.start(next.value ?? NOTHING);
    }
    // With arithmetic coding, reading past the end is normal: encoders omit trailing zeros.
    if (decoder.starved && !header.arithmetic) {
      starved = true;
      continue;
    }
    const [x, y] = [unit % unitsAcross, Math.floor(unit / unitsAcross)];
    progress.lastRow = Math.floor(y / (single?.down ?? 1));
    if (single) decodeBlock(decoder, 0, single, x, y, header);
    else {
      for (const [i, { component }] of chosen.entries()) {
        const { across, down } = component;
        for (let v = 0; v < down; v++) {
          for (let h = 0; h < across; h++) decodeBlock(decoder, i, component, x * across + h, y * down + v, header);
        }
      }
    }
  }
  return starved || decoder.starved;
}

const NOTHING = new Uint8Array(0);

function blockDecoder(
  header: JpegHeader,
  scan: ScanParameters,
  chosen: readonly { readonly dc: number; readonly ac: number }[],
  tables: JpegTables,
): BlockDecoder {
  if (header.arithmetic) {
    return new ArithmeticDecoder(
      scan,
      chosen,
      chosen.map(({ dc, ac }) => tables.conditioning(dc, ac)),
    );
  }
  const needsDc = scan.first === 0 && scan.high === 0;
  return new HuffmanDecoder(
    scan,
    chosen.map(({ dc }) => (needsDc ? tables.lookup('DC', dc) : undefined)),
    chosen.map(({ ac }) => (scan.last > 0 ? tables.lookup('AC', ac) : undefined)),
  );
}

/** The data between restart markers, without the zeros stuffed after bytes of 0xff. */
function* restartIntervals(coded: Uint8Array): Generator<Uint8Array, undefined> {
  const clean = new Uint8Array(coded.length);
  let [start, length] = [0, 0];
  for (let at = 0; at < coded.length; at++) {
    const byte = coded[at]!;
    clean[length++] = byte;
    if (byte !== 0xff) continue;
    while (coded[at + 1] === 0xff) at++;
    // A truncated marker does not count.
    if (at + 1 === coded.length) length--;
    if (at + 1 === coded.length) break;
    if (coded[++at] === 0) continue;
    yield clean.subarray(start, --length);
    start = length;
  }
  yield clean.subarray(start, length);
}

function decodeBlock(
  decoder: BlockDecoder,
  place: number,
  component: Component,
  x: number,
  y: number,
  header: JpegHeader,
): void {
  const block = y * component.blocksAcross + x;
  if (header.progressive) {
    decoder.block(place, component.coefficients, block * 64);
    return;
  }
  decoder.block(place, component.coefficients.fill(0), 0);
  transform(component, component.coefficients, 0, x, y);
}

/** Transforms a progressive image; components without any scan stay grey. */
function transformAll(components: readonly Component[], progress: ScanProgress): void {
  const smooths = progress.needsSmoothing(components);
  for (const [i, component] of components.entries()) {
    const { blocksAcross, ownAcross, ownDown, down, coefficients, quantisation } = component;
    if (!quantisation) continue;
    for (let y = 0; y < ownDown; y++) {
      const missing = smooths ? progress.missing(i, Math.floor(y / down)) : undefined;
      for (let x = 0; x < ownAcross; x++) {
        if (missing) transform(component, smoothed(component, x, y, missing), 0, x, y);
        else transform(component, coefficients, 64 * (y * blocksAcross + x), x, y);
      }
    }
  }
}

function transform(
  { quantisation, plane }: Component,
  coefficients: Int16Array,
  from: number,
  x: number,
  y: number,
): void {
  const { samples, stride } = plane;
  inverseDct(coefficients, from, quantisation!, samples, 8 * (y * stride + x), stride);
}

const APP0 = 0xe0;
const APP14 = 0xee;

/** The colour space from JFIF and Adobe markers or the component names, by libjpeg's rules. */
function colorSpace({ components }: JpegHeader, markers: readonly JpegSegment[]): ColorSpace {
  if (components.length === 1) return 'grey';
  const startsWith = (data: Uint8Array, text: string) =>
    [...text].every((letter, i) => letter.charCodeAt(0) === data[i]);
  const isJfif = markers.some(({ marker, data }) => marker === APP0 && data.length >= 14 && startsWith(data, 'JFIF\0'));
  const adobe = markers.findLast(
    ({ marker, data }) => marker === APP14 && data.length >= 12 && startsWith(data, 'Adobe'),
  );
  const isTransformed = adobe && adobe.data[11] !== 0;
  if (components.length === 4) return isTransformed ? 'ycck' : 'cmyk';
  if (isJfif) return 'ycc';
  const isNamedRgb = String.fromCharCode(...components.map(({ id }) => id)) === 'RGB';
  return (adobe ? isTransformed : !isNamedRgb) ? 'ycc' : 'rgb';
}

function modeOf(space: ColorSpace): ImageMode {
  return space === 'grey' ? 'L' : space === 'cmyk' || space === 'ycck' ? 'CMYK' : 'RGB';
}

/** All samples zero: black, or no ink. */
function blank({ width, height }: JpegHeader, space: ColorSpace): DecodedImage {
  const mode = modeOf(space);
  return { width, height, mode, data: new Uint8Array(width * height * CHANNELS[mode]) };
}

function paint({ width, height }: JpegHeader, components: readonly Component[], space: ColorSpace): DecodedImage {
  const channels = components.length;
  const data = new Uint8ClampedArray(width * height * channels);
  const lines = components.map(({ plane }) => new Uint8Array(plane.width * plane.across));
  for (let y = 0, to = 0; y < height; y++) {
    for (const [i, { plane }] of components.entries()) upsampledRow(plane, y, lines[i]!);
    for (let x = 0; x < width; x++, to += channels) {
      for (let channel = 0; channel < channels; channel++) data[to + channel] = lines[channel]![x]!;
      if (space === 'ycc' || space === 'ycck') toRgb(data, to);
      // Files store CMYK inverted, and so is the fourth channel of both; the other channels of YCCK are not, once decoded.
      if (space === 'cmyk')
        for (let channel = 0; channel < 3; channel++) data[to + channel] = 255 - data[to + channel]!;
      if (channels === 4) data[to + 3] = 255 - data[to + 3]!;
    }
  }
  return { width, height, mode: modeOf(space), data: new Uint8Array(data.buffer) };
}

const FRACTION_BITS = 16;
const HALF = 1 << (FRACTION_BITS - 1);
const scaled = (value: number) => Math.round(value * (1 << FRACTION_BITS));
const RED_OF_CR = scaled(1.402);
const GREEN_OF_CR = scaled(0.71414);
const GREEN_OF_CB = scaled(0.34414);
const BLUE_OF_CB = scaled(1.772);

/** YCbCr to RGB in place, with libjpeg's rounding. */
function toRgb(data: Uint8ClampedArray, at: number): void {
  const [luma, cb, cr] = [data[at]!, data[at + 1]! - 128, data[at + 2]! - 128];
  data[at] = luma + ((RED_OF_CR * cr + HALF) >> FRACTION_BITS);
  data[at + 1] = luma + ((HALF - GREEN_OF_CB * cb - GREEN_OF_CR * cr) >> FRACTION_BITS);
  data[at + 2] = luma + ((BLUE_OF_CB * cb + HALF) >> FRACTION_BITS);
}
