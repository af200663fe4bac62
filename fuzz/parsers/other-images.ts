/** WebP, GIF and BMP: damaged files, and files that claim other sizes. */
import { cropForClip } from '../../src/node/image-files.js';
import { mutate } from '../mutate.js';
import { cutFrom, type FuzzedParser, fixturesIn, MiB } from '../parser.js';
import type { Random } from '../random.js';

const NUMBERS = [0, 1, 2, 255, 256, 4096, 16_383, 65_535, 0x7fffffff, 0xffffffff];

/**
 * @param header bytes at the beginning in which sizes, depths and offsets stand
 * @param perByte the most bytes of memory that a byte of the file may honestly need
 */
function images(format: string, header: number, perByte: number): FuzzedParser {
  const ending = format.toLowerCase();
  const seeds = fixturesIn('preprocess/small', `.${ending}`);
  const misled = (seed: Uint8Array, random: Random) => {
    const file = seed.slice();
    const view = new DataView(file.buffer);
    for (let changes = random.below(3); changes >= 0; changes--) {
      const at = random.below(Math.min(header, file.length - 4));
      if (random.oneIn(2)) view.setUint16(at, random.pick(NUMBERS) & 0xffff, true);
      else view.setUint32(at, random.pick(NUMBERS), true);
    }
    return file;
  };
  return {
    name: ending,
    what: `${format} images: decoded, and resized for CLIP`,
    make(random) {
      const seed = random.pick(seeds);
      return random.oneIn(2) ? misled(seed, random) : mutate(seed, random, random.pick(seeds));
    },
    read: async (input) => void (await cropForClip(input, `input.${ending}`, 224)),
    names: `input.${ending}`,
    // Blank pictures are short, so that any file may have 2^22 pixels.
    memory: (length) => 192 * MiB + perByte * length,
  };
}

export const webp: FuzzedParser = images('WebP', 40, 16 * 2 ** 15);
export const gif: FuzzedParser = images('GIF', 40, 8 * 2731);
export const bmp: FuzzedParser = images('BMP', 70, 8 * 128);

/** The same files where those that are cut short are read. */
function cut(parser: FuzzedParser): FuzzedParser {
  const { name, what, names } = parser;
  return {
    ...parser,
    name: `${name}-cut`,
    what: `${what}, with --truncated read`,
    make: (random) => cutFrom(parser.make(random), random),
    read: async (input) => void (await cropForClip(input, names, 224, 'read')),
  };
}

export const cutGif: FuzzedParser = cut(gif);
export const cutBmp: FuzzedParser = cut(bmp);
