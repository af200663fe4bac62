/** Where this package lies on the disk, and its version: found by its package.json, whether run from dist/, src/ or a bundle. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface PackageJson {
  name?: unknown;
  version?: unknown;
}

let found: { root: string; version: string } | undefined;

/** The package's folder, which holds package.json and assets/. */
export function packageRoot(): string {
  return find().root;
}

export function packageVersion(): string {
  return find().version;
}

function find(): { root: string; version: string } {
  for (let at = dirname(fileURLToPath(import.meta.url)); !found; at = dirname(at)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(at, 'package.json'), 'utf8')) as PackageJson;
      if (name === 'ptdpc') found = { root: at, version: String(version) };
    } catch {
      // No package.json here.
    }
    if (!found && at === dirname(at)) throw new Error('the package.json of ptdpc is missing');
  }
  return found;
}
