/**
 * Reads a JPEG file's markers before decoding (ITU-T T.81, annex B): its size, its components, their coding, and whether it is
 * complete.
 */
import { InputError } from '../../../errors.js';
import type { TruncatedImages } from '../decoded-image.js';

export interface JpegComponent {
  readonly id: number;
  /** Sampling factors, 1 to 4. */
  readonly across: number;
  readonly down: number;
  /** Index of its quantisation table. */
  readonly table: number;
}

export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1 for grey, 3 for colour, 4 for CMYK. */
  readonly components: readonly JpegComponent[];
  readonly progressive: boolean;
  readonly arithmetic: boolean;
  /** Number of 8 x 8 blocks in all components. */
  readonly blocks: number;
  /** 1 for baseline images, about 10 for progressive ones. */
  readonly scans: number;
  /** Whether the first scan has all components, so that anything after it is ignored. */
  readonly single: boolean;
  readonly end: JpegEnd;
  /** Whether all segments and scans are present; coded data may still be missing. */
  readonly complete: boolean;
}

/** Where a file ends: at the end marker, in coded data or between segments without end marker, or inside a segment. */
export type JpegEnd = 'marker' | 'data' | 'segment';

/** A marker with its parameters; a start of scan also has the coded data, including restart markers. */
export interface JpegSegment {
  readonly marker: number;
  /** Offset of the marker in the file. */
  readonly at: number;
  readonly data: Uint8Array;
  readonly coded: Uint8Array;
}

export const SOS = 0xda;
const SOI = 0xd8;
const EOI = 0xd9;

/** Start of a frame, for any coding; three codes in this range have other meanings. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Supported frames: sequential and progressive, with Huffman and arithmetic coding. */
const DECODED_FRAMES = [0xc0, 0xc1, 0xc2, 0xc9, 0xca];

/** Markers without a segment: TEM and the restart markers. */
const isBare = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= SOI);

/**
 * @throws InputError if the frame is not supported, or if coded data are certainly missing (when reading truncated files: if there are
 * none at all).
 */
export function readJpegHeader(bytes: Uint8Array, name: string, truncated: TruncatedImages = 'skip'): JpegHeader {
  let frame: JpegFrame | undefined;
  let scans = 0;
  let scanned = 0;
  let single = false;
  const segments = jpegSegments(bytes);
  for (let next = segments.next(); ; next = segments.next()) {
    if (next.done) {
      const end = next.value;
      const isScanned = frame !== undefined && !frame.progressive && scanned >= frame.components.length;
      const complete = end === 'marker' || (end === 'data' && isScanned);
      const isRead = truncated === 'read' && frame && !frame.arithmetic && scans > 0;
      if (!complete && !isRead) throw cutShort(bytes, name);
      if (!frame) throw new InputError(`${name}: JPEG image has no frame header`);
      return { ...frame, scans, single, end, complete };
    }
    const { marker, at, data } = next.value;
    if (isFrame(marker)) {
      if (frame) throw new InputError(`${name}: expected one JPEG frame header, found another at byte ${at}`);
      frame = readFrame(marker, data, name);
    } else if (marker === SOS) {
      scans++;
      scanned += data[0] ?? 0;
      if (scans === 1 && frame) single = !frame.progressive && scanned >= frame.components.length;
    }
  }
}

/**
 * The complete segments up to the end marker or the end of the file. Returns how the file ends; even without an end marker, the data of
 * a single pass over the image may be complete.
 */
export function* jpegSegments(bytes: Uint8Array): Generator<JpegSegment, JpegEnd> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = nextMarker(bytes, 2); at >= 0; ) {
    const marker = bytes[at + 1]!;
    if (marker === EOI) return 'marker';
    if (isBare(marker)) {
      at = nextMarker(bytes, at + 2);
      continue;
    }
    const end = at + 4 > bytes.length ? Number.POSITIVE_INFINITY : at + 2 + Math.max(2, view.getUint16(at + 2));
    if (end > bytes.length) return 'segment';
    let next = nextMarker(bytes, end);
    // Coded data never has 0xff followed by anything but 0, a restart marker, or the marker that ends it.
    while (marker === SOS && next >= 0 && isBare(bytes[next + 1]!)) next = nextMarker(bytes, next + 2);
    const coded = marker === SOS ? bytes.subarray(end, next < 0 ? bytes.length : next) : bytes.subarray(end, end);
    yield { marker, at, data: bytes.subarray(at + 4, end), coded };
    at = next;
  }
  return 'data';
}

type JpegFrame = Omit<JpegHeader, 'scans' | 'single' | 'end' | 'complete'>;

/** Parses a frame header (B.2.2), whose sampling factors determine the number of blocks of each component (A.1.1). */
function readFrame(marker: number, data: Uint8Array, name: string): JpegFrame {
  const count = data[5] ?? 0;
  if (data.length < 6 + 3 * count || count === 0) {
    throw new InputError(`${name}: expected a JPEG frame header of ${6 + 3 * count} bytes, found ${data.length}`);
  }
  if (!DECODED_FRAMES.includes(marker) || data[0] !== 8 || ![1, 3, 4].includes(count)) {
    throw new InputError(
      `${name}: expected a sequential or progressive JPEG image of 8 bits and 1, 3 or 4 components, ` +
        `found frame type 0x${marker.toString(16)} with ${data[0]} bits and ${count}`,
    );
  }
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const [height, width] = [view.getUint16(1), view.getUint16(3)];
  const components = Array.from({ length: count }, (_, i): JpegComponent => {
    const [id, factors, table] = data.subarray(6 + 3 * i);
    return { id: id!, across: factors! >> 4, down: factors! & 15, table: table! };
  });
  const [across, down] = [components.map((one) => one.across), components.map((one) => one.down)];
  if ([...across, ...down].some((factor) => factor < 1 || factor > 4)) {
    throw new InputError(`${name}: expected JPEG sampling factors from 1 to 4, found ${across} and ${down}`);
  }
  const [mostAcross, mostDown] = [Math.max(...across), Math.max(...down)];
  let blocks = 0;
  for (let i = 0; i < count; i++) {
    blocks += Math.ceil((width * across[i]!) / mostAcross / 8) * Math.ceil((height * down[i]!) / mostDown / 8);
  }
  return { width, height, components, progressive: (marker & 3) === 2, arithmetic: marker >= 0xc9, blocks };
}

/** Position of the next 0xff at or after `at` that is followed by a marker code; -1 if there is none. */
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

export function cutShort(bytes: Uint8Array, name: string): InputError {
  return new InputError(`${name}: JPEG image is cut short (no end marker in ${bytes.length} bytes)`);
}
