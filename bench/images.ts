/** The image pipeline on one thread: from the bytes of a 640 x 480 file to the pixels that the vision tower takes. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clipPreprocessing } from '../src/clip/image/index.js';
import { pixelsFor } from '../src/node/image-files.js';
import { packageRoot } from '../src/node/package.js';
import type { Benchmark } from './benchmark.js';
import { imagePeers } from './peers.js';
import { sampler } from './sampling.js';

/** Two pictures of the tests that compress like photographs, written by Pillow: 111 and 457 KiB. */
const FILES = { jpeg: 'j5_640x480_RGB.jpg', png: '00_640x480_RGB.png' } as const;

/** What CLIP ViT-B/32 takes. */
const SIZE = 224;

export function imageBenchmark(format: keyof typeof FILES): Benchmark {
  const path = join(packageRoot(), 'test', 'fixtures', 'preprocess', FILES[format]);
  return {
    name: `images-${format}`,
    work: `decode and preprocess, 640x480 ${format.toUpperCase()}`,
    unit: 'images/s',
    devices: ['cpu'],
    open: async (_device, { seconds }) => {
      const bytes = await readFile(path);
      const run = async (times: number) => {
        for (let i = 0; i < times; i++) await pixelsFor(clipPreprocessing(SIZE), bytes, path);
      };
      return { entries: [{ name: '1 thread', threads: 1, sample: sampler(run, 1, seconds) }], [Symbol.dispose]() {} };
    },
    peers: (_device, options) => imagePeers(path, options),
  };
}
