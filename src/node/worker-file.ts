/** Where the built worker threads' files are. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from './package.js';

const found = new Map<string, string | undefined>();

/**
 * The built file of `src/node/<name>.ts`: beside this module or, where this is part of a bundle or runs from the sources, in the
 * package. Undefined where nothing was built.
 */
export function workerFile(name: string): string | undefined {
  if (!found.has(name)) {
    const candidates = [
      fileURLToPath(new URL(`./${name}.js`, import.meta.url)),
      join(packageRoot(), 'dist', 'node', `${name}.js`),
    ];
    found.set(
      name,
      candidates.find((path) => existsSync(path)),
    );
  }
  return found.get(name);
}
