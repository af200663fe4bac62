/** `ptdpc fetch` from a hub on this machine, over a slow line: what has arrived is kept, the model appears when it is whole. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TestServer } from '../../test/support/hub-server.js';
import { requireSameFolder, sha256 } from '../disk.js';
import { LARGE, MEDIUM, makeModel } from './inputs.js';
import { isBelowTemporary, isLock, type Job, namesBelow, phaseOf, requireKnown, type Size } from './job.js';

const ID = 'someone/clip-random';
const PARTIAL = '.model.partial';
const BYTES_PER_SECOND = 80e6;

export async function fetchJob(inputs: string, { quick }: Size): Promise<Job> {
  const source = join(inputs, 'source');
  await makeModel(source, quick ? MEDIUM : LARGE, 'f16');
  const server = await TestServer.start();
  server.bytesPerSecond = BYTES_PER_SECOND / (quick ? 5 : 1);
  const files: Record<string, Uint8Array> = {};
  for (const name of await readdir(source)) files[name] = await readFile(join(source, name));
  server.addRepository(ID, files, { large: ['model.safetensors'] });
  return {
    args: ['fetch', ID, '--out', 'model', '--no-hub-cache'],
    env: { HF_ENDPOINT: server.origin, HF_TOKEN: '', HTTP_PROXY: '', http_proxy: '' },
    output: 'model',
    inspect: async (folder, reference, isNew) => {
      const names = await namesBelow(folder);
      const isOutput = (name: string) => /^(?:\.model\.partial|model)(?:\/|$)/.test(name);
      requireKnown(names, (name) => isOutput(name) || isBelowTemporary(name) || isLock(name));
      if (existsSync(join(folder, 'model'))) {
        await requireSameFolder(join(folder, 'model'), join(reference, 'model'));
        return 'complete';
      }
      const parts = names.filter((name) => name.startsWith(`${PARTIAL}/`));
      for (const name of parts) await requirePart(name, folder, reference);
      if (parts.some((name) => name.endsWith('.part'))) return 'writing';
      return phaseOf(names, isNew, parts.length > 0);
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** A file that is whole, or the beginning of one under the name of a part. */
async function requirePart(name: string, folder: string, reference: string): Promise<void> {
  if (name.endsWith('.part.json')) return;
  const file = name.slice(PARTIAL.length + 1);
  const whole = join(reference, 'model', file.replace(/\.part$/, ''));
  if (!file.endsWith('.part')) {
    if ((await sha256(join(folder, name))) !== (await sha256(whole))) throw new Error(`${name} is not what was sent`);
    return;
  }
  const [found, sent] = [await readFile(join(folder, name)), await readFile(whole)];
  if (!found.equals(sent.subarray(0, found.length))) throw new Error(`${name} is not the beginning of what was sent`);
}
