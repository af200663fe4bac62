/** `ptdpc embed` with a cache: features encoded so far are kept, the file appears when it is whole. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readSegmentFeatures } from '../../src/node/feature-segment.js';
import { sha256 } from '../disk.js';
import { makeImages, makeModel, SMALL } from './inputs.js';
import { isBelowTemporary, type Job, namesBelow, phaseOf, requireKnown, type Size } from './job.js';

const OUTPUT = 'features.safetensors';

export async function embedJob(inputs: string, { device, quick }: Size): Promise<Job> {
  await makeModel(join(inputs, 'model'), SMALL);
  await makeImages(join(inputs, 'images'), quick ? 90 : 350, 1);
  return {
    args: ['embed', join(inputs, 'images'), '--model', join(inputs, 'model'), '--out', OUTPUT, '--device', device],
    env: {},
    output: OUTPUT,
    inspect: async (folder, reference, isNew) => {
      const names = await namesBelow(folder);
      requireKnown(names, (name) => name === OUTPUT || isBelowTemporary(name) || isInCache(name));
      const segments = await requireSegments(folder, names);
      if (!existsSync(join(folder, OUTPUT))) return phaseOf(names, isNew, segments > 0);
      if ((await sha256(join(folder, OUTPUT))) !== (await sha256(join(reference, OUTPUT))))
        throw new Error(`${OUTPUT} is not that of an undisturbed call`);
      return 'complete';
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

export function isInCache(name: string): boolean {
  return /^cache(?:\/|$)/.test(name);
}

/** Reads every segment of the cache, which is whole if it is there. Returns how many there are. */
export async function requireSegments(folder: string, names: readonly string[]): Promise<number> {
  const segments = names.filter((name) => isInCache(name) && name.endsWith('.safetensors') && !isBelowTemporary(name));
  for (const name of segments) await readSegmentFeatures(join(folder, name), SMALL.projectionDim);
  return segments.length;
}
