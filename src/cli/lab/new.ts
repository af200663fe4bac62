/** `ptdpc lab new`: a file to start from. */
import { access } from 'node:fs/promises';
import { InputError } from '../../errors.js';
import type { KernelName } from '../../kernels/index.js';
import { starterText } from '../../lab/index.js';
import { writeFileAtomically } from '../../node/atomic.js';
import { print, say } from '../output.js';

interface Options {
  from?: string;
  out?: string;
  force?: boolean;
}

export async function newFile(kernel: KernelName, options: Options): Promise<void> {
  const { from, out = `${kernel}.wgsl`, force = false } = options;
  const text = starterText(kernel, from);
  await writeNewFile(out, text, force, `ptdpc lab run ${kernel} --variant ${out} --watch`);
}

/** Writes a starting file and says what to do with it. Throws InputError if it is there already, unless forced. */
export async function writeNewFile(out: string, text: string, force: boolean, next: string): Promise<void> {
  if (!force && (await exists(out))) throw new InputError(`${out}: it is there already; --force replaces it`);
  await writeFileAtomically(out, text);
  print(out);
  say(`now: ${next}`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
