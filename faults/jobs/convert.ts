/** `ptdpc convert`: a model directory appears whole or not at all. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { requireSameFolder } from '../disk.js';
import { LARGE, MEDIUM, makeModel } from './inputs.js';
import { isBelowTemporary, isLock, type Job, namesBelow, phaseOf, requireKnown, type Size } from './job.js';

export async function convertJob(inputs: string, { quick }: Size): Promise<Job> {
  const source = join(inputs, 'source');
  await makeModel(source, quick ? MEDIUM : LARGE);
  return {
    args: ['convert', source, '--out', 'model'],
    env: {},
    output: 'model',
    refusesComplete: true,
    inspect: async (folder, reference, isNew) => {
      const names = await namesBelow(folder);
      const isOutput = (name: string) => name === 'model' || name.startsWith('model/');
      requireKnown(names, (name) => isOutput(name) || isBelowTemporary(name) || isLock(name));
      if (!existsSync(join(folder, 'model'))) return phaseOf(names, isNew, false);
      await requireSameFolder(join(folder, 'model'), join(reference, 'model'));
      return 'complete';
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
