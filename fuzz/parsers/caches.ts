/** The two kinds of cached files: features and tunings. A damaged one is passed over with a word. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ARCHITECTURES } from '../../src/clip/config.js';
import { InputError } from '../../src/errors.js';
import { type AdapterSummary, allKernels, alwaysUse } from '../../src/kernels/index.js';
import { FeatureCache } from '../../src/node/feature-cache.js';
import { sha256, writeSegment } from '../../src/node/feature-segment.js';
import { readTuning, tuningName, tuningPath } from '../../src/node/tuning-file.js';
import { type FuzzedParser, MiB, maybeDamaged } from '../parser.js';
import { damagedJson } from './json.js';
import { mutateHeader } from './safetensors.js';

const WIDTH = 4;
const ORIGIN = {
  weights: 'w',
  config: { ...ARCHITECTURES.get('ViT-B/32')!, projectionDim: WIDTH },
  width: WIDTH,
  arithmetic: 'cpu',
};
const IMAGES = ['a', 'b', 'c'].map((image) => sha256(image));
let cache: string;
let segmentPath: string;
let goodSegment: Uint8Array;

export const segment: FuzzedParser = {
  name: 'segment',
  what: 'segments of the feature cache',
  prepare: async (scratch) => {
    cache = scratch;
    const { directory } = await FeatureCache.open(cache, ORIGIN);
    segmentPath = join(directory, 'fuzzed.safetensors');
    await mkdir(directory, { recursive: true });
    await writeSegment(segmentPath, IMAGES, new Float32Array(IMAGES.length * WIDTH).fill(0.5));
    goodSegment = new Uint8Array(await readFile(segmentPath));
  },
  make: (random) => (random.oneIn(2) ? mutateHeader(goodSegment, random) : maybeDamaged(goodSegment, random)),
  async read(input) {
    await writeFile(segmentPath, input);
    const warnings: string[] = [];
    const opened = await FeatureCache.open(cache, ORIGIN, (message) => warnings.push(message));
    for (const image of IMAGES) {
      const feature = await opened.get(image);
      if (feature && feature.length !== WIDTH) throw new Error(`a feature of ${feature.length} numbers`);
    }
    refuse(warnings);
  },
  names: 'fuzzed.safetensors',
  memory: (length) => 16 * MiB + 64 * length,
};

const ADAPTER: AdapterSummary = {
  description: 'fuzzed',
  vendor: 'v',
  architecture: 'a',
  subgroupSize: 8,
  software: true,
  features: [],
  limits: {},
};
const TUNING = {
  adapter: 'fuzzed',
  measured: '2026-01-01T00:00:00.000Z',
  tuning: {
    ...Object.assign({}, ...allKernels().map((one) => alwaysUse(one.variants[0]!.name, one))),
    matmul: { fallback: 'naive', byClass: { '64x64x64': 'tiled' } },
  },
  timings: [{ work: 'matmul', variant: 'naive', seconds: 0.1, gflops: 3 }],
};

export const tuning: FuzzedParser = {
  name: 'tuning',
  what: 'what ptdpc tune measured',
  prepare: async (scratch) => {
    process.env.PTDPC_CACHE = scratch;
    await mkdir(dirname(tuningPath(ADAPTER)), { recursive: true });
  },
  make: (random) => damagedJson(JSON.stringify(TUNING), random),
  async read(input) {
    await writeFile(tuningPath(ADAPTER), input);
    const warnings: string[] = [];
    const record = await readTuning(ADAPTER, (message) => warnings.push(message));
    if (record) tuningName(record);
    refuse(warnings);
  },
  names: '.json',
  memory: (length) => 16 * MiB + 64 * length,
};

/** A file that was passed over counts as refused. */
function refuse(warnings: readonly string[]): void {
  if (warnings.length > 0) throw new InputError(warnings.join(' | '));
}
