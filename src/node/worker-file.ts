/** Where the built worker threads' files are. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPackageRoot, MODULE_URL } from './package.js';

const found = new Map<string, string | undefined>();

/**
 * The built file of `src/node/<name>.ts`: beside this module or, where this is part of a bundle or runs from the sources, in the
 * package. Undefined where nothing was built, or a bundle is on its own.
 */
export function workerFile(name: string): string | undefined {
  if (!found.has(name)) {
    const root = findPackageRoot();
    const candidates = [
      fileURLToPath(new URL(`./${name}.js`, MODULE_URL)),
      ...(root === undefined ? [] : [join(root, 'dist', 'node', `${name}.js`)]),
    ];
    found.set(
      name,
      candidates.find((path) => existsSync(path)),
    );
  }
  return found.get(name);
}
