/**
 * What a JPEG file's markers say, read before any decoder sees the file (ITU-T T.81, annex B): its size, its components,
 * and whether it is whole.
 */
import { InputError } from '../../errors.js';

export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1: grey, 3: colour, 4: CMYK. */
  readonly components: number;
  /** Blocks of 8 x 8 samples in all components. */
  readonly blocks: number;
  /** 1 for baseline images, about 10 for progressive ones. */
  readonly scans: number;
}

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;

/** Start of a frame of any kind of coding; three codes in this range mean something else. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Markers without a segment: TEM and the restart markers. */
const isBare = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= SOI);

/** @throws InputError if a marker is cut, or the file ends before the end marker, as Pillow refuses such files. */
export function readJpegHeader(bytes: Uint8Array, name: string): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let frame: Omit<JpegHeader, 'scans'> | undefined;
  let scans = 0;
  // Coded data never has 0xff followed by anything but 0, a restart marker, or the marker that ends it; so looking for the
  // next marker also steps over the data of a scan.
  for (let at = nextMarker(bytes, 2); at >= 0; ) {
    const marker = bytes[at + 1]!;
    if (marker === EOI) {
      if (!frame) throw new InputError(`${name}: JPEG image has no frame header`);
      return { ...frame, scans };
    }
    if (isBare(marker)) {
      at = nextMarker(bytes, at + 2);
      continue;
    }
    if (at + 4 > bytes.length) break;
    const length = view.getUint16(at + 2);
    if (length < 2 || at + 2 + length > bytes.length) break;
    if (isFrame(marker)) {
      if (frame) throw new InputError(`${name}: expected one JPEG frame header, found another at byte ${at}`);
      frame = readFrame(bytes.subarray(at + 4, at + 2 + length), name);
    }
    if (marker === SOS) scans++;
    at = nextMarker(bytes, at + 2 + length);
  }
  throw new InputError(`${name}: JPEG image is cut short (no end marker in ${bytes.length} bytes)`);
}

/** A frame header (B.2.2), whose sampling factors say how many blocks each component has (A.1.1). */
function readFrame(data: Uint8Array, name: string): Omit<JpegHeader, 'scans'> {
  const components = data[5] ?? 0;
  if (data.length < 6 + 3 * components || components === 0) {
    throw new InputError(`${name}: expected a JPEG frame header of ${6 + 3 * components} bytes, found ${data.length}`);
  }
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const [height, width] = [view.getUint16(1), view.getUint16(3)];
  const factors = Array.from({ length: components }, (_, i) => data[7 + 3 * i]!);
  const [across, down] = [factors.map((factor) => factor >> 4), factors.map((factor) => factor & 15)];
  if ([...across, ...down].some((factor) => factor < 1 || factor > 4)) {
    throw new InputError(`${name}: expected JPEG sampling factors from 1 to 4, found ${across} and ${down}`);
  }
  const [mostAcross, mostDown] = [Math.max(...across), Math.max(...down)];
  let blocks = 0;
  for (let i = 0; i < components; i++) {
    blocks += Math.ceil((width * across[i]!) / mostAcross / 8) * Math.ceil((height * down[i]!) / mostDown / 8);
  }
  return { width, height, components, blocks };
}

/** Position of the next 0xff that is followed by a marker code, from `at` on; -1 if there is none. */
function nextMarker(bytes: Uint8Array, at: number): number {
  for (
    let found = bytes.indexOf(0xff, at);
    found >= 0 && found + 1 < bytes.length;
    found = bytes.indexOf(0xff, found + 1)
  ) {
    const code = bytes[found + 1]!;
    if (code !== 0x00 && code !== 0xff) return found;
  }
  return -1;
}
