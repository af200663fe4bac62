/** JPEG: damaged files, and files put together from changed segments. */

import { loadImageCodecs } from '../../src/node/image-codecs.js';
import { cropForClip } from '../../src/node/image-files.js';
import { concat } from '../../test/support/bytes.js';
import { mutate } from '../mutate.js';
import { cutFrom, type FuzzedParser, fixturesIn, MiB } from '../parser.js';
import type { Random } from '../random.js';

/** A marker with its segment, and the coded data behind it where it starts a scan. */
interface Segment {
  readonly marker: number;
  readonly data: Uint8Array;
  readonly coded: Uint8Array;
}

const SIDES = [0, 1, 8, 15, 16, 17, 1000, 4096, 8192, 65_535];
const SOS = 0xda;
const isFrame = (marker: number) => [0xc0, 0xc1, 0xc2, 0xc9, 0xca].includes(marker);

function segmentsOf(file: Uint8Array): Segment[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const segments: Segment[] = [];
  for (let at = 2; at + 4 <= file.length; ) {
    const marker = file[at + 1]!;
    const dataEnd = at + 2 + view.getUint16(at + 2);
    let end = dataEnd;
    const isMarker = (i: number) =>
      file[i] === 0xff && file[i + 1] !== 0 && !(file[i + 1]! >= 0xd0 && file[i + 1]! <= 0xd7);
    while (marker === SOS && end < file.length && !isMarker(end)) end++;
    segments.push({ marker, data: file.subarray(at + 4, dataEnd), coded: file.subarray(dataEnd, end) });
    at = end;
  }
  return segments;
}

function jpegOf(segments: readonly Segment[]): Uint8Array<ArrayBuffer> {
  const parts = segments.map(({ marker, data, coded }) => {
    const length = data.length + 2;
    return concat(0xff, marker, length >> 8, length & 255, data, coded);
  });
  return concat(0xff, 0xd8, ...parts, 0xff, 0xd9);
}

/** One segment lost, doubled, moved or damaged; other sides in the frame header; or a scan many times over. */
function changed(segments: Segment[], random: Random): Segment[] {
  const at = random.below(segments.length);
  const segment = segments[at]!;
  switch (random.below(6)) {
    case 0:
      return segments.toSpliced(at, 1);
    case 1:
      return segments.toSpliced(random.below(segments.length), 0, segment);
    case 2: {
      const frame = segments.findIndex(({ marker }) => isFrame(marker));
      if (frame < 0 || segments[frame]!.data.length < 6) return segments;
      const data = segments[frame]!.data.slice();
      const [height, width] = [random.pick(SIDES), random.pick(SIDES)];
      data.set([height >> 8, height & 255, width >> 8, width & 255], 1);
      if (random.oneIn(4)) data[5] = random.below(6);
      return segments.with(frame, { ...segments[frame]!, data });
    }
    case 3: {
      const scan = segments.filter(({ marker }) => marker === SOS);
      return segments.length > 60 ? segments : [...segments, ...Array<Segment[]>(random.below(60)).fill(scan).flat()];
    }
    case 4:
      return segments.with(at, { ...segment, coded: mutate(segment.coded, random, segment.data) });
    default:
      return segments.with(at, { ...segment, data: mutate(segment.data, random, random.pick(segments).data) });
  }
}

const seeds = fixturesIn('preprocess/small', '.jpg');

/** What the 4 megapixels take that a cut file may have whatever its length. */
const CUT_BYTES = 160 * MiB;

export const jpeg: FuzzedParser = {
  name: 'jpeg',
  what: 'JPEG images: decoded, and resized for CLIP',
  prepare: async () => loadImageCodecs(),
  make(random) {
    const seed = random.pick(seeds);
    if (random.oneIn(2)) return mutate(seed, random, random.pick(seeds));
    let segments = segmentsOf(seed);
    for (let changes = random.below(3); changes >= 0 && segments.length > 0; changes--)
      segments = changed(segments, random);
    return jpegOf(segments);
  },
  read: async (input) => void (await cropForClip(input, 'input.jpg', 224)),
  names: 'input.jpg',
  // Up to 8 blocks of 64 samples come out of a byte, or 512 of arithmetic coding; the codec holds coefficients and pixels of each.
  memory: (length) => 64 * MiB + 512 * 64 * 24 * length,
};

/** The same files where those that are cut short are read. */
export const cutJpeg: FuzzedParser = {
  ...jpeg,
  name: 'jpeg-cut',
  what: 'JPEG images, read with --truncated read',
  make: (random) => cutFrom(jpeg.make(random), random),
  read: async (input) => void (await cropForClip(input, 'input.jpg', 224, 'read')),
  memory: (length) => CUT_BYTES + jpeg.memory(length),
};
