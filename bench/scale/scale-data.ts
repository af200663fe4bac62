/**
 * How time and memory grow with the numbers of pictures and of classes, at three sizes each: FI has 23,308 pictures, EmoSet 118,000. The short
 * form (`--quick`, and the default) has small sizes; SCALE=full has those. SCALE_OF=classes,steps measures only what grows with those.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/node/package.js';
import type { Result } from '../benchmark.js';
import { benchFile } from '../models.js';
import { resultRow, type StandaloneBenchmark } from '../standalone.js';
import {
  emotionPictures,
  flatPictures,
  labelledPictures,
  largePictures,
  manifestOf,
  manyClasses,
  writeMetrics,
} from './pictures.js';
import { type Measured, measured, measuredTogether } from './process.js';

const MODEL = join(packageRoot(), 'assets', 'demo-model');
const CPU = ['--device', 'cpu', '--memory', '256MiB'];

const SIZES = {
  short: {
    pictures: [1000, 2000, 4000],
    classes: [250, 500, 1000],
    photographs: [1, 2, 4],
    images: [400, 800, 1600],
    steps: [10_000, 20_000, 40_000],
  },
  full: {
    pictures: [5000, 23_308, 118_000],
    classes: [1000, 3000, 10_000],
    photographs: [4, 8, 16],
    images: [2000, 4000, 8000],
    steps: [75_000, 150_000, 295_000],
  },
};

interface Work {
  readonly name: string;
  readonly of: keyof (typeof SIZES)['short'];
  /** The command for a size; what it prepares is not measured. */
  command(size: number, cache: string): readonly string[] | Promise<readonly string[]>;
  /** Processes that the command is started in, at the same time. */
  readonly processes?: number;
}

/** The folder of a run, which is not there. */
function freshRun(name: string): string {
  const run = benchFile(name);
  rmSync(run, { recursive: true, force: true });
  return run;
}

const out = (): string => benchFile('scale-out.safetensors');
const many = (): string => benchFile('scale-many');
const embed = (folder: string) => ['embed', folder, '--model', MODEL, '--out', out(), ...CPU];

/** In this order: the later ones find what the first has put into the cache. */
const WORKS: readonly Work[] = [
  { name: 'embed, empty cache', of: 'pictures', command: async (size) => embed((await flatPictures(size)).folder) },
  { name: 'embed, from the cache', of: 'pictures', command: async (size) => embed((await flatPictures(size)).folder) },
  {
    name: 'embed, from the cache, other order',
    of: 'pictures',
    command: async (size) => embed((await flatPictures(size)).other),
  },
  {
    name: 'predict, from the cache',
    of: 'pictures',
    command: async (size, cache) => {
      const run = freshRun('scale-run');
      await measured(['zeroshot', '--model', MODEL, '--data', await manyClasses(8), '--out', run, ...CPU], cache);
      return ['predict', (await flatPictures(size)).folder, '--run', run, ...CPU];
    },
  },
  {
    name: 'zeroshot of eight classes, from the cache',
    of: 'pictures',
    command: async (size) => {
      const run = freshRun('scale-many');
      return ['zeroshot', '--model', MODEL, '--data', await labelledPictures(size), '--out', run, ...CPU];
    },
  },
  {
    name: 'embed, JPEG files of 64 megapixels',
    of: 'photographs',
    command: async (size) => embed(await largePictures(size)),
  },
  { name: 'data of a JSON manifest', of: 'pictures', command: async (size) => ['data', await manifestOf(size)] },
  { name: 'data', of: 'classes', command: async (size) => ['data', await manyClasses(size)] },
  {
    name: 'zeroshot, a picture of each class',
    of: 'classes',
    command: async (size) => {
      const run = freshRun('scale-many');
      return ['zeroshot', '--model', MODEL, '--data', await manyClasses(size), '--out', run, ...CPU];
    },
  },
  { name: 'eval, a picture of each class', of: 'classes', command: () => ['eval', '--run', many(), ...CPU] },
  { name: 'report of that', of: 'classes', command: () => ['report', '--run', many(), '--no-prompts'] },
  {
    name: 'report of a long training',
    of: 'steps',
    command: async (size, cache) => {
      const run = freshRun('scale-long');
      const options = ['--epochs', '10', '--lr', '0.1', ...CPU];
      await measured(['train', '--model', MODEL, '--data', await manyClasses(8), '--out', run, ...options], cache);
      writeMetrics(run, size);
      return ['report', '--run', run, '--no-prompts'];
    },
  },
  { name: 'experiment table1, one process', of: 'images', command: (size, cache) => table1(size, 'scale-one', cache) },
  {
    name: 'experiment table1, four processes',
    of: 'images',
    command: (size, cache) => table1(size, 'scale-four', cache),
    processes: 4,
  },
];

/** A plan with its own cache. */
async function table1(size: number, name: string, cache: string): Promise<readonly string[]> {
  const plan = freshRun(name);
  const folder = await emotionPictures(size);
  const options = ['--model', MODEL, '--seeds', '4', '--epochs', '1', '--lr', '0.1', '--no-estimate'];
  await measured(
    ['experiment', 'plan', 'table1', '--out', plan, '--data-root', folder, '--datasets', `fi8=${folder}`, ...options],
    cache,
  );
  return ['experiment', 'run', '--out', plan, ...CPU];
}

export const scaleBenchmark: StandaloneBenchmark = {
  name: 'scale-data',
  devices: ['cpu'],
  async measure(device) {
    const sizes = process.env.SCALE === 'full' ? SIZES.full : SIZES.short;
    const found = WORKS.map(() => new Map<number, Measured>());
    const kinds = (process.env.SCALE_OF?.split(',') ?? Object.keys(sizes)) as (keyof typeof sizes)[];
    for (const kind of kinds) {
      for (const size of sizes[kind]) {
        const cache = benchFile('scale-cache');
        rmSync(cache, { recursive: true, force: true });
        mkdirSync(cache, { mode: 0o700 });
        for (const [w, { of, command, processes = 1 }] of WORKS.entries()) {
          if (of !== kind) continue;
          const args = await command(size, cache);
          found[w]!.set(size, await measuredTogether(new Array<readonly string[]>(processes).fill(args), cache));
        }
      }
    }
    rmSync(out(), { force: true });
    return WORKS.flatMap(({ name, of }, w) => (kinds.includes(of) ? rowsOf(name, of, device, [...found[w]!]) : []));
  },
};

/** A row for the largest size, with what the smaller ones took. */
function rowsOf(
  name: string,
  of: Work['of'],
  device: string,
  found: readonly (readonly [number, Measured])[],
): Result[] {
  const [first, last] = [found[0]!, found.at(-1)!];
  const times = last[0] / first[0];
  const list = (value: (one: Measured) => string) => found.map(([, one]) => value(one)).join(', ');
  const notes =
    `${found.map(([size]) => size.toLocaleString('en')).join(', ')} ${of}: ${list(({ seconds }) => seconds.toFixed(1))} s, ` +
    `${list(({ cpu }) => cpu.toFixed(1))} s of processors, ` +
    `${list(({ peak }) => peak.toFixed(0))} MiB; ${times.toFixed(1)} times the ${of}, ` +
    `${(last[1].cpu / first[1].cpu).toFixed(1)} times the processors' time, ${(last[1].peak - first[1].peak).toFixed(0)} MiB more`;
  return [resultRow(`${name}, ${last[0].toLocaleString('en')} ${of}`, device, 's', [last[1].seconds], { notes })];
}
