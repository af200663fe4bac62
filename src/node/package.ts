/**
 * Where this package lies on the disk, and its version. The code may run from dist/, from src/, or as part of somebody's bundle, ESM or
 * CommonJS, with the package installed within the bundle's reach or not at all.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { InputError } from '../errors.js';
import { VERSION } from './version.generated.js';

/** Of this module, or of the bundle that it is part of. A bundler leaves `import.meta` empty where it writes CommonJS. */
export const MODULE_URL: string = import.meta.url ?? pathToFileURL(__filename).href;

/** Resolves a package's file from here. */
export const { resolve: resolveModule } = createRequire(MODULE_URL);

let found: string | undefined;

/** The package's folder, which holds package.json, dist/ and assets/; undefined in a bundle that is on its own. */
export function findPackageRoot(): string | undefined {
  found ??= aboveThisModule() ?? installed();
  return found;
}

/** The package's folder. Throws InputError in a bundle that is on its own. */
export function packageRoot(): string {
  const root = findPackageRoot();
  if (root === undefined)
    throw new InputError(
      `the files of ptdpc ${VERSION} are not found; install it where the bundle ${fileURLToPath(MODULE_URL)} finds it`,
    );
  return root;
}

export function packageVersion(): string {
  return VERSION;
}

function aboveThisModule(): string | undefined {
  for (let at = dirname(fileURLToPath(MODULE_URL)); at !== dirname(at); at = dirname(at)) if (isOurs(at)) return at;
  return undefined;
}

function installed(): string | undefined {
  try {
    const root = dirname(resolveModule('ptdpc/package.json'));
    return isOurs(root) ? root : undefined;
  } catch {
    return undefined;
  }
}

/** Another version's worker threads and assets would not fit. */
function isOurs(folder: string): boolean {
  try {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
    return name === 'ptdpc' && version === VERSION;
  } catch {
    return false;
  }
}
