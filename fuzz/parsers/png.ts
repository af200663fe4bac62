/** PNG: damaged files, and files put together from changed chunks with their checksums put right. */
import { zlibSync } from 'fflate';
import { crc32 } from '../../src/clip/image/png-rows.js';
import { cropForClip } from '../../src/node/image-files.js';
import { concat } from '../../test/support/bytes.js';
import { mutate } from '../mutate.js';
import { cutFrom, type FuzzedParser, fixturesIn, MiB, maybeDamaged, utf8 } from '../parser.js';
import type { Random } from '../random.js';

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10);
const SIDES = [0, 1, 2, 7, 8, 9, 255, 4096, 65_535, 0x7fffffff, 0xffffffff];
const TYPES = ['IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS', 'gAMA', 'acTL', 'fdAT', 'zTXt', 'eXIf'];

const uint32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
};

/** A file of chunks, with right checksums. */
export function pngOf(chunks: readonly Chunk[]): Uint8Array<ArrayBuffer> {
  const parts = chunks.map(({ type, data }) => {
    const typed = concat(utf8(type), data);
    return concat(uint32(data.length), typed, uint32(crc32(typed)));
  });
  return concat(SIGNATURE, ...parts);
}

/** `IHDR`: width, height, bits a sample, colour type, interlaced. */
export function pngHeader(width: number, height: number, depth: number, colorType: number, interlace = 0): Chunk {
  return { type: 'IHDR', data: concat(uint32(width), uint32(height), depth, colorType, 0, 0, interlace) };
}

function chunksOf(file: Uint8Array): Chunk[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE.length; at < file.length; ) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    chunks.push({ type, data: file.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/** One chunk lost, doubled, moved, renamed or damaged. */
function changedChunks(chunks: Chunk[], random: Random): Chunk[] {
  const at = random.below(chunks.length);
  const chunk = chunks[at]!;
  switch (random.below(6)) {
    case 0:
      return chunks.toSpliced(at, 1);
    case 1:
      return chunks.toSpliced(random.below(chunks.length), 0, chunk);
    case 2:
      return chunks.with(at, { ...chunk, type: random.pick(TYPES) });
    case 3:
      return chunks.with(
        0,
        pngHeader(random.pick(SIDES), random.pick(SIDES), random.pick([1, 2, 4, 8, 16]), random.below(7)),
      );
    // Image data in many small chunks.
    case 4:
      return chunks.flatMap(({ type, data }) =>
        type === 'IDAT' ? Array.from(data, (byte) => ({ type, data: Uint8Array.of(byte) })) : [{ type, data }],
      );
    default:
      return chunks.with(at, { ...chunk, data: mutate(chunk.data, random, random.pick(chunks).data) });
  }
}

/** An image of random rows, some with filters that do not exist, some with too few bytes or far too many. */
function generated(random: Random): Uint8Array {
  const side = () => (random.oneIn(20) ? 1 + random.below(3000) : 1 + random.below(20));
  const header = pngHeader(
    side(),
    side(),
    random.pick([1, 2, 4, 8, 16]),
    random.pick([0, 2, 3, 4, 6]),
    random.below(2),
  );
  const rows = random.oneIn(10)
    ? new Uint8Array(random.below(4 * MiB))
    : random.bytes(random.below(2000)).map((b) => b % 5);
  const palette = { type: 'PLTE', data: random.bytes(random.oneIn(5) ? random.below(1000) : 3 * random.below(257)) };
  return pngOf([header, palette, { type: 'IDAT', data: zlibSync(rows) }, { type: 'IEND', data: new Uint8Array(0) }]);
}

const seeds = fixturesIn('preprocess/small', '.png');

export const png: FuzzedParser = {
  name: 'png',
  what: 'PNG images: decoded, and resized for CLIP',
  make(random) {
    const seed = random.pick(seeds);
    if (random.oneIn(3)) return maybeDamaged(generated(random), random, seed);
    if (random.oneIn(2)) return mutate(seed, random, random.pick(seeds));
    let chunks = chunksOf(seed);
    for (let changes = random.below(3); changes >= 0 && chunks.length > 0; changes--)
      chunks = changedChunks(chunks, random);
    return pngOf(chunks);
  },
  read: async (input) => void (await cropForClip(input, 'input.png', 224)),
  names: 'input.png',
  // A byte of deflate holds up to 1032, of which each may be eight pixels.
  memory: (length) => 64 * MiB + 2 * 8 * 1032 * length,
};

/** The same files where those that are cut short are read. */
export const cutPng: FuzzedParser = {
  ...png,
  name: 'png-cut',
  what: 'PNG images, read with --truncated read',
  make: (random) => cutFrom(png.make(random), random),
  read: async (input) => void (await cropForClip(input, 'input.png', 224, 'read')),
  memory: (length) => 128 * MiB + png.memory(length),
};
